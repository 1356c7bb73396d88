/**
 * What is watched, and how finely: the past comes in one frame of many buckets, from then on frames are small, however fast
 * the training. What a fast run has left coarse is asked for once more, and takes the place of what is held from there on.
 * Owns: the `watch` message. Must not know when it is sent.
 */

/** @typedef {import("./catching-up.js").Positions} Positions */
/** @typedef {{experiment: string, token: string|null, series: string[]|null}} Watched */

const PAST = 1_000;
const LIVE = 64;

/**
 * @param {() => Positions} positions  first step not yet held, by run
 * @param {() => Positions} coarse     from where on a run is held much coarser than the server holds it
 * @param {number} fps
 */
export function createWatching(positions, coarse, fps) {
  /** @type {Watched|null} */
  let watched = null;
  let buckets = PAST;
  /** Frames that were on their way before the answer are not the past that was asked for. */
  let isAnswered = false;
  /** What is asked for anew; each stretch once, lest a server that has nothing finer be asked for ever. @type {Positions} */
  let again = {};
  /** @type {Map<string, string>} */
  const refined = new Map();

  /** @param {[string, Positions[string]]} stretch */
  const isNew = ([run, { generation, step }]) => refined.get(run) !== `${generation} ${step}`;

  return {
    /** @param {Watched|null} what  null for nothing any more */
    set(what) {
      if (what?.experiment !== watched?.experiment) refined.clear();
      watched = what;
    },
    get what() { return watched; },
    /** @param {string} experiment */
    is: (experiment) => watched?.experiment === experiment,
    /** All that is not held yet is to come. */
    askForThePast: () => void (buckets = PAST),
    /** Is there a stretch to be asked for more finely? Then the next message does. */
    askForMore() {
      const stretches = buckets === LIVE ? Object.entries(coarse()).filter(isNew) : [];
      for (const [run, { generation, step }] of stretches) refined.set(run, `${generation} ${step}`);
      again = Object.fromEntries(stretches);
      if (stretches.length) buckets = PAST;
      return stretches.length > 0;
    },
    answered: () => void (isAnswered = true),
    /** The past is here. Was it only now that it came? */
    goLive() {
      const past = buckets === PAST && isAnswered;
      if (past) buckets = LIVE;
      return past;
    },
    message() {
      const { experiment, token, series } = /** @type {Watched} */ (watched);
      const since = Object.fromEntries(Object.entries({ ...positions(), ...again }).filter(([, at]) => at.step > 0));
      again = {};
      isAnswered = false;
      return {
        type: "watch", experiment, fps, buckets, encoding: "bdata",
        ...(token ? { token } : {}), ...(series ? { series } : {}), ...(Object.keys(since).length ? { since } : {}),
      };
    },
  };
}
