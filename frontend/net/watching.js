/**
 * What is watched, and how finely: the past comes in one frame of many buckets, from then on frames are small, however fast
 * the training.
 * Owns: the `watch` message. Must not know when it is sent.
 */

/** @typedef {{experiment: string, token: string|null, series: string[]|null}} Watched */

const PAST = 1_000;
const LIVE = 64;

/**
 * @param {() => import("./catching-up.js").Positions} positions  first step not yet held, by run
 * @param {number} fps
 */
export function createWatching(positions, fps) {
  /** @type {Watched|null} */
  let watched = null;
  let buckets = PAST;

  return {
    /** @param {Watched|null} what  null for nothing any more */
    set(what) {
      watched = what;
    },
    get what() { return watched; },
    /** @param {string} experiment */
    is: (experiment) => watched?.experiment === experiment,
    /** All that is not held yet is to come. */
    askForThePast: () => void (buckets = PAST),
    /** The past is here. Was it only now that it came? */
    goLive() {
      const past = buckets === PAST;
      buckets = LIVE;
      return past;
    },
    message() {
      const { experiment, token, series } = /** @type {Watched} */ (watched);
      const since = Object.fromEntries(Object.entries(positions()).filter(([, at]) => at.step > 0));
      return {
        type: "watch", experiment, fps, buckets, encoding: "bdata",
        ...(token ? { token } : {}), ...(series ? { series } : {}), ...(Object.keys(since).length ? { since } : {}),
      };
    },
  };
}
