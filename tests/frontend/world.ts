// The page's whole logic against a server in memory; the test controls REST, socket, storage,
// address and clock.

import { createApp } from "../../frontend/app.ts";
import type {
  Environment,
  ExperimentAnswer,
  Json,
  Problem,
  Recipe,
} from "../../frontend/core/types.ts";
import { answer, catalog, columns } from "./fake-server.ts";

type World = {
  stored?: Json;
  experiments?: Record<string, ExperimentAnswer>;
  fragment?: string;
  haste?: number;
  isEmbedded?: boolean;
};
type Signal = Parameters<Parameters<Environment["listen"]>[0]>[0];

export const exhibit = {
  name: "notebook",
  title: "The notebook",
  line: "",
  recipe: { data: { seed: 17 } },
};
export const wide = {
  name: "wide",
  title: "Wide",
  line: "",
  recipe: { ...answer().recipe, loss: "huber" },
  view: { x: "samples", measure: "ratio", speed: 500, pace: "samples" },
};
/** The view while the server's experiment is open. */
const open = {
  ...wide,
  name: "open",
  recipe: answer().recipe,
  view: { ...wide.view, speed: 60, pace: "steps" },
};
/** A stand-in with some members of an object. */
export const part = <T>(members: Partial<T>) => members as T;
export const settle = () => new Promise((go) => setImmediate(() => setImmediate(go)));

/** A browser and a server; `experiments` exist on the server; `haste` shortens timers. */
export function world({
  stored = {},
  experiments = {},
  fragment = "",
  haste = 1,
  isEmbedded = false,
}: World = {}) {
  const memory: Map<string, string> = new Map(
    Object.entries(stored).map(([key, value]) => [key, JSON.stringify(value)]),
  );
  const respond = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    ({
      ok: status < 400,
      status,
      statusText: "",
      headers: new Headers(headers),
      json: async () => body,
    }) as Response;
  const server = {
    experiments: { ...experiments },
    /** what can be brought back */
    deleted: {} as Record<string, ExperimentAnswer>,
    calls: [] as string[],
    owners: [] as (string | null)[],
    sockets: [] as Socket[],
    created: 0,
    isDown: false,
    /** status of its health */
    answers: 200,
    /** the last recipe */
    posted: {} as Json,
    refuse: null as Problem | ((recipe: Json) => Problem | null) | null,
    hold: (_: string): unknown => undefined,
    /** The server's answer about a range. */
    history: (query: URLSearchParams): Response | Promise<Response> =>
      respond(200, columns(Number(query.get("since")), Number(query.get("until")))),
  };

  async function fetch(url: string, { method, body, headers }: Json) {
    const path = new URL(url).pathname.replace("/api/v1", "");
    server.calls.push(`${method} ${path}`);
    server.owners.push(headers?.["Fallline-Owner"] ?? null);
    if (server.isDown) throw new TypeError("nobody there");
    if (path === "/healthz") return respond(server.answers, {});
    if (path === "/catalog") return respond(200, { ...catalog, exhibits: [exhibit, wide, open] });
    if (path === "/datasets" && headers["Content-Type"] === "text/csv") {
      const text = await body.text();
      return text
        ? respond(201, { id: "d1", rows: text.split("\n").length - 1 })
        : respond(422, { title: "The CSV cannot be used", detail: "the table is empty" });
    }
    if (path === "/parameters" && headers["Content-Type"] === "application/octet-stream") {
      return (await body.text()).startsWith("PK")
        ? respond(201, { id: "p1", parameters: [], count: 0 })
        : respond(422, { title: "The parameters cannot be used", detail: "this is no .npz file" });
    }
    if (method === "POST") {
      const refusal =
        typeof server.refuse === "function" ? server.refuse(JSON.parse(body)) : server.refuse;
      if (refusal) return respond(refusal.status ?? 422, refusal);
      if (path.startsWith("/undo/")) {
        const [one] = path.replace("/undo/", "").split(".");
        const back = (server.experiments[one] ??= server.deleted[one]);
        return back ? respond(200, back) : respond(410, { title: "It is not kept any more" });
      }
      const id = `made${++server.created}`;
      server.posted = JSON.parse(body);
      const recipe = server.posted as Recipe;
      server.experiments[id] = answer(recipe.runs ? { id, recipe } : { id });
      await server.hold(id);
      return respond(201, { ...server.experiments[id], token: `token of ${id}` });
    }
    const [, , id, what] = path.split("/");
    if (!server.experiments[id]) return respond(404, { title: "Not found", status: 404 });
    if (path.endsWith("/history")) return server.history(new URL(url).searchParams);
    if (method === "DELETE") {
      server.deleted[id] = server.experiments[id];
      delete server.experiments[id];
      return respond(204, null, { "Fallline-Undo": `${id}.u1` });
    }
    return respond(
      200,
      what === "figures"
        ? { data: [], layout: {} }
        : what === "moment"
          ? { runs: {} }
          : what
            ? { layers: [] }
            : server.experiments[id],
    );
  }

  class Socket {
    readyState = 0;
    messages: Json[] = [];
    answered = 0;
    onopen = () => {};
    onmessage = (_: { data: string }) => {};
    onclose = (_: { code: number }) => {};
    constructor() {
      server.sockets.push(this);
    }
    send(text: string) {
      this.messages.push(JSON.parse(text));
    }
    close() {
      this.readyState = 3;
    }
    open() {
      this.readyState = 1;
      this.onopen();
    }
    say(message: Json) {
      this.onmessage({ data: JSON.stringify(message) });
    }
    /** Answers the watches without an answer. */
    answer() {
      for (const { experiment } of this.messages
        .filter(({ type }) => type === "watch")
        .slice(this.answered)) {
        this.answered++;
        this.say({ type: "experiment", experiment, state: server.experiments[experiment] });
      }
    }
    cut(code = 1006) {
      this.readyState = 3;
      this.onclose({ code });
    }
    commands() {
      return this.messages.filter(({ type }) => type === "command");
    }
  }

  const address = { fragment };
  const clock = { now: 0, signal: (_: Signal) => {} };
  let ids = 0;
  let secrets = 0;
  const app = createApp({
    fetch: fetch as Environment["fetch"],
    WebSocket: Socket as unknown as Environment["WebSocket"],
    address: "http://lab",
    isEmbedded,
    fps: 10,
    now: () => clock.now,
    hidden: () => false,
    random: () => 0,
    uuid: () => `id${++ids}`,
    secret: () => `${++secrets}`.padStart(32, "0"),
    storage: {
      getItem: (key) => memory.get(key) ?? null,
      setItem: (key, value) => void memory.set(key, value),
      removeItem: (key) => void memory.delete(key),
    },
    setTimeout: (run, ms) => setTimeout(run, ms / haste).unref(),
    clearTimeout,
    listen: (hear) => void (clock.signal = hear),
    fragment: () => address.fragment,
    setFragment: (next) => void (address.fragment = next),
  });
  return {
    app,
    server,
    clock,
    address,
    memory,
    socket: () => server.sockets[server.sockets.length - 1],
    inStorage: (key: string) => JSON.parse(memory.get(key) ?? "null"),
  };
}

/** Connected, with the experiment that the page opened. */
export async function live(options: World = {}) {
  const all = world(options);
  await all.app.start();
  all.socket().open();
  all.socket().answer();
  return { ...all, id: all.app.store.get().experiment?.id ?? "" };
}
