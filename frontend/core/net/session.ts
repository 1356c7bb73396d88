/**
 * One tab's conversation with the server as a state machine: events in, actions out.
 * Owns: connecting, resuming and leaving, credit, and the connection's status. Time and randomness
 * are arguments.
 *
 * Actions:
 * - {do: "connect", by}: open a line of this kind
 * - {do: "try", kinds}: open a better line beside the present one
 * - {do: "probe"}: connect once the server answers
 * - {do: "close"}
 * - {do: "send", message}
 * - {do: "dispatch", message}: dispatch to the store
 * - {do: "apply", frame}: add columns, then dispatch
 * - {do: "forget", run}: drop a run's columns
 */

import { createRetries } from "./backoff.ts";
import { createCatchingUp } from "./catch-up.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { NOBODY, UNREADABLE } from "./line.ts";
import { createLineChoice, PATIENCE } from "./line-choice.ts";
import { createUnanswered } from "./unanswered.ts";
import { createWatching } from "./watch-message.ts";
import * as texts from "../../words/english.ts";
import type { Environment, Json } from "../types.ts";
import type { Held, Watched } from "./watch-message.ts";

export type Action = { do: string } & Json;

const HURRY = 250;

/**
 * ms after which a hidden tab closes a line without WebSocket. All tabs of a browser share six open
 * requests to a server.
 */
const HIDDEN = 5_000;
/** ms until it reads again, less than the 600 s after which the server pauses what nobody reads. */
const RESTING = 240_000;

/**
 * Close codes after which reconnecting is useless; after others (1012, 4001, 4008, 1009, a cut) the
 * session retries.
 */
const FINAL = [4400, 4401, 4404];

