/**
 * How much a label on a plot would cover: curves and other labels.
 * Owns: that count. Pure.
 */

import { pxAcross, pxDown } from "./labels.ts";
import { firstFrom } from "../core/numbers.ts";
import type { Json } from "../core/types.ts";
import type { Frame } from "./labels.ts";

/** px */
export type Box = { left: number; right: number; top: number; bottom: number };
/** px, from left to right */
export type Curve = { x: number[]; y: number[] };

/** Places of a box at which curves are tested. */
export const TESTED_PLACES = 24;

/** Lines as px; filled traces do not count. */
export const curvesOf = (traces: Json[], frame: Frame): Curve[] =>
  traces
    .filter(({ meta, x }) => meta.role !== "band" && x.length > 1)
    .map(({ x, y }) => ({
      x: x.map((place: number) => pxAcross(frame, place)),
      y: y.map((value: number) => pxDown(frame, value)),
    }));

export const touch = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

export const covered = (curves: Curve[], box: Box) =>
  curves.reduce((sum, curve) => sum + crossings(curve, box), 0);

/** At how many tested places a curve is in the box or jumps across it. */
function crossings({ x, y }: Curve, { left, right, top, bottom }: Box) {
  let count = 0;
  let next = Math.max(1, firstFrom(x, left));
  let before = null;
  for (let look = 0; look <= TESTED_PLACES; look++) {
    const place = left + ((right - left) * look) / TESTED_PLACES;
    while (next < x.length && x[next] < place) next++;
    if (next >= x.length) break;
    if (place < x[next - 1]) continue;
    const here =
      y[next - 1] +
      ((y[next] - y[next - 1]) * (place - x[next - 1])) / (x[next] - x[next - 1] || 1);
    const side = here < top ? -1 : here > bottom ? 1 : 0;
    if (side === 0 || (before !== null && before === -side)) count++;
    before = side;
  }
  return count;
}
