/**
 * A line without WebSocket: messages are posted, and read as server-sent events or by long polling.
 * Owns: the requests of one line. After a cut it reads on after the last message, on the same line.
 */

import { NOBODY, UNREADABLE } from "./line.ts";
import type { Environment, Json } from "../types.ts";
import type { Heard, Line } from "./line.ts";

/** s that a poll waits: less than the limits of usual proxies. */
const WAIT = 20;
const PAUSE = 250;
/** Failures in a row before the line is given up. */
const FAILURES = 3;
/** Characters of a request's messages; one may be longer. */
const LONGEST = 48_000;
/** Statuses after which this line brings nothing any more. */
const GONE = [401, 404, 405, 409, 413, 422, 501];

type Lines = Pick<Environment, "fetch" | "address" | "setTimeout">;
type Event = { id: number; message: Json };

/** Splits a stream into events; a comment yields null. */
export function createEvents() {
  let rest = "";
  return (text: string): (Event | null)[] => {
    const parts = (rest + text).split("\n\n");
    rest = parts.pop() ?? "";
    return parts.map((part) => {
      const id = part.match(/^id: (\d+)$/m);
      const data = part.match(/^data: (.*)$/m);
      return id && data && { id: Number(id[1]), message: JSON.parse(data[1]) };
    });
  };
}

export function openPlainLine(
  { fetch, address, setTimeout }: Lines,
  kind: "events" | "polling",
  heard: Heard,
): Line {
  const ending = new AbortController();
  const unsent: Json[] = [];
  let line: { line: string; key: string } | null = null;
  let isOpen = false;
  let isOver = false;
  let isPosting = false;
  let seq = 0;
  let after = 0;

  const pause = (ms: number) => new Promise<void>((go) => void setTimeout(go, ms));

  /** Requests something of the line, until it is closed. */
  const ask = (method: string, path: string, { accept = "application/json", body }: Json = {}) =>
    fetch(`${address}/api/v1/lines${path}`, {
      method,
      cache: "no-store",
      headers: {
        Accept: accept,
        ...(line ? { Authorization: `Bearer ${line.key}` } : {}),
        ...(body ? { "Content-Type": "application/json" } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      ...(method === "DELETE" ? { keepalive: true } : { signal: ending.signal }),
    });

  function end(code: number = line ? UNREADABLE : NOBODY) {
    if (isOver) return;
    close();
    heard.closed(code);
  }

  function close() {
    if (isOver) return;
    isOver = true;
    ending.abort();
    if (line) ask("DELETE", `/${line.line}`).catch(() => {});
  }

  /** In a task of its own: a fault of the page is no fault of the line. */
  const report = (act: () => void) => queueMicrotask(() => isOver || act());

  function opened() {
    if (!isOpen) report(heard.opened);
    isOpen = true;
  }

  function take(message: Json, number: number) {
    after = number;
    report(() => (message.type === "close" ? end(message.code) : heard.received(message)));
  }

  /** Repeats a request while it fails in passing. `attempt` returns true if it brought something. */
  async function keepOn(attempt: () => Promise<boolean>, goesOn: () => boolean) {
    for (let failures = 0; !isOver && goesOn(); ) {
      const succeeded = await attempt().catch(() => false);
      failures = succeeded ? 0 : failures + 1;
      if (failures >= FAILURES) end();
      else if (failures && !isOver) await pause(PAUSE * failures);
    }
  }

  /** True if the answer is good. A status after which nothing comes ends the line. */
  function isGood({ ok, status }: Response) {
    if (GONE.includes(status)) end();
    return ok;
  }

  async function stream() {
    const query = `?after=${after}`;
    const response = await ask("GET", `/${line?.line}/messages${query}`, {
      accept: "text/event-stream",
    });
    if (!isGood(response) || !response.body) return false;
    const events = createEvents();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    let brought = false;
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
      if (done || isOver) {
        if (brought) await pause(PAUSE);
        return brought;
      }
      opened();
      for (const event of events(decoder.decode(value, { stream: true }))) {
        brought = true;
        if (event) take(event.message, event.id);
      }
    }
  }

  async function poll() {
    const query = `?after=${after}&wait=${isOpen ? WAIT : 0}`;
    const response = await ask("GET", `/${line?.line}/messages${query}`);
    if (!isGood(response)) return false;
    const { messages, next } = await response.json();
    opened();
    for (const message of messages) take(message, next);
    return true;
  }

  /** As many messages as one request may have. */
  function nextMessages() {
    let length = 0;
    const count = unsent.findIndex((message) => {
      length += JSON.stringify(message).length;
      return length > LONGEST;
    });
    return unsent.splice(0, count < 0 ? unsent.length : Math.max(count, 1));
  }

  /** Posts the unsent messages, one request after the other, each until it has arrived. */
  async function post() {
    if (isPosting || !line) return;
    isPosting = true;
    while (unsent.length && !isOver) {
      const messages = nextMessages();
      const number = ++seq;
      let hasArrived = false;
      await keepOn(
        async () =>
          (hasArrived = isGood(
            await ask("POST", `/${line?.line}/messages`, {
              body: { seq: number, messages, after },
            }),
          )),
        () => !hasArrived,
      );
    }
    isPosting = false;
  }

  async function begin() {
    const response = await ask("POST", "").catch(() => null);
    if (isOver) return;
    if (response?.status !== 201) return end();
    line = await response.json();
    if (isOver) return;
    await keepOn(kind === "events" ? stream : poll, () => true);
  }

  begin().catch(() => end());
  return {
    send(message) {
      unsent.push(message);
      void post();
    },
    close,
  };
}
