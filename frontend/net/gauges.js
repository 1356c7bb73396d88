/**
 * Asks the instruments that are open, one question at a time, of the run that is selected and at the step that one looks at. While
 * it trains there is a pause after each answer, as long as the server says, so that measuring slows no training by more than 5 %.
 * Owns: when to ask, and what. Must not know what is drawn from it.
 */

import { choiceOf, measuredAt, openInstruments } from "../state/instruments.js";

/** @typedef {import("../state/types.js").State} State */

/** Between two questions at least this, in ms: what is measured is read by people. */
const LEAST = 100;
/** How long to wait where there is nothing to ask, or no answer. */
const IDLE = 500;
const TROUBLED = 2_000;

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./api.js").createApi>} given.api
 * @param {import("../state/types.js").Store} given.store
 * @param {import("../state/types.js").Environment} given.environment
 */
export function createGauges({ api, store, environment }) {
  /** Of which moment each instrument told last. @type {Map<string, string>} */
  let held = new Map();
  /** @type {any} */
  let timer = null;
  let isAsking = false;
  let stopped = false;
  let freeAt = -Infinity;

  /** On a phone the charts are behind a tab. @param {State} state */
  const isSeen = ({ view }) => view.tab === "charts" || !environment.narrow();

  /** @param {State} state */
  function moment(state) {
    const at = measuredAt(state);
    return at && state.experiment ? [state.experiment.id, at.run.name, at.run.generation, at.step].join(" ") : "";
  }

  /** Somebody looks, and somebody answers. @param {State} state */
  const isOn = (state) => state.experiment && isSeen(state) && !environment.hidden() && ["ready", "live"].includes(state.connection.status);

  /** What is open and not measured at this moment: what waits longest comes first. @param {State} state */
  function wanted(state) {
    const now = moment(state);
    const open = isOn(state) && now ? openInstruments(state).filter((name) => held.get(name) !== now) : [];
    const order = [...held.keys()];
    return open.sort((a, b) => order.indexOf(a) - order.indexOf(b))[0];
  }

  /** The open figures of which it is not known what they are made of. @param {State} state */
  const unknown = (state) => choiceOf(state).gauges.map(({ figure }) => figure).filter((figure) => !state.figures[figure]);

  /** Asked once an experiment. @param {State} state @param {string} id */
  async function specify(state, id) {
    for (const name of unknown(state)) {
      const figure = await api.figure(id, name, { filled: false });
      if (store.get().experiment?.id === id) store.dispatch({ type: "figure", name, figure });
    }
  }

  /** Several figures show what one instrument told: there may be one to be made, and nothing to be measured. @param {State} state @param {string|undefined} name */
  async function ask(state, name) {
    const { run, step, isPast } = /** @type {NonNullable<ReturnType<typeof measuredAt>>} */ (measuredAt(state));
    const id = /** @type {NonNullable<State["experiment"]>} */ (state.experiment).id;
    const asked = moment(state);
    await specify(state, id);
    if (name === undefined) return 0;
    const [instrument, query] = name.split("?");
    const answer = await api.instrument(id, run.name, instrument, isPast ? step : undefined, query);
    held.delete(name);
    held.set(name, state.playback.playing && !isPast ? "" : asked);
    if (store.get().experiment?.id === id) store.dispatch({ type: "instrument", run: run.name, name, answer });
    return answer.again_seconds ?? 0;
  }

  async function turn() {
    timer = null;
    const state = store.get();
    const name = wanted(state);
    if (name === undefined && !(isOn(state) && moment(state) && unknown(state).length)) return plan(IDLE);
    isAsking = true;
    const began = environment.now();
    const again = await ask(state, name).catch(() => null);
    isAsking = false;
    const plays = store.get().playback.playing;
    // an answer that took long found the server busy: it is left alone for as long
    const pause = again === null ? TROUBLED : plays ? Math.max(LEAST, 1000 * again, environment.now() - began) : 0;
    freeAt = environment.now() + pause;
    plan(pause);
  }

  /** @param {number} ms */
  function plan(ms) {
    environment.clearTimeout(timer);
    if (!stopped && openInstruments(store.get()).length) timer = environment.setTimeout(turn, ms);
  }

  const hurry = () => void (isAsking || plan(Math.max(0, freeAt - environment.now())));

  const unwatch = [
    store.watch((state) => [state.view.panel, state.view.instruments, state.view.selectedRun, state.view.tab, state.experiment?.id], hurry),
    store.watch((state) => (state.playback.playing && !state.looking ? "" : moment(state)), hurry),
  ];

  return {
    stop() {
      stopped = true;
      unwatch.forEach((stop) => stop());
      environment.clearTimeout(timer);
      held = new Map();
    },
  };
}
