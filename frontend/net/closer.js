/**
 * Stretches of the past at full resolution: the server makes the steps again, and the page holds them while they are looked at.
 * Owns: asking for each once, and dropping what is not looked at any more. Must not know charts.
 */

import { Refused } from "./api.js";
import { lossesAndMeasure } from "../state/recipes.js";

/** @typedef {Record<string, {since: number, until: number}>} Stretches  by run, in steps */

const AGAIN = 3_000;

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./api.js").createApi>} given.api
 * @param {import("../state/types.js").Store} given.store
 * @param {ReturnType<typeof import("../state/series.js").createSeriesBook>} given.series
 * @param {import("../state/types.js").Environment} given.environment
 */
export function createCloser({ api, store, series, environment }) {
  /** What is held, or asked for, by run. @type {Map<string, string>} */
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
      // what is held goes on being shown; whoever still looks asks again after a while
      environment.setTimeout(() => known.get(run) === key && known.delete(run), AGAIN);
    }
  }

  /** @param {Stretches} stretches  all that is looked at */
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
