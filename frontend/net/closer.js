/**
 * Past steps in full resolution: the server replays them, and the page holds them while they are on view.
 * Owns: requesting each range once, and dropping ranges out of view.
 */

import { Refused } from "./api.js";
import { lossesAndMeasure } from "../state/recipes.js";

/** @typedef {Record<string, {since: number, until: number}>} Stretches  steps by run */

const AGAIN = 3_000;

/**
 * @param {object} options
 * @param {ReturnType<typeof import("./api.js").createApi>} options.api
 * @param {import("../state/types.js").Store} options.store
 * @param {ReturnType<typeof import("../state/series.js").createSeriesStore>} options.series
 * @param {import("../state/types.js").Environment} options.environment
 */
export function createFinerColumns({ api, store, series, environment }) {
  /** Ranges held or requested, by run. @type {Map<string, string>} */
  const requests = new Map();

  /** @param {string} run @param {string} key @param {string} id @param {{since: number, until: number, series: string[]}} query */
  async function ask(run, key, id, query) {
    try {
      const columns = await api.history(id, run, query);
      if (requests.get(run) !== key) return;
      series.keepCloser(run, columns);
      store.dispatch({ type: "closer" });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // the coarse buckets stay on view, and a later request retries
      environment.setTimeout(() => requests.get(run) === key && requests.delete(run), AGAIN);
    }
  }

  /** @param {Stretches} stretches  all ranges on view */
  return function want(stretches) {
    for (const run of requests.keys()) {
      if (stretches[run]) continue;
      requests.delete(run);
      series.keepCloser(run, null);
    }
    const { experiment, runs, view } = store.get();
    if (!experiment) return;
    for (const [run, { since, until }] of Object.entries(stretches)) {
      const key = [experiment.id, runs[run].generation, since, until, view.measure].join(" ");
      if (requests.get(run) === key) continue;
      requests.set(run, key);
      void ask(run, key, experiment.id, { since, until, series: lossesAndMeasure(experiment, view.measure) });
    }
  };
}
