/**
 * How long to wait before the next try: full jitter, doubling from 0.2 s to 3 s, to 10 s after two minutes without a line.
 * Owns: that rule. Pure: the chance and the clock are told to it.
 */

const FIRST = 200;
const CEILING = 3_000;
const PATIENT = 10_000;
const LONG = 120_000;

/**
 * @param {number} attempt    0 for the first try after a cut
 * @param {number} offFor     ms since the line was lost
 * @param {number} chance     0..1
 */
export function backoff(attempt, offFor, chance) {
  const ceiling = offFor > LONG ? PATIENT : CEILING;
  return chance * Math.min(ceiling, FIRST * 2 ** Math.min(attempt, 10));
}
