/**
 * A number that follows another at the screen's rate: it reaches each target when the next one is
 * expected, and is never ahead of it.
 * Owns: where it is at a time. Pure.
 */

/** ms; targets farther apart than this are reached early. */
const LONGEST = 120;
/** Part of a target by which rounding may change it. */
const ROUNDING = 1e-9;

/** @param leap up to this difference it jumps: there is nothing between */
export function createGlide(leap = 0) {
  let [from, to] = [0, 0];
  let [since, takes] = [-Infinity, 0];

  const at = (now: number) =>
    to - (to - from) * (takes ? Math.max(0, 1 - (now - since) / takes) : 0);

  return {
    /**
     * Sets the target at this time, in ms. It jumps there at first, backwards, over a leap, and if it `jumps`.
     */
    toward(target: number, now: number, jumps = false) {
      if (!Number.isFinite(target)) return;
      const isFirst = since === -Infinity;
      const rise = target - to;
      if (!isFirst && !jumps && Math.abs(rise) <= ROUNDING * Math.abs(to)) return;
      [from, to, since, takes] =
        isFirst || jumps || rise <= leap
          ? [target, target, now, 0]
          : [at(now), target, now, Math.min(now - since, LONGEST)];
    },
    at,
    isThere: (now: number) => at(now) === to,
  };
}
export type Glide = ReturnType<typeof createGlide>;
