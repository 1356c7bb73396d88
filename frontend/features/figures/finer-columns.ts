/**
 * Past steps in full resolution: the server replays them, and the page holds them while they are on
 * view.
 * Owns: requesting each range once, and dropping ranges out of view.
 */

import { Refused } from "../../core/net/api.ts";
import { lossesAndMeasure } from "../../core/recipes.ts";
import type { Clients } from "../../core/net/api.ts";
import type { ColumnStore } from "../../core/series.ts";

/** steps by run */
type Stretches = Record<string, { since: number; until: number }>;

const AGAIN = 3_000;

export function createFinerColumns({
  api,
  store,
  series,
  environment,
}: Clients & { series: ColumnStore }) {
  /** Ranges held or requested, by run. */
  const requests: Map<string, string> = new Map();

  async function ask(
    run: string,
    key: string,
    id: string,
    query: { since: number; until: number; series: string[] },
  ) {
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

  /** @param stretches all ranges on view */
  return function want(stretches: Stretches) {
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
      void ask(run, key, experiment.id, {
        since,
        until,
        series: lossesAndMeasure(experiment, view.measure),
      });
    }
  };
}
