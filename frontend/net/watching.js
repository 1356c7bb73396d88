/**
 * The `watch` message: first the past in one frame of many buckets, then small frames, however fast the training.
 * Buckets that became coarse during fast training are requested again and replace those held.
 * Owns: the message and its resolution.
 */

/** @typedef {import("./catching-up.js").Positions} Positions */
/** @typedef {import("./catching-up.js").RunPosition} RunPosition */
/** @typedef {{experiment: string, token: string|null, series: string[]|null}} Watched */

const PAST = 1_000;
const LIVE = 64;

/**
 * @param {object} options
 * @param {() => Positions} options.positions  first missing step, by run
 * @param {() => Positions} options.arrived  the same; for a run sent again, the first step not yet sent again
 * @param {() => Positions} options.coarse  by run, from where the page's buckets are much coarser than the server's
 * @param {number} options.fps
 */
export function createWatching({ positions, arrived, coarse, fps }) {
  /** @type {Watched|null} */
  let watched = null;
  let buckets = PAST;
  /**
   * The runs as the answer reported them: the past takes as many frames as it needs. Null until there is an answer,
   * because earlier frames belong to another request.
   * @type {RunPosition[]|null}
   */
  let past = null;
  /** Ranges requested again; each only once, since the server may have nothing finer. @type {Positions} */
  let again = {};
  /** @type {Map<string, string>} */
  const refined = new Map();

  /** @param {[string, Positions[string]]} stretch */
  const isNew = ([run, { generation, step }]) => refined.get(run) !== `${generation} ${step}`;

  /** @param {RunPosition} run */
  const isHere = ({ name, generation, step }) => {
    const position = arrived()[name];
    return step === 0 || (position && (position.generation > generation || (position.generation === generation && position.step >= step)));
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
    /** Requests all that is missing. */
    requestPast() {
      buckets = PAST;
      refined.clear();
    },
    /** True if a range should be finer; the next message requests it. */
    requestFiner() {
      const stretches = buckets === LIVE ? Object.entries(coarse()).filter(isNew) : [];
      for (const [run, { generation, step }] of stretches) refined.set(run, `${generation} ${step}`);
      again = Object.fromEntries(stretches);
      if (stretches.length) buckets = PAST;
      return stretches.length > 0;
    },
    /** @param {RunPosition[]} runs  as the server reports them now */
    answered: (runs) => void (past = runs),
    /** Nothing more comes of a removed run. @param {string} run */
    removed: (run) => void (past = past && past.filter(({ name }) => name !== run)),
    /** Adds a frame; true if the past is now complete. */
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
