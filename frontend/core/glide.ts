/**
 * A number that follows another at the screen's rate: it reaches each target when the next one is
 * expected, and is never ahead of it.
 * Owns: where it is at a time. Pure.
 */

/** ms; targets farther apart than this are reached early. */
const LONGEST = 120;
/** Part of a target by which rounding may change it. */
const ROUNDING = 1e-9;

export function createGlide() {
  let [from, to] = [0, 0];
  let [since, takes] = [-Infinity, 0];

  const at = (now: number) =>
    to - (to - from) * (takes ? Math.max(0, 1 - (now - since) / takes) : 0);

  return {
    /**
     * Sets the target at this time, in ms. It jumps there at first, backwards, and if it `jumps`.
     */
    toward(target: number, now: number, jumps = false) {
      const isSame = Math.abs(target - to) <= ROUNDING * Math.abs(to);
      if (since === -Infinity || jumps || (target < to && !isSame)) {
        [from, to, since, takes] = [target, target, now, 0];
      } else if (!isSame) {
        [from, to, since, takes] = [at(now), target, now, Math.min(now - since, LONGEST)];
      }
    },
    at,
    isThere: (now: number) => at(now) === to,
  };
}
export type Glide = ReturnType<typeof createGlide>;
