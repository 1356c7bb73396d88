/**
 * Delay before the next connection attempt: full jitter, doubling from 0.2 s to 3 s, and to 10 s
 * after two minutes offline.
 * Owns: that rule and the number of attempts. The caller passes time and randomness.
 */

const FIRST = 200;
const CEILING = 3_000;
const PATIENT = 10_000;
const LONG = 120_000;

/**
 * @param attempt 0 for the first attempt after a cut
 * @param offFor ms since the connection was lost
 * @param chance 0..1
 */
export function backoff(attempt: number, offFor: number, chance: number) {
  const ceiling = offFor > LONG ? PATIENT : CEILING;
  return chance * Math.min(ceiling, FIRST * 2 ** Math.min(attempt, 10));
}

/**
 * The attempts since the last connection.
 * @param random 0..1
 */
export function createRetries(random: () => number) {
  let attempt = 0;
  let lostAt = 0;
  let retryAt = 0;
  return {
    /** The connection was lost or an attempt failed. */
    fail(now: number) {
      if (attempt === 0) lostAt = now;
      retryAt = now + backoff(attempt++, now - lostAt, random());
    },
    /** The connection is open. */
    succeed: () => void (attempt = 0),
    get hasFailed() {
      return attempt > 0;
    },
    /** True once an attempt to reconnect has failed, too. */
    get isUnreachable() {
      return attempt > 1;
    },
    /** ms until the next attempt. */
    dueIn: (now: number) => Math.max(0, retryAt - now),
  };
}
