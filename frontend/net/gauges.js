/**
 * Requests the open instruments of the inspected run, and the visible decision maps of all runs: one request at a
 * time. The server says how long to pause after each, so that measuring slows training by 5 % at most.
 * Owns: when to request, and what.
 */

import { MAP, mappedRuns } from "../state/decision-map.js";
import { inspectedRun } from "../state/inspected.js";
import { choiceOf, measuredAt, openInstruments, placeOf } from "../state/instruments.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/instruments.js").Place & {name: string, every: number}} Question  not repeated within so many ms during training */

/** Least time between two requests, in ms: people read the results. */
const LEAST = 100;
/** Maps are redrawn as often as the views beside them. */
const MAP_EVERY = 250;
/** Wait after no request or no answer, in ms. */
const IDLE = 500;
const TROUBLED = 2_000;

/**
 * @param {object} options
 * @param {ReturnType<typeof import("./api.js").createApi>} options.api
 * @param {import("../state/types.js").Store} options.store
 * @param {import("../state/types.js").Environment} options.environment
 */
export function createInstrumentRequests({ api, store, environment }) {
  /** The moment and time of each last answer; the oldest is requested first. @type {Map<string, {of: string, at: number}>} */
  let answers = new Map();
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

  /** The panel is visible and the connection works. @param {State} state */
  const isOn = (state) => state.experiment && !environment.hidden() && ["ready", "live"].includes(state.connection.status);

  /** ms until a request may be repeated. @param {State} state @param {Question} question */
  function waitOf({ playback }, question) {
    const last = answers.get(keyOf(question));
    return last && playback.playing && !question.isPast ? last.at + question.every - environment.now() : 0;
  }

  /** Open requests without an answer for this moment, the oldest first. @param {State} state */
  function due(state) {
    const missing = isOn(state) ? open(state).filter((question) => answers.get(keyOf(question))?.of !== momentOf(state, question)) : [];
    const order = [...answers.keys()];
    return missing.sort((a, b) => order.indexOf(keyOf(a)) - order.indexOf(keyOf(b)));
  }

  /** Open figures whose specification is not loaded. @param {State} state */
  const unknown = (state) => (isPanelSeen(state) ? choiceOf(state).gauges.map(({ figure }) => figure).filter((figure) => !state.figures[figure]) : []);

  /** Loads a specification, once an experiment. @param {State} state @param {string} id */
  async function specify(state, id) {
    for (const name of unknown(state)) {
      const figure = await api.figure(id, name, { filled: false });
      if (store.get().experiment?.id === id) store.dispatch({ type: "figure", name, figure });
    }
  }

  /** Loads a missing specification, and measures unless another figure has the same answer already. @param {State} state @param {Question|undefined} question */
  async function ask(state, question) {
    const id = /** @type {NonNullable<State["experiment"]>} */ (state.experiment).id;
    const at = environment.now();
    await specify(state, id);
    if (!question) return 0;
    const { run, step, isPast, name } = question;
    const [instrument, query] = name.split("?");
    const answer = await api.instrument(id, run.name, instrument, isPast ? step : undefined, query);
    answers.delete(keyOf(question));
    answers.set(keyOf(question), { of: state.playback.playing && !isPast ? "" : momentOf(state, question), at });
    if (store.get().experiment?.id === id) store.dispatch({ type: "instrument", run: run.name, name, answer });
    return answer.again_seconds ?? 0;
  }

  async function turn() {
    timer = null;
    const state = store.get();
    const missing = due(state);
    const question = missing.find((one) => waitOf(state, one) <= 0);
    if (!question && !(isOn(state) && unknown(state).length)) return plan(Math.min(IDLE, ...missing.map((one) => waitOf(state, one))));
    isAsking = true;
    const began = environment.now();
    const again = await ask(state, question).catch(() => null);
    isAsking = false;
    const plays = store.get().playback.playing;
    // a slow answer means a busy server: wait as long again
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
      answers = new Map();
    },
  };
}
