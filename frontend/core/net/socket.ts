/**
 * The WebSocket: performs the session's actions and reports events to it.
 * Owns: one socket at a time, the check whether a server answers, and one timer.
 */

import type { Environment, Json } from "../types.ts";
import type { Action, createSession } from "./session.ts";

type Session = ReturnType<typeof createSession>;

/** Close code of a socket that was never open. */
const NOBODY = 1006;

/** @param perform performs the other actions; may return an input */
export function createSocket(
  environment: Pick<
    Environment,
    "WebSocket" | "fetch" | "address" | "now" | "setTimeout" | "clearTimeout"
  >,
  session: Session,
  perform: (action: Action) => (Json & { type: string }) | void,
) {
  const url = `${environment.address.replace(/^http/, "ws")}/api/v1/stream`;
  let socket: WebSocket | null = null;
  let question: AbortController | null = null;
  let timer: any = null;
  let stopped = false;

  function handle(input: Json & { type: string }) {
    for (const action of session.handle(input, environment.now())) act(action);
    if (!stopped && timer === null) timer = environment.setTimeout(tick, session.nextTick);
  }

  function tick() {
    timer = null;
    handle({ type: "tick" });
  }

  function act(action: Action) {
    if (action.do === "connect") return connect();
    if (action.do === "probe") return probe();
    if (action.do === "close") return close();
    if (action.do === "send") return send(action.message);
    if (action.do === "rewatch") return handle({ type: "rewatch" });
    const next = perform(action);
    if (next) handle(next);
  }

  function send(message: Json) {
    if (socket?.readyState === 1) socket.send(JSON.stringify(message));
  }

  /**
   * Checks for a server before connecting. After failed sockets Firefox delays later ones by up to
   * a minute, even when the server is back; a failed request costs nothing.
   */
  function probe() {
    close();
    const mine = (question = new AbortController());
    function answered(isThere: boolean) {
      if (mine !== question) return;
      question = null;
      if (isThere) connect();
      else handle({ type: "closed", code: NOBODY });
    }
    // a proxy reports a server that is gone; one that blocks this request leaves the answer to the
    // socket
    environment
      .fetch(`${environment.address}/healthz`, { cache: "no-store", signal: mine.signal })
      .then(
        ({ status }) => answered(status < 500),
        () => answered(false),
      );
  }

  /** Only the newest socket counts: an abandoned one may still send events. */
  function connect() {
    close();
    const mine = (socket = new environment.WebSocket(url));
    mine.onopen = () => mine === socket && handle({ type: "opened" });
    mine.onmessage = ({ data }) =>
      void (mine === socket && handle({ type: "received", message: JSON.parse(data) }));
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
