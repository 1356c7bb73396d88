/**
 * Places of the numbered flags on a timeline: they leave its handle free, stay within its ends, and
 * do not touch each other.
 * Owns: that geometry. Pure.
 */

import { pushApart } from "../../charts/labels.ts";
import { shareOf } from "../../core/long-runs.ts";
import type { Track } from "../../core/long-runs.ts";
import type { Marker } from "../../core/markers.ts";

/** A flag shows no more shapes: more would reach into the next flag. */
export const MOST_SHAPES = 3;

/** Room that the numbers leave free, in px. */
export interface Free {
  handle: number | null; // the step under the handle
  beside: number; // from its middle
  ends: number; // from both ends; 0: none
}

/** px by which each flag stands beside its step; a flag without a number stands at its step. */
export function asidesOf(flags: Marker[][], track: Track, pixels: number, free: Free): number[] {
  const steps = flags.map(([{ step }]) => shareOf(track, step) * pixels);
  const asides = flags.map(() => 0);
  const numbered = flags.flatMap((marks, k) =>
    marks.some(({ kind }) => kind === "clause") ? [k] : [],
  );
  const push = (places: number[], from: number, to: number) => {
    const widths = places.map((k) => Math.min(MOST_SHAPES, flags[k].length));
    const wished = places.map((k) => steps[k]);
    pushApart(wished, from, to, widths).forEach((place, i) => {
      asides[places[i]] = place - wished[i];
    });
  };
  const [first, last] = free.ends ? [free.ends, pixels - free.ends] : [-Infinity, Infinity];
  const handle = free.handle === null ? Infinity : shareOf(track, free.handle) * pixels;
  // there is no room before the handle at the very beginning, and none behind it at the very end
  const hasRoomBefore = handle - free.beside >= free.ends;
  const hasRoomBehind = handle + free.beside <= pixels - free.ends;
  const isBefore = (k: number) => hasRoomBefore && (steps[k] <= handle || !hasRoomBehind);
  push(numbered.filter(isBefore), first, Math.min(last, handle - free.beside));
  push(
    numbered.filter((k) => !isBefore(k)),
    Math.max(first, handle + free.beside),
    last,
  );
  return asides;
}
