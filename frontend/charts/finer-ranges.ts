/**
 * Steps that a zoom needs in finer buckets than the page holds, by run.
 * Owns: that choice. Pure. features/figures/finer-columns.ts requests them.
 */

import { stepsWithin } from "./horizontal.ts";
import { axisOf } from "./scene.ts";
import { firstFrom } from "../core/numbers.ts";
import { shownRuns } from "../core/state-on-view.ts";
import type { RunSeries } from "../core/types.ts";
import type { Scene } from "./scene.ts";

/** steps, both ends included */
type Stretch = { since: number; until: number };

/** Buckets to request: about as many as are drawn. */
export const BUCKETS = 1_000;

/** Extra share on each side: inside a bucket only steps have an exact place. */
const MORE = 0.05;

export function rangesToRefine(scene: Scene): Record<string, Stretch> {
  const { state, series, zoom } = scene;
  if (!zoom.x) return {};
  const axis = axisOf(scene);
  const samples = state.experiment?.trainSamples ?? 1;
  const stretches: Record<string, Stretch> = {};
  for (const run of shownRuns(state)) {
    const columns = series.of(run.name);
    if (!columns?.length) continue;
    const end = columns.last[columns.length - 1];
    const [from, to] = stepsWithin(columns, axis, samples, zoom.x);
    const more = Math.ceil(MORE * (to - from)) + 1;
    const [since, until] = [
      Math.max(0, Math.floor(from) - more),
      Math.min(end, Math.ceil(to) + more),
    ];
    // steps of a playing run arrive on their own; requesting them would never end
    if (since > until || (until === end && run.status === "playing")) continue;
    const width = finest(since, until);
    // a log axis is drawn from buckets that are narrow where it begins
    const most = axis.log ? widthAt(columns, since) : widest(columns, since, until);
    if (width < most) stretches[run.name] = { since, until };
  }
  return stretches;
}

function widthAt({ first, last }: RunSeries, step: number) {
  const bucket = firstFrom(last, step);
  return last[bucket] - first[bucket] + 1;
}

function widest({ first, last, length }: RunSeries, since: number, until: number) {
  let width = 0;
  for (let i = 0; i < length; i++)
    if (last[i] >= since && first[i] <= until) width = Math.max(width, last[i] - first[i] + 1);
  return width;
}

/** The bucket width that the server would answer with. */
function finest(since: number, until: number) {
  let width = 1;
  while (Math.ceil((until + 1) / width) - Math.floor(since / width) > BUCKETS) width *= 2;
  return width;
}
