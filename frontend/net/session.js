/**
 * One tab's conversation with the server as a state machine: something happened in, things to do out.
 * Owns: watch and resume, credit, pending commands, when to try again.
 * Must not know WebSocket, timers, the DOM or what the state looks like. Time and chance are told to it.
 *
 * Things to do (`Action`): {do: "connect"} · {do: "close"} · {do: "send", message} · {do: "tell", message} (to the store) ·
 * {do: "apply", frame} (take columns in, then tell) · {do: "forget", run} (drop a run's columns).
 */

import { backoff } from "./backoff.js";
import { createCatchingUp } from "./catching-up.js";
import { createHeartbeat } from "./heartbeat.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {{do: string} & Json} Action */
/** @typedef {import("./catching-up.js").Positions} Positions */

const HURRY = 250;
/** Seconds before a command that came too fast goes again, where the server does not say more. */
const LEAST_WAIT = 1;

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
  const heart = createHeartbeat();
  const catchingUp = createCatchingUp(positions);
  /** Commands not yet acknowledged, oldest first. @type {Map<string, Json>} */
  const commands = new Map();
  /** When those that came too fast go again, with the same id. @type {Map<string, number>} */
  const postponed = new Map();
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
    heart.begin(now);
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
    postponed.clear();
    buckets = PAST;
    mending = false;
    heart.begin(now);
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
    catchingUp.end();
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
    if (heart.isSilent(now)) return [{ do: "close" }, ...lost(null)];
    if (phase !== "open") return [];
    return [...again(), ...(heart.isDue(now) ? [send(heart.ping(now))] : [])];
  }

  /** Commands whose time has come once more. @returns {Action[]} */
  function again() {
    const due = [...postponed].filter(([, at]) => at <= now).map(([id]) => id);
    due.forEach((id) => postponed.delete(id));
    return due.flatMap((id) => (commands.has(id) ? [send(commands.get(id) ?? {})] : []));
  }

  /**
   * @param {Json} message
   * @returns {Action[]}
   */
  function received(message) {
    heart.hear(now);
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
      if (attempt > 0) catchingUp.begin(message.state.runs);
      attempt = 0;
      return [
        { do: "tell", message },
        standing(),
        ...(first ? [...[...commands.values()].map(send), send(heart.ping(now))] : []),
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
      if (problem?.status === 429 && commands.has(id)) {
        postponed.set(id, now + 1000 * Math.max(LEAST_WAIT, problem.retry_after ?? LEAST_WAIT));
        return [];
      }
      const known = id !== null && commands.delete(id);
      if (!known && problem?.status === 404 && !greeted) return [{ do: "close" }, ...ended(4404)];
      return [{ do: "tell", message: { type: "error", id, problem } }];
    },
    pong({ id }) {
      const latency = heart.pong(id, now);
      return latency === null ? [] : [line({ latency })];
    },
  };

  /** Where the page stands once it is on the line: catching up, or there. */
  function standing() {
    const progress = catchingUp.progress();
    return line({ status: progress ? "catching-up" : "ready", retryIn: null, progress });
  }

  /**
   * A frame's columns are in: from here on small frames will do, and the run that was behind may be there.
   * @returns {Action[]}
   */
  function applied() {
    const past = buckets === PAST && phase === "open";
    buckets = LIVE;
    return [...(past ? [send(watchMessage())] : []), ...(catchingUp.busy ? [standing()] : [])];
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
    if (moved) [commands, postponed].forEach((held) => held.clear());
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
