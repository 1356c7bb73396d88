/**
 * A window may end before the steps on view. The numbers beside the charts are then from its end,
 * as the lines are.
 * Owns: which place that is, and the value of a series there. Pure.
 */

import { pointsOf } from "./bind.ts";
import { placeNow } from "./horizontal.ts";
import { placeThen } from "./past-marks.ts";
import type { Bound } from "./bind.ts";
import type { Horizontal } from "./horizontal.ts";
import type { Scene } from "./scene.ts";
import type { Json, Run } from "../core/types.ts";

/** The end of the window in data units; Infinity if all is shown. */
export const windowEnd = ({ zoom }: Scene, { log }: Horizontal) =>
  zoom.x ? (log ? 10 ** zoom.x[1] : zoom.x[1]) : Infinity;

/** The window's end where a run's line goes on beyond it, else null. */
export function leavesAt(run: Run, scene: Scene, axis: Horizontal): number | null {
  const end = windowEnd(scene, axis);
  const place = placeThen(run, scene) ?? placeNow(run, scene.series.of(run.name), axis.axis);
  return place > end ? end : null;
}

/**
 * The value of a series at a place, between two buckets that are drawn; undefined before the first.
 * If one of them is exactly 0 there is nothing between: the result is the earlier one.
 * @param meta of the drawn line: series, statistic and axis
 */
export function valueAt(
  meta: Json,
  columns: Bound | undefined,
  trainSamples: number,
  place: number,
): number | undefined {
  const { x, y } = pointsOf(meta, columns, trainSamples);
  const next = x.findIndex((here) => here >= place);
  if (next === 0) return x[0] === place ? y[0] : undefined;
  if (next < 0 || x[next] === place) return y.at(next);
  const [from, to] = [y[next - 1], y[next]];
  const share = (place - x[next - 1]) / (x[next] - x[next - 1]);
  return from > 0 && to > 0 ? from ** (1 - share) * to ** share : from;
}
