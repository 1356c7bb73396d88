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
 * The drawn value of a series at a place or the last one before it; undefined before the first.
 * A number between two of them would be one that nobody computed.
 * @param meta of the drawn line: series, statistic and axis
 */
export function valueAt(
  meta: Json,
  columns: Bound | undefined,
  trainSamples: number,
  place: number,
): number | undefined {
  return lastUpTo(pointsOf(meta, columns, trainSamples), place);
}

/** The height of a line's last point up to a place; undefined before its first point. */
export function lastUpTo({ x, y }: { x: ArrayLike<number>; y: ArrayLike<number> }, place: number) {
  let count = 0;
  while (count < x.length && x[count] <= place) count++;
  return count ? y[count - 1] : undefined;
}
