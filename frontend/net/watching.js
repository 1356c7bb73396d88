/**
 * What is watched, and how finely: the past comes in one frame of many buckets, from then on frames are small, however fast
 * the training. What a fast run has left coarse is asked for once more, and takes the place of what is held from there on.
 * Owns: the `watch` message. Must not know when it is sent.
 */

/** @typedef {import("./catching-up.js").Positions} Positions */
/** @typedef {import("./catching-up.js").Told} Told */
/** @typedef {{experiment: string, token: string|null, series: string[]|null}} Watched */

const PAST = 1_000;
const LIVE = 64;

/**
 * @param {object} given
 * @param {() => Positions} given.positions  first step not yet held, by run
 * @param {() => Positions} given.arrived    the same, but of what comes once more the first step that has not come again
 * @param {() => Positions} given.coarse     from where on a run is held much coarser than the server holds it
 * @param {number} given.fps
 */
export function createWatching({ positions, arrived, coarse, fps }) {
  /** @type {Watched|null} */
  let watched = null;
  let buckets = PAST;
  /**
   * How far the past reaches, as the answer told it: it comes in as many frames as it needs. Null until there is an answer,
   * for frames that were on their way before are not what was asked for.
   * @type {Told[]|null}
   */
  let past = null;
  /** What is asked for anew; each stretch once, lest a server that has nothing finer be asked for ever. @type {Positions} */
  let again = {};
  /** @type {Map<string, string>} */
  const refined = new Map();

  /** @param {[string, Positions[string]]} stretch */
  const isNew = ([run, { generation, step }]) => refined.get(run) !== `${generation} ${step}`;

  /** @param {Told} run */
  const isHere = ({ name, generation, step }) => {
    const held = arrived()[name];
    return step === 0 || (held && (held.generation > generation || (held.generation === generation && held.step >= step)));
  };

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
    askForThePast() {
      buckets = PAST;
      refined.clear();
    },
    /** Is there a stretch to be asked for more finely? Then the next message does. */
    askForMore() {
      const stretches = buckets === LIVE ? Object.entries(coarse()).filter(isNew) : [];
      for (const [run, { generation, step }] of stretches) refined.set(run, `${generation} ${step}`);
      again = Object.fromEntries(stretches);
      if (stretches.length) buckets = PAST;
      return stretches.length > 0;
    },
    /** @param {Told[]} runs  as the server has them now */
    answered: (runs) => void (past = runs),
    /** Nothing more comes of it. @param {string} run */
    removed: (run) => void (past = past && past.filter(({ name }) => name !== run)),
    /** A frame was taken in. Is all of the past here with it? */
    goLive() {
      const isLast = buckets === PAST && past !== null && past.every(isHere);
      if (isLast) buckets = LIVE;
      return isLast;
    },
    message() {
      const { experiment, token, series } = /** @type {Watched} */ (watched);
      const since = Object.fromEntries(Object.entries({ ...positions(), ...again }).filter(([, at]) => at.step > 0));
      again = {};
      past = null;
      return {
        type: "watch", experiment, fps, buckets, encoding: "bdata",
        ...(token ? { token } : {}), ...(series ? { series } : {}), ...(Object.keys(since).length ? { since } : {}),
      };
    },
  };
}
