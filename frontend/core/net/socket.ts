/**
 * The line to the server: performs the session's actions and reports events to it.
 * Owns: one line at a time, another one on trial, the check whether a server answers, and one timer.
 */

import { NOBODY, openWebSocket } from "./line.ts";
import { PATIENCE } from "./line-choice.ts";
import { openPlainLine } from "./plain-line.ts";
import type { Environment, Json, LineKind } from "../types.ts";
import type { Heard, Line } from "./line.ts";
import type { Action, createSession } from "./session.ts";

type Session = ReturnType<typeof createSession>;

/** @param perform performs the other actions; may return an input */
export function createSocket(
  environment: Pick<
    Environment,
    "WebSocket" | "fetch" | "address" | "now" | "setTimeout" | "clearTimeout"
  >,
  session: Session,
  perform: (action: Action) => (Json & { type: string }) | void,
) {
  let line: Line | null = null;
  let trial: Line | null = null;
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
    if (action.do === "connect") return connect(action.by);
    if (action.do === "try") return tryOut(action.kinds);
    if (action.do === "probe") return probe();
    if (action.do === "close") return close();
    if (action.do === "send") return line?.send(action.message);
    if (action.do === "rewatch") return handle({ type: "rewatch" });
    const next = perform(action);
    if (next) handle(next);
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
      handle(isThere ? { type: "reached" } : { type: "closed", code: NOBODY });
    }
    // a proxy reports a server that is gone; one that blocks this request leaves the answer to the
    // line
    environment
      .fetch(`${environment.address}/healthz`, { cache: "no-store", signal: mine.signal })
      .then(
        ({ status }) => answered(status < 500),
        () => answered(false),
      );
  }

  const open = (kind: LineKind, heard: Heard) =>
    kind === "websocket"
      ? openWebSocket(environment, heard)
      : openPlainLine(environment, kind, heard);

  /** Reports a line's events while it is the newest: an abandoned one may still send some. */
  function heardOf(isMine: () => boolean): Heard {
    return {
      opened: () => isMine() && handle({ type: "opened" }),
      received: (message) => void (isMine() && handle({ type: "received", message })),
      closed(code) {
        if (!isMine()) return;
        line = null;
        handle({ type: "closed", code });
      },
    };
  }

  function connect(by: LineKind) {
    close();
    const mine: Line = (line = open(
      by,
      heardOf(() => mine === line),
    ));
  }

  /** Opens better lines beside the present one, which it replaces by the first that opens in time. */
  function tryOut([kind, ...others]: LineKind[]) {
    const former = trial;
    trial = null;
    former?.close();
    if (!kind) return;
    const heard = heardOf(() => mine === line);
    const fail = () => mine === trial && tryOut(others);
    const late = environment.setTimeout(fail, PATIENCE[kind]);
    const mine: Line = (trial = open(kind, {
      ...heard,
      opened() {
        environment.clearTimeout(late);
        if (mine !== trial) return;
        const former = line;
        [line, trial] = [mine, null];
        former?.close();
        handle({ type: "opened", by: kind });
      },
      closed: (code) => (mine === trial ? fail() : heard.closed(code)),
    }));
  }

  function close() {
    const former = [line, trial];
    line = trial = null;
    for (const each of former) each?.close();
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
