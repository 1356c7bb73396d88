/**
 * How long to wait before the next try: full jitter, doubling from 0.2 s to 3 s, to 10 s after two minutes without a line.
 * Owns: that rule, and how many tries there were. The chance and the clock are told to it.
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

/** The tries since the line was there last. @param {() => number} random  0..1 */
export function createRetries(random) {
  let attempt = 0;
  let lostAt = 0;
  let retryAt = 0;
  return {
    /** The line is gone, or did not come. @param {number} now */
    fail(now) {
      if (attempt === 0) lostAt = now;
      retryAt = now + backoff(attempt++, now - lostAt, random());
    },
    /** The line is there. */
    succeed: () => void (attempt = 0),
    get hasFailed() { return attempt > 0; },
    /** Not the line alone, but a try to have it back. */
    get isUnreachable() { return attempt > 1; },
    /** ms until the next try. @param {number} now */
    dueIn: (now) => Math.max(0, retryAt - now),
  };
}
