/**
 * Which line carries the messages: a WebSocket, else server-sent events, else long polling.
 * Owns: when to step down, why, and when to try a better line. The caller passes the time. Pure.
 */

import type { LineKind as Kind, LineReason as Reason } from "../types.ts";

const KINDS: Kind[] = ["websocket", "events", "polling"];
const REFUSALS = 2;
const FIRST_TRY = 30_000;
const LAST_TRY = 300_000;

/** ms for a line to open. */
export const PATIENCE: Record<Kind, number> = { websocket: 3_000, events: 5_000, polling: 12_000 };

/** Frames a second: without a WebSocket each takes a request. */
export const MOST_FPS: Record<Kind, number> = { websocket: 30, events: 15, polling: 10 };

export function createLineChoice() {
  let kind: Kind = "websocket";
  let reason: Reason | null = null;
  /** Why there is no WebSocket. */
  let blocked: Reason | null = null;
  let refusals = 0;
  let areAllBlocked = false;
  /** Lines that opened and passed nothing on: not tried again in the same network. */
  const silent: Set<Kind> = new Set();
  let interval = FIRST_TRY;
  let tryAt = Infinity;

  function use(next: Kind, why: Reason | null) {
    kind = next;
    reason = why;
    if (why !== "held") blocked = why;
    refusals = 0;
  }

  /** The next worse line. */
  function stepDown(why: Reason) {
    const next = KINDS[KINDS.indexOf(kind) + 1];
    if (next) use(next, why);
    else startAgain();
  }

  /** The last line did not work either: the first one again. */
  function startAgain() {
    areAllBlocked = true;
    use("websocket", null);
  }

  return {
    get kind() {
      return kind;
    },
    get reason() {
      return reason;
    },
    /** True once no line has worked, until one does, or no server answers at all. */
    get areAllBlocked() {
      return areAllBlocked;
    },
    /** An attempt to open it failed. */
    refused() {
      if (kind === "websocket" && ++refusals >= REFUSALS) stepDown("refused");
      else if (kind !== "websocket") startAgain();
    },
    /** The server opened it, and its messages were refused or cut. */
    unreadable: () => stepDown("held"),
    /** It opened, and was cut before anything came. */
    cutUnused() {
      if (kind !== "websocket" || ++refusals < REFUSALS) return;
      silent.add(kind);
      stepDown("swallowed");
    },
    /** It did not open in time. */
    hung: () => stepDown(kind === "websocket" ? "swallowed" : "held"),
    /** It opened, and nothing came. @param wasUsed something came before */
    fellSilent(wasUsed: boolean) {
      if (kind === "websocket" && wasUsed) return;
      silent.add(kind);
      stepDown(kind === "websocket" ? "swallowed" : "held");
    },
    /** No server answers at all: that says nothing about lines. */
    unreachable() {
      areAllBlocked = false;
      use("websocket", null);
    },
    /** Messages come. */
    works(now: number) {
      refusals = 0;
      areAllBlocked = false;
      tryAt = kind === "websocket" ? Infinity : Math.min(tryAt, now + interval);
    },
    /** Better lines to try now, the best one first. */
    better(now: number): Kind[] {
      if (now < tryAt) return [];
      interval = Math.min(2 * interval, LAST_TRY);
      tryAt = now + interval;
      return KINDS.slice(0, KINDS.indexOf(kind)).filter((each) => !silent.has(each));
    },
    /** A better line is open. */
    improved(next: Kind) {
      use(next, next === "websocket" ? null : blocked);
      if (next === "websocket") tryAt = Infinity;
    },
    /** The network may be another one: tries better lines at the next chance. */
    networkChanged() {
      silent.clear();
      interval = FIRST_TRY;
      if (kind !== "websocket") tryAt = 0;
    },
  };
}
