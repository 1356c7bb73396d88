/**
 * Asks the open instruments of the run that is looked into, and the decision maps that somebody sees, of every run that is shown: one
 * question at a time, and while it trains a pause after each answer, as long as the server says, so that measuring slows no training
 * by more than 5 %.
 * Owns: when to ask, and what. Must not know what is drawn from it.
 */

import { MAP, mappedRuns } from "../state/decision-map.js";
import { inspectedRun } from "../state/inspected.js";
import { choiceOf, measuredAt, openInstruments, placeOf } from "../state/instruments.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/instruments.js").Place & {name: string, every: number}} Question  not asked again within so many ms while it trains */

/** Between two questions at least this, in ms: what is measured is read by people. */
const LEAST = 100;
/** Maps are drawn as often as what stands beside them. */
const MAP_EVERY = 250;
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
  /** Of which moment each told last, and when that was asked; what waits longest comes first. @type {Map<string, {of: string, at: number}>} */
  let held = new Map();
  /** @type {any} */
  let timer = null;
  let isAsking = false;
  let stopped = false;
  let freeAt = -Infinity;

  /** Instruments are open; on a phone they are behind a tab. @param {State} state */
  const isPanelSeen = ({ view }) => view.panel === "instruments" && (view.tab === "charts" || !environment.narrow());

  /** @param {State} state @returns {Question[]} */
  function open(state) {
    const at = isPanelSeen(state) ? measuredAt(state) : null;
    return [
      ...(at ? openInstruments(state).map((name) => ({ ...at, name, every: 0 })) : []),
      ...mappedRuns(state).map(({ name }) => ({ ...placeOf(state, state.runs[name]), name: MAP, every: MAP_EVERY })),
    ];
  }

  /** @param {Question} question */
  const keyOf = ({ run, name }) => `${run.name} ${name}`;

  /** @param {State} state @param {Question} question */
  const momentOf = (state, { run, step }) => [state.experiment?.id, run.name, run.generation, step].join(" ");

  /** Somebody looks, and somebody answers. @param {State} state */
  const isOn = (state) => state.experiment && !environment.hidden() && ["ready", "live"].includes(state.connection.status);

  /** How many ms from now on it waits. @param {State} state @param {Question} question */
  function waitOf({ playback }, question) {
    const asked = held.get(keyOf(question));
    return asked && playback.playing && !question.isPast ? asked.at + question.every - environment.now() : 0;
  }

  /** What is open and not measured at this moment: what waits longest comes first. @param {State} state */
  function wanted(state) {
    const missing = isOn(state) ? open(state).filter((question) => held.get(keyOf(question))?.of !== momentOf(state, question)) : [];
    const order = [...held.keys()];
    return missing.sort((a, b) => order.indexOf(keyOf(a)) - order.indexOf(keyOf(b)));
  }

  /** The open figures of which it is not known what they are made of. @param {State} state */
  const unknown = (state) => (isPanelSeen(state) ? choiceOf(state).gauges.map(({ figure }) => figure).filter((figure) => !state.figures[figure]) : []);

  /** Asked once an experiment. @param {State} state @param {string} id */
  async function specify(state, id) {
    for (const name of unknown(state)) {
      const figure = await api.figure(id, name, { filled: false });
      if (store.get().experiment?.id === id) store.dispatch({ type: "figure", name, figure });
    }
  }

  /** Several figures show what one instrument told: there may be one to be made, and nothing to be measured. @param {State} state @param {Question|undefined} question */
  async function ask(state, question) {
    const id = /** @type {NonNullable<State["experiment"]>} */ (state.experiment).id;
    const at = environment.now();
    await specify(state, id);
    if (!question) return 0;
    const { run, step, isPast, name } = question;
    const [instrument, query] = name.split("?");
    const answer = await api.instrument(id, run.name, instrument, isPast ? step : undefined, query);
    held.delete(keyOf(question));
    held.set(keyOf(question), { of: state.playback.playing && !isPast ? "" : momentOf(state, question), at });
    if (store.get().experiment?.id === id) store.dispatch({ type: "instrument", run: run.name, name, answer });
    return answer.again_seconds ?? 0;
  }

  async function turn() {
    timer = null;
    const state = store.get();
    const missing = wanted(state);
    const question = missing.find((one) => waitOf(state, one) <= 0);
    if (!question && !(isOn(state) && unknown(state).length)) return plan(Math.min(IDLE, ...missing.map((one) => waitOf(state, one))));
    isAsking = true;
    const began = environment.now();
    const again = await ask(state, question).catch(() => null);
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
    const state = store.get();
    if (!stopped && (openInstruments(state).length || mappedRuns(state).length)) timer = environment.setTimeout(turn, ms);
  }

  const hurry = () => void (isAsking || plan(Math.max(0, freeAt - environment.now())));

  const unwatch = [
    store.watch((state) => [state.view.panel, state.view.instruments, inspectedRun(state)?.name, state.view.tab, state.experiment?.id, ...mappedRuns(state).map(({ name }) => name)], hurry),
    store.watch((state) => (state.playback.playing && !state.looking ? "" : open(state).map((question) => momentOf(state, question)).join()), hurry),
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
