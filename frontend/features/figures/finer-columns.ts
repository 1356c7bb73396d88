/**
 * Past steps in full resolution: a range on view, and what stays: the first steps of each run, and
 * the step at which a fork leaves its parent. The server replays a range, and the page holds it
 * while it is on view.
 * Owns: requesting each range once, and dropping ranges out of view.
 */

import { Refused } from "../../core/net/api.ts";
import { originOf } from "../../core/forks.ts";
import { isLong } from "../../core/long-runs.ts";
import { seriesFor } from "../../core/recipes.ts";
import type { Clients } from "../../core/net/api.ts";
import type { ColumnStore } from "../../core/series.ts";
import type { Columns, RunSeries } from "../../core/types.ts";

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
  /** Runs with an answer on the way, and the ranges to request after it: one at a time each. */
  const busy: Map<string, (() => void) | null> = new Map();

  /** Calls at once, or after the answer that is on the way; only the last call waits. */
  function inTurn(run: string, call: () => Promise<void>) {
    if (busy.has(run)) return void busy.set(run, () => inTurn(run, call));
    busy.set(run, null);
    void call().finally(() => {
      const next = busy.get(run);
      busy.delete(run);
      next?.();
    });
  }

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

  /**
   * What was requested to stay, by the columns in which it does. What the server has nothing finer
   * for is not requested again. Another measure replaces the columns, also when it is chosen again.
   */
  let lasting: WeakMap<RunSeries, Set<string>> = new WeakMap();
  let lastingMeasure = store.get().view.measure;
  /** Buckets of a beginning: more than the server has. */
  const MOST = 2_048;

  function wantLasting(
    run: string,
    what: (string | number)[],
    query: { since: number; until: number; series: string[]; buckets?: number },
    keep: (columns: Columns) => void,
  ) {
    const { experiment, runs, view } = store.get();
    const whole = series.of(run);
    if (!experiment || !whole) return;
    const keys = lasting.get(whole) ?? new Set();
    lasting.set(whole, keys);
    const key = [runs[run].generation, ...what].join(" ");
    if (keys.has(key)) return;
    keys.add(key);
    void api.history(experiment.id, run, query).then(
      (columns) => {
        const now = store.get();
        if (now.experiment?.id !== experiment.id || now.view.measure !== view.measure) return;
        keep(columns);
        store.dispatch({ type: "closer" });
      },
      (error) => {
        if (!(error instanceof Refused)) throw error;
        environment.setTimeout(() => keys.delete(key), AGAIN);
      },
    );
  }

  function wantBeginnings() {
    const state = store.get();
    const { experiment, order, runs, view } = state;
    if (!experiment || !isLong(state)) return;
    for (const name of order) {
      const coarse = series.coarseBeginning(name);
      const { step, status } = runs[name];
      // the newest buckets of a playing run still grow
      if (!coarse || (status === "playing" && coarse.until >= step - 1)) continue;
      const { until, buckets } = coarse;
      const query = { since: 0, until, series: seriesFor(experiment, view.measure), buckets: MOST };
      wantLasting(name, ["beginning", until, buckets], query, (columns) =>
        series.refine(name, columns),
      );
    }
  }

  function wantOrigins() {
    const state = store.get();
    const { experiment, order, view } = state;
    if (!experiment) return;
    for (const name of order) {
      const since = originOf(state, name);
      if (!since || !series.hidesStep(name, since)) continue;
      const query = { since, until: since, series: seriesFor(experiment, view.measure) };
      wantLasting(name, ["origin", since], query, (columns) => series.keepOrigin(name, columns));
    }
  }

  /** @param stretches all ranges on view */
  return function want(stretches: Stretches) {
    const { experiment, runs, view } = store.get();
    if (view.measure !== lastingMeasure) lasting = new WeakMap();
    lastingMeasure = view.measure;
    wantBeginnings();
    wantOrigins();
    for (const run of requests.keys()) {
      if (stretches[run]) continue;
      requests.delete(run);
      series.keepCloser(run, null);
    }
    if (!experiment) return;
    for (const [run, { since, until }] of Object.entries(stretches)) {
      const key = [experiment.id, runs[run].generation, since, until, view.measure].join(" ");
      if (requests.get(run) === key) continue;
      requests.set(run, key);
      const query = { since, until, series: seriesFor(experiment, view.measure) };
      inTurn(run, async () => {
        if (requests.get(run) === key) await ask(run, key, experiment.id, query);
      });
    }
  };
}
