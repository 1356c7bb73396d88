/**
 * One tab's conversation with the server as a state machine: something happened in, things to do out.
 * Owns: watch and resume, credit, pending commands, ping and watchdog, when to try again.
 * Must not know WebSocket, timers, the DOM or what the state looks like. Time and chance are told to it.
 *
 * Things to do (`Action`): {do: "connect"} · {do: "close"} · {do: "send", message} · {do: "tell", message} (to the store) ·
 * {do: "apply", frame} (take columns in, then tell) · {do: "forget", run} (drop a run's columns).
 */

import { backoff } from "./backoff.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {{do: string} & Json} Action */
/** @typedef {Record<string, {generation: number, step: number}>} Positions */

export const SILENCE = 12_000;
const PING = 3_000;
const HURRY = 250;

/** The past comes in one frame of many buckets; from then on a frame is small, however fast the training. */
const PAST = 1_000;
const LIVE = 64;

/** After these codes coming back is of no use; others (1012, 4001, 4008, 1009, a cut) are tried again. */
const FINAL = [4400, 4401, 4404];

/**
 * @param {object} given
 * @param {() => Positions} given.positions  first step not yet held, by run
 * @param {() => number} given.random
 * @param {number} given.fps
 */
export function createSession({ positions, random, fps }) {
  /** @type {{experiment: string, token: string|null, series: string[]|null}|null} */
  let watched = null;
  /** @type {"idle"|"connecting"|"open"|"waiting"|"final"} */
  let phase = "idle";
  let greeted = false;
  let buckets = PAST;
  let attempt = 0;
  let now = 0;
  let lostAt = 0;
  let retryAt = 0;
  let heardAt = 0;
  let pingedAt = 0;
  let pings = 0;
  /** @type {Map<string, number>} */
  const pingsOut = new Map();
  /** Commands not yet acknowledged, oldest first. @type {Map<string, Json>} */
  const commands = new Map();
  /** @type {{run: string, from: number, of: number}|null} */
  let chase = null;
  /** Asked for all of a run again; until that is answered, more frames that do not join are only dropped. */
  let mending = false;

  /** @param {Json} message */
  const send = (message) => ({ do: "send", message });
  /** @param {Json} part */
  const line = (part) => ({ do: "tell", message: { type: "connection", ...part } });

  /** @returns {Action[]} */
  function connect() {
    phase = "connecting";
    greeted = false;
    heardAt = now;
    return [{ do: "connect" }];
  }

  function watchMessage() {
    const { experiment, token, series } = /** @type {NonNullable<typeof watched>} */ (watched);
    const since = Object.fromEntries(Object.entries(positions()).filter(([, at]) => at.step > 0));
    return {
      type: "watch", experiment, fps, buckets, encoding: "bdata",
      ...(token ? { token } : {}), ...(series ? { series } : {}), ...(Object.keys(since).length ? { since } : {}),
    };
  }

  /** @returns {Action[]} */
  function opened() {
    phase = "open";
    buckets = PAST;
    mending = false;
    heardAt = now;
    pingedAt = now;
    return watched ? [send(watchMessage())] : [];
  }

  /**
   * The line is gone. `code` is the close code where there was one.
   * @param {number|null} code
   * @returns {Action[]}
   */
  function lost(code) {
    if (phase === "final" || phase === "idle" || (phase === "waiting" && code === null)) return [];
    if (phase !== "waiting" && attempt === 0) lostAt = now;
    pingsOut.clear();
    chase = null;
    if (code !== null && FINAL.includes(code)) return ended(code);
    phase = "waiting";
    retryAt = now + backoff(attempt++, now - lostAt, random());
    const lastStep = Math.max(0, ...Object.values(positions()).map(({ step }) => step));
    return [line({ status: "reconnecting", retryIn: wait(), progress: null, latency: null, lastStep })];
  }

  const wait = () => Math.max(0, Math.ceil((retryAt - now) / 1000));

  /**
   * @param {number} code
   * @returns {Action[]}
   */
  function ended(code) {
    if (code === 4401 && watched?.token) {
      watched = { ...watched, token: null };
      return [{ do: "tell", message: { type: "token", token: null } }, ...connect()];
    }
    phase = "final";
    if (code === 4404) return [line({ status: "restarted", retryIn: null, progress: null, latency: null })];
    const title = "The page and the server do not understand each other.";
    return [
      line({ status: "offline", retryIn: null, progress: null, latency: null }),
      { do: "tell", message: { type: "problem", problem: { title, detail: "Reload the page to get the server's own version of it." } } },
    ];
  }

  /**
   * Try at once: the browser is back on the net, the page is visible again, or somebody pressed the button.
   * @returns {Action[]}
   */
  function hurry() {
    if (phase !== "waiting") return [];
    return [line({ status: "reconnecting", retryIn: 0 }), ...connect()];
  }

  /** @returns {Action[]} */
  function tick() {
    if (phase === "waiting") {
      if (now >= retryAt) return hurry();
      return [line({ retryIn: wait() })];
    }
    if (phase !== "open" && phase !== "connecting") return [];
    if (now - heardAt > SILENCE) return [{ do: "close" }, ...lost(null)];
    if (phase === "open" && now - pingedAt >= PING) return ping();
    return [];
  }

  /** @returns {Action[]} */
  function ping() {
    pingedAt = now;
    const id = `p${++pings}`;
    pingsOut.set(id, now);
    return [send({ type: "ping", id })];
  }

  /**
   * @param {Json} message
   * @returns {Action[]}
   */
  function received(message) {
    heardAt = now;
    const answer = ANSWERS[message.type];
    return answer ? answer(message) : [];
  }

  /** @type {Record<string, (message: Json) => Action[]>} */
  const ANSWERS = {
    experiment(message) {
      if (message.experiment !== watched?.experiment) return [];
      const first = !greeted;
      greeted = true;
      mending = false;
      const back = attempt > 0;
      attempt = 0;
      chase = back ? missing(message.state.runs) : null;
      return [
        { do: "tell", message },
        ...(chase ? [progress(0)] : [line({ status: "ready", retryIn: null, progress: null })]),
        ...(first ? [...commands.values()].map(send) : []),
        ...(first ? ping() : []),
      ];
    },
    frame(message) {
      const got = send({ type: "got", frame: message.frame });
      if (message.experiment !== watched?.experiment) return [got];
      return [{ do: "apply", frame: message }, got];
    },
    event: (message) => (message.experiment === watched?.experiment ? [{ do: "tell", message }] : []),
    ack({ id, answer }) {
      const command = commands.get(id);
      commands.delete(id);
      return command ? [{ do: "tell", message: { type: "ack", id, answer } }] : [];
    },
    error({ id, problem }) {
      const known = id !== null && commands.delete(id);
      if (!known && problem?.status === 404 && !greeted) return [{ do: "close" }, ...ended(4404)];
      return [{ do: "tell", message: { type: "error", id, problem } }];
    },
    pong({ id }) {
      const sent = pingsOut.get(id);
      pingsOut.delete(id);
      return sent === undefined ? [] : [line({ latency: now - sent })];
    },
  };

  /**
   * The run that is furthest behind after a cut; catching up is told by its steps.
   * @param {{name: string, generation: number, step: number}[]} runs
   */
  function missing(runs) {
    const held = positions();
    const behind = runs
      .map(({ name, generation, step }) => ({ run: name, from: held[name]?.generation === generation ? held[name].step : 0, of: step }))
      .sort((a, b) => b.of - b.from - (a.of - a.from))[0];
    return behind && behind.of - behind.from > 1 ? behind : null;
  }

  /** @param {number} have @returns {Action} */
  function progress(have) {
    const { from, of } = /** @type {NonNullable<typeof chase>} */ (chase);
    return line({ status: "catching-up", retryIn: null, progress: { have: Math.max(from, have), of } });
  }

  /**
   * A frame's columns are in: is the run that was behind there?
   * @returns {Action[]}
   */
  function applied() {
    const past = buckets === PAST;
    buckets = LIVE;
    return [...(past && phase === "open" ? [send(watchMessage())] : []), ...chased()];
  }

  /** @returns {Action[]} */
  function chased() {
    if (!chase) return [];
    const have = positions()[chase.run]?.step ?? 0;
    if (have < chase.of) return [progress(have)];
    chase = null;
    return [line({ status: "ready", retryIn: null, progress: null })];
  }

  /**
   * The columns of a run did not join what is held: ask for all of them again rather than guess.
   * @param {string} run
   * @returns {Action[]}
   */
  function gap(run) {
    if (phase !== "open" || mending) return [{ do: "forget", run }];
    mending = true;
    buckets = PAST;
    return [{ do: "forget", run }, { do: "rewatch" }];
  }

  /**
   * @param {{experiment: string, token: string|null, series: string[]|null}} what
   * @returns {Action[]}
   */
  function watch(what) {
    const before = watched;
    watched = what;
    const moved = before && before.experiment !== what.experiment;
    if (moved) buckets = PAST;
    if (moved) commands.clear();
    greeted = greeted && !moved;
    if (phase === "open") {
      return [...(moved ? [send({ type: "unwatch", experiment: before.experiment })] : []), send(watchMessage())];
    }
    return phase === "connecting" ? [] : connect();
  }

  /**
   * Commands wait here until acknowledged; after a cut they go again, with the same id.
   * @param {Json} message
   * @returns {Action[]}
   */
  function command(message) {
    commands.set(message.id, message);
    return phase === "open" && greeted ? [send(message)] : [];
  }

  /** @type {Record<string, (input: any) => Action[]>} */
  const INPUTS = {
    watch: ({ what }) => watch(what),
    command: ({ message }) => command(message),
    opened,
    closed: ({ code }) => lost(code),
    received: ({ message }) => received(message),
    applied,
    gap: ({ run }) => gap(run),
    rewatch: () => (watched && phase === "open" ? [send(watchMessage())] : []),
    tick,
    hurry,
    offline: () => (phase === "open" || phase === "connecting" ? [{ do: "close" }, ...lost(null), line({ status: "offline" })] : []),
    stop() {
      phase = "idle";
      watched = null;
      return [{ do: "close" }];
    },
  };

  return {
    /**
     * @param {{type: string} & Json} input
     * @param {number} time  ms
     * @returns {Action[]}
     */
    handle(input, time) {
      now = time;
      return INPUTS[input.type]?.(input) ?? [];
    },
    /** Time until `tick` has something to say. */
    get nextTick() {
      return phase === "waiting" ? Math.min(HURRY, Math.max(0, retryAt - now)) : 1_000;
    },
    get phase() { return phase; },
    get unanswered() { return commands.size; },
  };
}
