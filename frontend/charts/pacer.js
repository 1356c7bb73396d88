/**
 * One animation frame for all charts: at most one is drawn after each, none while the page is hidden.
 * Owns: whose turn it is, how often a chart may draw, and slowing down while drawing is slow. Must not know what is drawn.
 */

/** A draw longer than this is slow; three in a row halve the rate. */
const SLOW = 40;
const IN_A_ROW = 3;
/** One shorter than this would be quick enough at twice the rate too; so many in a row double it: a machine is not busy for ever. */
const QUICK = 20;
const AGAIN = 40;
const SLOWEST = 8;
const FRAME = 16;

/**
 * @typedef {object} Turn
 * @property {() => void} draw
 * @property {number} every      ms between two draws
 * @property {number} drawnAt
 * @property {boolean} wanted
 * @property {boolean} begun     the first draw, which builds everything, tells nothing about the next
 */

/**
 * @param {object} given
 * @param {(run: () => void) => void} given.requestFrame
 * @param {(run: () => void, ms: number) => void} given.later
 * @param {() => number} given.now
 * @param {() => boolean} given.hidden
 * @param {(isSlow: boolean) => void} [given.slowed]  charts are drawn less often from here on, or as often as they might be again
 */
export function createPacer({ requestFrame, later, now, hidden, slowed = () => {} }) {
  /** @type {Set<Turn>} */
  const turns = new Set();
  let framed = false;
  let timed = false;
  let slowInARow = 0;
  let quickInARow = 0;
  let slowness = 1;

  /** @param {Turn} turn  ms until it may draw */
  const dueIn = (turn) => turn.drawnAt + turn.every * slowness - now();

  /** A frame is asked for when somebody may draw in it; until then a timer waits, not a loop of frames. */
  function plan() {
    if (framed || hidden()) return;
    const soonest = Math.min(...[...turns].filter(({ wanted }) => wanted).map(dueIn));
    if (soonest <= FRAME) {
      framed = true;
      requestFrame(frame);
    } else if (!timed && soonest < Infinity) {
      timed = true;
      later(again, soonest - FRAME / 2);
    }
  }

  function again() {
    timed = false;
    plan();
  }

  /**
   * A frame paints what was drawn before, and the drawing comes after it as a task of its own: in the frame itself, script
   * and paint would be one task of twice the length, in which nobody who presses a key is heard.
   */
  function frame() {
    later(turn, 0);
  }

  /** The one that has waited longest. */
  function turn() {
    framed = false;
    if (hidden()) return;
    const due = [...turns].filter((one) => one.wanted && dueIn(one) <= 1).sort((a, b) => a.drawnAt - b.drawnAt)[0];
    if (due) draw(due);
    plan();
  }

  /** @param {Turn} turn */
  function draw(turn) {
    turn.wanted = false;
    const begun = now();
    // what a frame came too late is given back, so that the rate is what it should be
    turn.drawnAt = Math.max(begun - FRAME, Math.min(begun, turn.drawnAt + turn.every * slowness));
    turn.draw();
    if (turn.begun) weigh(now() - begun);
    turn.begun = true;
  }

  /** @param {number} took  ms */
  function weigh(took) {
    slowInARow = took > SLOW ? slowInARow + 1 : 0;
    quickInARow = took < QUICK ? quickInARow + 1 : 0;
    if (slowInARow === IN_A_ROW) pace(Math.min(SLOWEST, slowness * 2));
    else if (quickInARow === AGAIN) pace(Math.max(1, slowness / 2));
  }

  /** @param {number} next */
  function pace(next) {
    const before = slowness;
    [slowness, slowInARow, quickInARow] = [next, 0, 0];
    if ((before > 1) !== (next > 1)) slowed(next > 1);
  }

  return {
    /**
     * @param {() => void} draw
     * @param {number} every  ms
     */
    join(draw, every) {
      /** @type {Turn} */
      const turn = { draw, every, drawnAt: -Infinity, wanted: false, begun: false };
      turns.add(turn);
      return {
        /** Wants to be drawn; however often it is said, one draw follows. @param {boolean} [atOnce] without waiting for its turn in time */
        request(atOnce = false) {
          turn.wanted = true;
          if (atOnce) turn.drawnAt = -Infinity;
          plan();
        },
        leave: () => void turns.delete(turn),
      };
    },
    /** The page is seen again. */
    wake: plan,
    get slowness() { return slowness; },
  };
}

/** @typedef {ReturnType<typeof createPacer>} Pacer */
