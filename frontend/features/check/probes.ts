/**
 * Measures the way from this browser to the server.
 * Owns: the requests, one after another, so that none slows another. check-rows.ts has the limits.
 */

import type { Json } from "../../core/types.ts";
import { type Line, type Measured, SILENT_MS } from "./check-rows.ts";
import * as texts from "../../words/english.ts";

/** The browser as the probes see it; tests pass their own. */
export interface Surroundings {
  fetch: typeof fetch;
  WebSocket: new (url: string) => WebSocket;
  now: () => number; // ms, monotonic
  wallNow: () => number; // ms since 1970
  setTimeout: (run: () => void, ms: number) => unknown;
  address: string; // of the page, without a final slash
  sample: string; // URL of a large file
  userAgent: string;
  isModern: boolean;
  hasStorage: () => boolean;
}

const NO_ANSWER = texts.theServerDoesNotAnswer;
const READY_TRIES = 4;
const READY_PAUSE_MS = 2500;
const ROUND_TRIPS = 10;
const DOWNLOADS = 4;
/** A measurement over a slow line stops after this; what came is enough. */
const DOWNLOAD_MS = 8000;
const PING = { type: "ping", id: "check" };

export function createProbes(around: Surroundings) {
  const { fetch, now, address } = around;
  const api = `${address}/api/v1`;

  /** Resolves after some ms; for races against what may hang. */
  const after = <T>(ms: number, value: T) =>
    new Promise<T>((resolve) => void around.setTimeout(() => resolve(value), ms));

  async function server(): Promise<Measured["server"]> {
    try {
      const ready = await fetch(`${address}/readyz`, { cache: "no-store" });
      if (!ready.ok) {
        const { detail } = await ready.json().catch(() => ({ detail: "" }));
        return { problem: detail || texts.theServerAnswersX(ready.status) };
      }
      const health = await fetch(`${address}/healthz`, { cache: "no-store" });
      return { version: (await health.json()).version };
    } catch {
      return { problem: NO_ANSWER };
    }
  }

  async function others(): Promise<string[]> {
    const answer = await fetch(`${api}/addresses`).catch(() => null);
    return answer?.ok ? (await answer.json()).addresses : [];
  }

  /** The server's clock at the middle of a request, minus this one's. */
  async function clock(): Promise<number | undefined> {
    const before = around.wallNow();
    const answer = await fetch(`${address}/healthz`, { cache: "no-store" }).catch(() => null);
    const date = Date.parse(answer?.headers.get("Date") ?? "");
    if (Number.isNaN(date)) return undefined;
    return date + 500 - (before + around.wallNow()) / 2;
  }

  /** Opens a socket and sends pings, each after the answer to the one before. */
  async function websocket(): Promise<{ line: Line; roundTrips: number[] }> {
    const roundTrips: number[] = [];
    const began = now();
    let opened = 0;
    let sentAt = 0;
    const socket = new around.WebSocket(`${api.replace(/^http/, "ws")}/stream`);
    const ping = () => {
      sentAt = now();
      socket.send(JSON.stringify(PING));
    };
    const ended = new Promise<"answered" | "refused">((resolve) => {
      socket.onopen = ping;
      socket.onmessage = () => {
        opened ||= now() - began;
        roundTrips.push(now() - sentAt);
        if (roundTrips.length < ROUND_TRIPS) ping();
        else resolve("answered");
      };
      socket.onclose = () => resolve("refused");
    });
    const how = await Promise.race([ended, after(SILENT_MS, "silent" as const)]);
    socket.onclose = null;
    socket.close();
    if (opened) return { line: { ms: opened }, roundTrips };
    return { line: { failed: how === "refused" ? how : "silent" }, roundTrips };
  }

  /** Opens a line, sends a ping over it and waits for the answer as `receive` gets it. */
  async function overRequests(
    receive: (url: string, key: string, signal: AbortSignal) => Promise<boolean>,
  ): Promise<Line> {
    const began = now();
    const controller = new AbortController();
    async function attempt(): Promise<Line> {
      const { signal } = controller;
      const opened = await fetch(`${api}/lines`, { method: "POST", signal });
      if ([404, 405].includes(opened.status)) return { failed: "missing" };
      if (!opened.ok) return { failed: "refused" };
      const { line, key } = await opened.json();
      const url = `${api}/lines/${line}/messages`;
      const posted = await fetch(url, {
        method: "POST",
        headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
        body: JSON.stringify({ seq: 1, messages: [PING] }),
        signal,
      });
      if (!posted.ok) return { failed: "refused" };
      return (await receive(url, key, signal)) ? { ms: now() - began } : { failed: "refused" };
    }
    const refused = attempt().catch((): Line => ({ failed: "refused" }));
    const result = await Promise.race([refused, after<Line>(SILENT_MS, { failed: "silent" })]);
    controller.abort();
    return result;
  }

  const isAnswer = (message: Json) => message.type === "pong" && message.id === PING.id;

  const events = () =>
    overRequests(async (url, key, signal) => {
      const headers = { Authorization: `Bearer ${key}`, Accept: "text/event-stream" };
      const answer = await fetch(`${url}?after=0`, { headers, signal });
      const reader = answer.ok ? answer.body?.getReader() : undefined;
      const decoder = new TextDecoder();
      let text = "";
      while (reader) {
        const { value, done } = await reader.read();
        if (done) return false;
        text += decoder.decode(value, { stream: true });
        const whole = text.split("\n").slice(0, -1);
        const data = whole.filter((line) => line.startsWith("data:"));
        if (data.some((line) => isAnswer(JSON.parse(line.slice(5))))) return true;
      }
      return false;
    });

  const polling = () =>
    overRequests(async (url, key, signal) => {
      const headers = { Authorization: `Bearer ${key}`, Accept: "application/json" };
      const answer = await fetch(`${url}?after=0&wait=2`, { headers, signal });
      return answer.ok && (await answer.json()).messages.some(isAnswer);
    });

  /** Round trips by plain requests, where sockets do not open. */
  async function requests(): Promise<number[]> {
    const times: number[] = [];
    for (let turn = 0; turn < ROUND_TRIPS; turn++) {
      const began = now();
      const answer = await fetch(`${address}/healthz`, { cache: "no-store" }).catch(() => null);
      if (answer?.ok) times.push(now() - began);
    }
    return times;
  }

  /** Loads a file that does not shrink on the way, as bytes. The first load also opens a connection. */
  async function download(): Promise<Measured["download"]> {
    let best: Measured["download"];
    const began = now();
    for (let turn = 0; turn < DOWNLOADS && now() - began < DOWNLOAD_MS; turn++) {
      const controller = new AbortController();
      around.setTimeout(() => controller.abort(), DOWNLOAD_MS);
      const here = now();
      const bytes = await received(controller.signal);
      const ms = now() - here;
      if (bytes && (!best || bytes / ms > best.bytes / best.ms)) best = { bytes, ms };
    }
    return best;
  }

  async function received(signal: AbortSignal) {
    let bytes = 0;
    try {
      const answer = await fetch(around.sample, { cache: "no-store", signal });
      const reader = answer.ok ? answer.body?.getReader() : undefined;
      while (reader) {
        const { value, done } = await reader.read();
        if (done) break;
        bytes += value.length;
      }
    } catch {
      // what came until then counts
    }
    return bytes;
  }

  /** Measures all, and shows the results so far after each. */
  async function measure(show: (measured: Measured) => void): Promise<Measured> {
    const measured: Measured = {};
    const add = (part: Measured) => show(Object.assign(measured, part));
    add({
      browser: { userAgent: around.userAgent, isModern: around.isModern },
      storage: around.hasStorage(),
    });
    const answer = await server();
    add({ server: answer });
    if (answer?.problem === NO_ANSWER) return measured;
    add({ address: { own: address, others: await others() } });
    const { line, roundTrips } = await websocket();
    add({ websocket: line });
    add({ events: await events() });
    add({ polling: await polling() });
    add({ roundTrips: roundTrips.length ? roundTrips : await requests() });
    add({ download: await download() });
    add({ clockMs: await clock() });
    // a busy moment passes
    for (let turn = 1; turn < READY_TRIES && measured.server?.problem; turn++) {
      await after(READY_PAUSE_MS, null);
      add({ server: await server() });
    }
    return measured;
  }

  return { measure };
}
