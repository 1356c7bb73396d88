/**
 * The `watch` message. The past comes in one frame of many buckets, then small frames, however fast the
 * training. They get smaller once a frame is a small part of the run. Buckets that became coarse during
 * fast training are requested again and replace those held.
 * Owns: the message and its resolution.
 */

import { MOST_FPS } from "./line-choice.ts";
import type { LineKind } from "../types.ts";
import type { Positions, RunPosition } from "./catch-up.ts";

export type Watched = { experiment: string; token: string | null; series: string[] | null };

/** the columns that the page holds, by run */
export type Held = {
  positions: () => Positions; // first missing step
  // shortly before it, from where the server can go on; 0 if a run lacks one of these series
  joints: (series: string[] | null) => Positions;
  // the same; for a run sent again, the first step not yet sent again
  arrived: (series: string[] | null) => Positions;
  coarse: () => Positions; // from where buckets are much coarser than the server's
  isFinerThanDrawn: (times: number) => boolean; // live buckets may be so many times wider
};

const PAST = 1_000;
/** Buckets of ranges requested again, for a whole run: the server holds at least 512. */
const AGAIN = 512;
const LIVE = 64;
/** Buckets of a frame that is a small part of the run. With `LIVE`, full speed brings 530 kB a second. */
const FEW = 16;
/** Frames a second for a page that draws slowly: lines and counter glide between them. */
const SLOW_FPS = 10;

export function createWatching(
  { positions, joints, arrived, coarse, isFinerThanDrawn }: Held,
  fps: number,
) {
  let watched: Watched | null = null;
  let most = fps;
  let buckets = PAST;
  /** Frames are small. */
  let isLive = false;
  /** Buckets of a small frame. */
  let small = LIVE;
  /**
   * The runs as the answer reported them: the past takes as many frames as it needs. Null until
   * there is an answer, because earlier frames belong to another request.
   */
  let past: RunPosition[] | null = null;
  /** Ranges requested again; each only once, since the server may have nothing finer. */
  let again: Positions = {};
  const refined: Map<string, string> = new Map();

  const isNew = ([run, { generation, step }]: [string, Positions[string]]) =>
    refined.get(run) !== `${generation} ${step}`;

  function goPast(many: number) {
    buckets = many;
    isLive = false;
  }

  function goSmall() {
    buckets = small;
    isLive = true;
  }

  /** The part of a run that lies behind this step. */
  const partBehind = ([run, { step }]: [string, Positions[string]]) =>
    1 - step / Math.max(1, step, positions()[run]?.step ?? 0);

  const isHere = ({ name, generation, step }: RunPosition) => {
    const position = arrived(watched?.series ?? null)[name];
    return (
      step === 0 ||
      (position &&
        (position.generation > generation ||
          (position.generation === generation && position.step >= step)))
    );
  };

  return {
    /** @param what null for nothing any more */
    set(what: Watched | null) {
      if (what?.experiment !== watched?.experiment) refined.clear();
      watched = what;
    },
    get what() {
      return watched;
    },
    is: (experiment: string) => watched?.experiment === experiment,
    /** Requests fewer frames, or as many as at first; true if that is a change. */
    slowDown(isSlow: boolean) {
      const before = most;
      most = isSlow ? Math.min(fps, SLOW_FPS) : fps;
      return most !== before;
    },
    /** Requests all that is missing. */
    requestPast() {
      goPast(PAST);
      small = LIVE;
      refined.clear();
    },
    /** True if a range should be finer; the next message requests it. */
    requestFiner() {
      const stretches = isLive ? Object.entries(coarse()).filter(isNew) : [];
      for (const [run, { generation, step }] of stretches)
        refined.set(run, `${generation} ${step}`);
      again = Object.fromEntries(stretches);
      if (stretches.length)
        goPast(Math.max(LIVE, Math.ceil(AGAIN * Math.max(...stretches.map(partBehind)))));
      return stretches.length > 0;
    },
    /** True if frames may be smaller from now on; the next message says so. */
    requestFewer() {
      if (!isLive || small === FEW || !isFinerThanDrawn(small / FEW)) return false;
      small = FEW;
      goSmall();
      return true;
    },
    /** @param runs as the server reports them now */
    answered: (runs: RunPosition[]) => void (past = runs),
    /** Nothing more comes of a removed run. */
    removed: (run: string) => void (past = past && past.filter(({ name }) => name !== run)),
    /** Adds a frame; true if the past is now complete. */
    goLive() {
      const isLast = !isLive && past !== null && past.every(isHere);
      if (isLast) goSmall();
      return isLast;
    },
    /** @param kind of the line */
    message(kind: LineKind) {
      const { experiment, token, series } = watched as Watched;
      const since = Object.fromEntries(
        Object.entries({ ...joints(series), ...again }).filter(([, at]) => at.step > 0),
      );
      again = {};
      past = null;
      return {
        type: "watch",
        experiment,
        fps: Math.min(most, MOST_FPS[kind]),
        buckets,
        encoding: kind === "websocket" ? "brief" : series ? "packed" : "bdata",
        ...(series ? { series } : {}),
        ...(token ? { token } : {}),
        ...(Object.keys(since).length ? { since } : {}),
      };
    },
  };
}
