// The page's whole logic against a server in memory; the test controls REST, socket, storage,
// address and clock.

import { createApp } from "../../frontend/app.ts";
import { answer, catalog, columns } from "./fake-server.ts";

export const exhibit = {
  name: "notebook",
  title: "The notebook",
  line: "",
  sentences: [],
  recipe: { data: { seed: 17 } },
};
export const wide = {
  name: "wide",
  title: "Wide",
  line: "",
  sentences: [],
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
export const settle = () => new Promise((go) => setImmediate(() => setImmediate(go)));

/** A browser and a server; `experiments` exist on the server; `haste` shortens timers. */
export function world({ stored = {}, experiments = {}, fragment = "", haste = 1 } = {}) {
  const memory = new Map(
    Object.entries(stored).map(([key, value]) => [key, JSON.stringify(value)]),
  );
  const server = {
    experiments: { ...experiments },
    calls: [],
    owners: [],
    sockets: [],
    created: 0,
    isDown: false,
    refuse: null,
    hold: () => {},
  };
  const respond = (status, body) => ({
    ok: status < 400,
    status,
    statusText: "",
    json: async () => body,
  });
  /** The server's answer about a range. */
  server.history = (query) =>
    respond(200, columns(Number(query.get("since")), Number(query.get("until"))));

  async function fetch(url, { method, body, headers }) {
    const path = new URL(url).pathname.replace("/api/v1", "");
    server.calls.push(`${method} ${path}`);
    server.owners.push(headers?.["Fallline-Owner"] ?? null);
    if (server.isDown) throw new TypeError("nobody there");
    if (path === "/healthz") return respond(server.answers ?? 200, {});
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
      const id = `made${++server.created}`;
      server.posted = JSON.parse(body);
      server.experiments[id] = answer(server.posted.runs ? { id, recipe: server.posted } : { id });
      await server.hold(id);
      return respond(201, { ...server.experiments[id], token: `token of ${id}` });
    }
    const [, , id, part] = path.split("/");
    if (!server.experiments[id]) return respond(404, { title: "Not found", status: 404 });
    if (path.endsWith("/history")) return server.history(new URL(url).searchParams);
    if (method === "DELETE") return respond(204, null);
    return respond(
      200,
      part === "figures"
        ? { data: [], layout: {} }
        : part
          ? { layers: [] }
          : server.experiments[id],
    );
  }

  class Socket {
    readyState = 0;
    messages = [];
    answered = 0;
    constructor() {
      server.sockets.push(this);
    }
    send(text) {
      this.messages.push(JSON.parse(text));
    }
    close() {
      this.readyState = 3;
    }
    open() {
      this.readyState = 1;
      this.onopen();
    }
    say(message) {
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
  const clock = { now: 0, signal: null };
  let ids = 0;
  let secrets = 0;
  const app = createApp({
    fetch,
    WebSocket: Socket,
    address: "http://lab",
    fps: 10,
    now: () => clock.now,
    hidden: () => false,
    narrow: () => false,
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
    listen: (hear) => (clock.signal = hear),
    fragment: () => address.fragment,
    setFragment: (next) => void (address.fragment = next),
  });
  return {
    app,
    server,
    clock,
    address,
    socket: () => server.sockets.at(-1),
    inStorage: (key) => JSON.parse(memory.get(key) ?? "null"),
  };
}

/** Connected, with the experiment that the page opened. */
export async function live(options) {
  const all = world(options);
  await all.app.start();
  all.socket().open();
  all.socket().answer();
  return { ...all, id: all.app.store.get().experiment.id };
}
