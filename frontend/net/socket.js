/**
 * The WebSocket itself: does what the session says, and tells it what happened.
 * Owns: one socket at a time, the question whether there is a server for it, and one timer. Must not know the protocol or the state.
 */

/** @typedef {import("../state/types.js").Environment} Environment */
/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./session.js").Action} Action */
/** @typedef {ReturnType<typeof import("./session.js").createSession>} Session */

/** The code of a socket that was never open. */
const NOBODY = 1006;

/**
 * @param {Pick<Environment, "WebSocket"|"fetch"|"origin"|"now"|"setTimeout"|"clearTimeout">} environment
 * @param {Session} session
 * @param {(action: Action) => (Json & {type: string})|void} perform  what is not about the line; may answer another input
 */
export function createSocket(environment, session, perform) {
  const url = `${environment.origin.replace(/^http/, "ws")}/api/v1/stream`;
  /** @type {WebSocket|null} */
  let socket = null;
  /** @type {AbortController|null} */
  let question = null;
  /** @type {any} */
  let timer = null;
  let stopped = false;

  /** @param {Json & {type: string}} input */
  function handle(input) {
    for (const action of session.handle(input, environment.now())) act(action);
    if (!stopped && timer === null) timer = environment.setTimeout(tick, session.nextTick);
  }

  function tick() {
    timer = null;
    handle({ type: "tick" });
  }

  /** @param {Action} action */
  function act(action) {
    if (action.do === "connect") return connect();
    if (action.do === "knock") return knock();
    if (action.do === "close") return close();
    if (action.do === "send") return send(action.message);
    if (action.do === "rewatch") return handle({ type: "rewatch" });
    const next = perform(action);
    if (next) handle(next);
  }

  /** @param {Json} message */
  function send(message) {
    if (socket?.readyState === 1) socket.send(JSON.stringify(message));
  }

  /**
   * With each socket that fails at an address Firefox lets the next one wait longer, up to a minute, also when the server is
   * back by then. A request that fails costs nothing: so sockets are made only where there is somebody to take them.
   */
  function knock() {
    close();
    const mine = (question = new AbortController());
    /** @param {boolean} isThere */
    function answered(isThere) {
      if (mine !== question) return;
      question = null;
      if (isThere) connect();
      else handle({ type: "closed", code: NOBODY });
    }
    // a proxy answers for a server that is gone, and says so; one that lets no such question through leaves it to the line
    environment.fetch(`${environment.origin}/healthz`, { cache: "no-store", signal: mine.signal }).then(({ status }) => answered(status < 500), () => answered(false));
  }

  /** A socket that was given up may still speak; only the present one is heard. */
  function connect() {
    close();
    const mine = (socket = new environment.WebSocket(url));
    mine.onopen = () => mine === socket && handle({ type: "opened" });
    mine.onmessage = ({ data }) => void (mine === socket && handle({ type: "received", message: JSON.parse(data) }));
    mine.onclose = ({ code }) => {
      if (mine !== socket) return;
      socket = null;
      handle({ type: "closed", code });
    };
  }

  function close() {
    const old = socket;
    socket = null;
    old?.close();
    question?.abort();
    question = null;
  }

  return {
    handle,
    stop() {
      stopped = true;
      handle({ type: "stop" });
      environment.clearTimeout(timer);
    },
  };
}
