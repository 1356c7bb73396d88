/**
 * One animation frame for all charts: draws at most one plot after each, none while the page is
 * hidden.
 * Owns: whose turn it is, the draw rate, and slowing down while draws take much of the time.
 */

/** The part of the time that draws may take; more halves their rate, so that lines still move. */
const BUSY = 0.2;
/** Less leaves time for twice the rate. */
const FREE = 0.1;
/** ms over which it is measured. */
const WINDOW = 1_000;
const SLOWEST = 8;
/** From here on drawing is slow. Half the rate is enough for people, and for most machines. */
const SLOW = 4;
const FRAME = 16;

interface Turn {
  draw: () => unknown; // true if more plots of the same moment follow
  every: () => number; // ms between two draws
  drawnAt: number;
  requested: boolean;
  unfinished: boolean;
  isFirst: boolean; // before others that may draw
  hasDrawn: boolean; // false before the first draw, whose time is not representative
}

export function createDrawScheduler({
  requestFrame,
  later,
  now,
  hidden,
  slowed = () => {},
}: {
  requestFrame: (run: () => void) => void;
  later: (run: () => void, ms: number) => void;
  now: () => number;
  hidden: () => boolean;
  slowed?: (isSlow: boolean) => void; // called when drawing gets slow, or is not slow any more
}) {
  const turns: Set<Turn> = new Set();
  let framed = false;
  let timed = false;
  let slowness = 1;
  /** ms of draws since a time */
  let [spent, since] = [0, now()];

  /** The first ones keep their rate: late by a beat, they would show another step than the page. */
  const dueAt = ({ drawnAt, every, isFirst }: Turn) => drawnAt + every() * (isFirst ? 1 : slowness);
  /** @param turn a chart; returns ms until it may draw */
  const dueIn = (turn: Turn) => (turn.unfinished ? 0 : dueAt(turn) - now());

  /** Requests a frame when a chart may draw in it; until then waits on a timer. */
  function plan() {
    if (framed || hidden()) return;
    const waiting = [...turns].filter(({ requested, unfinished }) => requested || unfinished);
    const soonest = Math.min(...waiting.map(dueIn));
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
   * A frame paints the last draw, and the next draw follows as a task of its own. Drawing in the
   * frame would join script and paint into one long task that delays keys.
   */
  function frame() {
    later(turn, 0);
  }

  /** The first ones, then the rest of a chart, else the chart that has waited longest. */
  function turn() {
    framed = false;
    if (hidden()) return;
    const all = [...turns];
    const ready = all
      .filter((one) => one.requested && dueIn(one) <= 1)
      .sort((a, b) => a.drawnAt - b.drawnAt);
    const due =
      ready.find(({ isFirst }) => isFirst) ?? all.find(({ unfinished }) => unfinished) ?? ready[0];
    if (due) draw(due);
    plan();
  }

  function draw(turn: Turn) {
    const start = now();
    if (!turn.unfinished) {
      turn.requested = false;
      // time lost to a late frame is given back, so that the average rate stays
      turn.drawnAt = Math.max(start - FRAME, Math.min(start, dueAt(turn)));
    }
    turn.unfinished = turn.draw() === true;
    if (turn.hasDrawn) weigh(now() - start);
    turn.hasDrawn ||= !turn.unfinished;
  }

  /** @param took ms */
  function weigh(took: number) {
    spent += took;
    const elapsed = now() - since;
    if (elapsed < WINDOW) return;
    const share = spent / elapsed;
    [spent, since] = [0, now()];
    if (share > BUSY) pace(Math.min(SLOWEST, slowness * 2));
    else if (share < FREE) pace(Math.max(1, slowness / 2));
  }

  function pace(next: number) {
    const before = slowness;
    slowness = next;
    if (before >= SLOW !== next >= SLOW) slowed(next >= SLOW);
  }

  return {
    /**
     * @param draw returns true if it has drawn a part; it is called again after the next frame
     * @param every ms
     * @param isFirst it draws before others, and keeps its rate when drawing is slow
     */
    join(draw: () => unknown, every: () => number, isFirst = false) {
      const turn: Turn = {
        draw,
        every,
        drawnAt: -Infinity,
        requested: false,
        unfinished: false,
        isFirst,
        hasDrawn: false,
      };
      turns.add(turn);
      return {
        /**
         * Requests a draw; several requests give one draw.
         * @param atOnce without waiting for its interval
         */
        request(atOnce = false) {
          turn.requested = true;
          if (atOnce) turn.drawnAt = -Infinity;
          plan();
        },
        leave: () => void turns.delete(turn),
      };
    },
    /** Called when the page is visible again. */
    wake: plan,
    get slowness() {
      return slowness;
    },
  };
}

export type DrawScheduler = ReturnType<typeof createDrawScheduler>;
