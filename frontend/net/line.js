/**
 * Connects session, socket, store and columns: performs the session's actions that concern the page.
 * Owns: the order of a frame: columns first, then state, then its credit.
 */

import { createSession } from "./session.js";
import { createSocket } from "./socket.js";
import { latestOf } from "../state/columns.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Environment} Environment */
/** @typedef {ReturnType<typeof import("../state/series.js").createSeriesStore>} SeriesStore */

/**
 * @param {object} options
 * @param {Environment} options.environment
 * @param {import("../state/types.js").Store} options.store
 * @param {SeriesStore} options.series
 */
export function createConnection({ environment, store, series }) {
  const session = createSession({ positions: series.positions, arrived: series.arrived, coarse: series.coarse, random: environment.random, fps: environment.fps });
  const socket = createSocket(environment, session, perform);

  /** @param {import("./session.js").Action} action */
  function perform(action) {
    if (action.do === "dispatch") store.dispatch(action.message);
    if (action.do === "forget") series.forget(action.run);
    if (action.do === "apply") return apply(action.frame);
  }

  /** @param {Json} frame */
  function apply({ runs }) {
    /** @type {Json} */
    const headers = {};
    let torn = null;
    for (const [name, { columns, ...header }] of Object.entries(runs)) {
      const result = columns ? series.take(name, columns) : "taken";
      if (result === "gap") torn = name;
      headers[name] = { ...header, latest: columns && result === "taken" ? latestOf(columns) : {} };
    }
    store.dispatch({ type: "frame", runs: headers });
    return torn === null ? { type: "applied" } : { type: "gap", run: torn };
  }

  const SIGNALS = /** @type {const} */ ({ online: "hurry", visible: "hurry", offline: "offline" });
  return {
    handle: socket.handle,
    stop: socket.stop,
    /** True once the server has left the experiment watched before. */
    hasArrived: () => session.hasArrived,
    /** @param {"online"|"offline"|"visible"} signal */
    hear: (signal) => socket.handle({ type: SIGNALS[signal] }),
  };
}
