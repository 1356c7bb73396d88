/**
 * Past steps in full resolution: the server replays them, and the page holds them while they are on view.
 * Owns: requesting each range once, and dropping ranges out of view.
 */

import { Refused } from "./api.js";
import { lossesAndMeasure } from "../state/recipes.js";

/** @typedef {Record<string, {since: number, until: number}>} Stretches  steps by run */

const AGAIN = 3_000;

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./api.js").createApi>} given.api
 * @param {import("../state/types.js").Store} given.store
 * @param {ReturnType<typeof import("../state/series.js").createSeriesBook>} given.series
 * @param {import("../state/types.js").Environment} given.environment
 */
export function createCloser({ api, store, series, environment }) {
  /** Ranges held or requested, by run. @type {Map<string, string>} */
  const known = new Map();

  /** @param {string} run @param {string} key @param {string} id @param {{since: number, until: number, series: string[]}} query */
  async function ask(run, key, id, query) {
    try {
      const columns = await api.history(id, run, query);
      if (known.get(run) !== key) return;
      series.keepCloser(run, columns);
      store.dispatch({ type: "closer" });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // the coarse buckets stay on view, and a later request retries
      environment.setTimeout(() => known.get(run) === key && known.delete(run), AGAIN);
    }
  }

  /** @param {Stretches} stretches  all ranges on view */
  return function want(stretches) {
    for (const run of known.keys()) {
      if (stretches[run]) continue;
      known.delete(run);
      series.keepCloser(run, null);
    }
    const { experiment, runs, view } = store.get();
    if (!experiment) return;
    for (const [run, { since, until }] of Object.entries(stretches)) {
      const key = [experiment.id, runs[run].generation, since, until, view.measure].join(" ");
      if (known.get(run) === key) continue;
      known.set(run, key);
      void ask(run, key, experiment.id, { since, until, series: lossesAndMeasure(experiment, view.measure) });
    }
  };
}