export function createSession(columns: Held, { random, fps }: Pick<Environment, "random" | "fps">) {
  const { positions } = columns;
  let phase: "idle" | "connecting" | "open" | "resting" | "waiting" | "final" = "idle";
  let greeted = false;
  let now = 0;
  const retries = createRetries(random);
  const heart = createHeartbeat();
  const catchingUp = createCatchingUp(positions);
  const commands = createUnanswered();
  const watching = createWatching(columns, fps);
  const choice = createLineChoice();
  /** The kind of line that the page shows. */
  let shownKind = choice.kind;
  /** True to check the server before connecting; and true if that check got no answer. */
  let isProbing = false;
  let probeFailed = false;
  /** A run's history was requested again; until the answer, frames that do not join are dropped. */
  let mending = false;
  /** Time from which the tab has been hidden, or has read while hidden; null while it is visible. */
  let hiddenAt: number | null = null;
  let restedAt = 0;
  /** The series of the frames that come: those of the watch that was answered last. */
  let sentSeries: string[] | null = null;

  const send = (message: Json) => ({ do: "send", message });
  const line = (part: Json) => ({ do: "dispatch", message: { type: "connection", ...part } });

  function connect(): Action[] {
    phase = "connecting";
    greeted = false;
    heart.begin(now);
    if (hiddenAt !== null) hiddenAt = now;
    // proxies may queue the check behind others; the connection itself would not be queued
    isProbing = retries.isUnreachable && !probeFailed;
    probeFailed = false;
    return [isProbing ? { do: "probe" } : open()];
  }

  const open = () => ({ do: "connect", by: choice.kind });

  /** A server answers: connects to it. */
  function reached(): Action[] {
    if (phase !== "connecting" || !isProbing) return [];
    isProbing = false;
    heart.begin(now);
    return [open()];
  }

  /** Watches from the first missing step. */
  const watchAgain = (): Action[] =>
    watching.what && phase === "open" ? [send(watching.message(choice.kind))] : [];

  /** @param input `by`: a better line has replaced the present one */
  function opened({ by }: Json = {}): Action[] {
    if (by) choice.improved(by);
    phase = "open";
    greeted = false;
    mending = false;
    heart.begin(now);
    watching.requestPast();
    return watchAgain();
  }

  /** The connection is lost. `code` is the close code, if there was one. */
  function lost(code: number | null): Action[] {
    if (phase === "final" || phase === "idle" || (phase === "waiting" && code === null)) return [];
    catchingUp.end();
    if (phase === "connecting" && isProbing) choice.unreachable();
    else if (!greeted && code === UNREADABLE) choice.unreadable();
    else if (phase === "connecting" && code !== null) choice.refused();
    else if (phase === "open" && !greeted && code === NOBODY) choice.cutUnused();
    if (code !== null && FINAL.includes(code)) return ended(code);
    phase = "waiting";
    retries.fail(now);
    return [
      line({
        status: "reconnecting",
        retryIn: wait(),
        progress: null,
        latency: null,
        lastStep: Math.max(0, ...Object.values(positions()).map(({ step }) => step)),
        areLinesBlocked: choice.areAllBlocked,
      }),
    ];
  }

  /** Whole seconds. */
  const wait = () => Math.ceil(retries.dueIn(now) / 1000);

  function ended(code: number): Action[] {
    if (code === 4401 && watching.what?.token) {
      watching.set({ ...watching.what, token: null });
      return [{ do: "dispatch", message: { type: "token", token: null } }, ...connect()];
    }
    phase = "final";
    if (code === 4404)
      return [line({ status: "restarted", retryIn: null, progress: null, latency: null })];
    const title = texts.thePageAndTheServerDo;
    return [
      line({ status: "offline", retryIn: null, progress: null, latency: null }),
      {
        do: "dispatch",
        message: {
          type: "problem",
          problem: { title, detail: texts.reloadThePageToGetThe },
        },
      },
    ];
  }

  /**
   * Retries at once: the browser is online again, the page visible again, or the button pressed.
   * @param input `isOnline`: the browser may be in another network
   */
  function hurry({ isOnline = false }: Json = {}): Action[] {
    if (isOnline) choice.networkChanged();
    if (phase === "resting") return connect();
    if (phase !== "waiting") return [];
    return [line({ status: "reconnecting", retryIn: 0 }), ...connect()];
  }

  function visible(): Action[] {
    hiddenAt = null;
    return hurry();
  }

  /** Closes a hidden tab's line, so that other tabs can have requests. The page keeps its status. */
  function rest(): Action[] {
    phase = "resting";
    restedAt = now;
    return [{ do: "close" }];
  }

  const mayRest = () =>
    hiddenAt !== null &&
    now - hiddenAt > HIDDEN &&
    choice.kind !== "websocket" &&
    greeted &&
    commands.size === 0;

  function tick(): Action[] {
    if (phase === "resting") return now - restedAt > RESTING ? connect() : [];
    if (phase === "waiting") return retries.dueIn(now) > 0 ? [line({ retryIn: wait() })] : hurry();
    if (phase !== "open" && phase !== "connecting") return [];
    if (phase === "connecting" && !isProbing && heart.silence(now) > PATIENCE[choice.kind])
      return hung();
    if (heart.isSilent(now)) {
      probeFailed = phase === "connecting" && isProbing;
      if (phase === "open") choice.fellSilent(greeted || !watching.what);
      return [{ do: "close" }, ...lost(null)];
    }
    if (phase !== "open") return [];
    if (mayRest()) return rest();
    const better = greeted ? choice.better(now) : [];
    return [
      ...(better.length ? [{ do: "try", kinds: better }] : []),
      ...(greeted ? [...commands.due(now).map(send), ...refine()] : []),
      ...(heart.isDue(now) ? [send(heart.ping(now))] : []),
    ];
  }

  /** The line does not open: the next kind is tried at once, and the first one after a wait. */
  function hung(): Action[] {
    choice.hung();
    return [{ do: "close" }, ...(choice.kind === "websocket" ? lost(null) : connect())];
  }

  /** Shows the kind of the line on the page, if it is another one. */
  function shownLine(): Action[] {
    if (choice.kind === shownKind) return [];
    shownKind = choice.kind;
    return [line({ kind: shownKind, reason: choice.reason, isNoteClosed: false })];
  }

  /** A tick is a second: finer buckets, or fewer of them, are requested at most once a tick. */
  const refine = (): Action[] =>
    !catchingUp.busy && (watching.requestFiner() || watching.requestFewer()) ? watchAgain() : [];

  const ANSWERS: Record<string, (message: Json) => Action[]> = {
    experiment(message) {
      if (!watching.is(message.experiment)) return [];
      const first = !greeted;
      greeted = true;
      sentSeries = message.series ?? watching.what?.series ?? null;
      watching.answered(message.state.runs);
      mending = false;
      if (retries.hasFailed) catchingUp.begin(message.state.runs);
      retries.succeed();
      choice.works(now);
      return [
        { do: "dispatch", message },
        openStatus(),
        ...shownLine(),
        ...(first ? [...commands.all().map(send), send(heart.ping(now))] : []),
      ];
    },
    frame(message) {
      const got = send({ type: "got", frame: message.frame });
      if (!watching.is(message.experiment)) return [got];
      return [{ do: "apply", frame: message }, got];
    },
    event(message) {
      if (!watching.is(message.experiment)) return [];
      return [
        { do: "dispatch", message },
        ...(message.event === "run_removed" ? without(message.run) : []),
      ];
    },
    ack: ({ id, answer }) =>
      commands.settle(id) ? [{ do: "dispatch", message: { type: "ack", id, answer } }] : [],
    error({ id, problem }) {
      if (problem?.status === 429 && commands.has(id)) {
        commands.postpone(id, now, problem.retry_after);
        return [];
      }
      const isExpected = commands.settle(id);
      if (!isExpected && problem?.status === 404 && !greeted)
        return [{ do: "close" }, ...ended(4404)];
      return [{ do: "dispatch", message: { type: "error", id, problem } }];
    },
    pong({ id }) {
      const latency = heart.pong(id, now);
      return latency === null ? [] : [line({ latency })];
    },
  };

  /** A removed run has nothing left to wait for. */
  function without(run: string): Action[] {
    watching.removed(run);
    const wasBusy = catchingUp.busy;
    catchingUp.removed(run);
    return [{ do: "forget", run }, ...(wasBusy ? [openStatus()] : [])];
  }

  /** The status of an open connection: catching up, or live. */
  function openStatus() {
    const progress = catchingUp.progress();
    return line({ status: progress ? "catching-up" : "ready", retryIn: null, progress });
  }

  /** A frame's columns are in: later frames may be small, and catching up may be complete. */
  function applied(): Action[] {
    const past = watching.goLive();
    return [...(past ? watchAgain() : []), ...(catchingUp.busy ? [openStatus()] : [])];
  }

  /** A run's columns do not join those held: requests all of them again. */
  function gap(run: string): Action[] {
    if (phase !== "open" || mending) return [{ do: "forget", run }];
    mending = true;
    watching.requestPast();
    return [{ do: "forget", run }, { do: "rewatch" }];
  }

  function watch(what: Watched): Action[] {
    const before = watching.what;
    watching.set(what);
    const moved = before && before.experiment !== what.experiment;
    const hasOthers = String(before?.series) !== String(what.series);
    // an experiment opened once more, as by its link, is sent whole too
    if (moved || hasOthers || !Object.keys(positions()).length) watching.requestPast();
    if (moved) {
      catchingUp.end();
      commands.clear();
      greeted = false;
    }
    if (phase === "open")
      return [
        ...(moved ? [send({ type: "unwatch", experiment: before.experiment })] : []),
        ...watchAgain(),
      ];
    return phase === "connecting" ? [] : connect();
  }

  /** Sends a command, and again with the same id after a cut, until it is acknowledged. */
  function command(message: Json): Action[] {
    commands.add(message);
    if (phase === "resting") return connect();
    return phase === "open" && greeted ? [send(message)] : [];
  }

  const INPUTS: Record<string, (input: any) => Action[]> = {
    watch: ({ what }) => watch(what),
    command: ({ message }) => command(message),
    opened,
    reached,
    closed: ({ code }) => lost(code),
    received({ message }) {
      heart.hear(now);
      return ANSWERS[message.type]?.(message) ?? [];
    },
    applied,
    gap: ({ run }) => gap(run),
    rewatch: watchAgain,
    slow: () => (watching.slowDown(true) ? watchAgain() : []),
    fresh: () => (watching.slowDown(false) ? watchAgain() : []),
    tick,
    hurry,
    visible,
    hidden() {
      hiddenAt = now;
      return [];
    },
    offline: () =>
      phase === "open" || phase === "connecting"
        ? [{ do: "close" }, ...lost(null), line({ status: "offline" })]
        : [],
    stop() {
      phase = "idle";
      watching.set(null);
      return [{ do: "close" }];
    },
  };

  return {
    /** @param time ms */
    handle(input: { type: string } & Json, time: number): Action[] {
      now = time;
      return INPUTS[input.type]?.(input) ?? [];
    },
    /** ms until the next useful `tick`. */
    get nextTick() {
      if (phase === "waiting") return Math.min(HURRY, retries.dueIn(now));
      return phase === "connecting" ? HURRY : 1_000;
    },
    get phase() {
      return phase;
    },
    /** The series of a frame's columns, in their order. */
    get series() {
      return sentSeries;
    },
    get unanswered() {
      return commands.size;
    },
    /**
     * True once the server has left the experiment watched before, which happens before it answers
     * for the new one.
     */
    get hasArrived() {
      return phase !== "open" || greeted;
    },
  };
}
