// The page's logic against a real server, without a page: trains, loses the connection, returns,
// and compares its
// columns with the server's history. Prints one JSON object. Usage: node live-page.ts
// http://host:port
// seconds-offline

import { createApp } from "../../frontend/app.ts";
import type { Json, RunSeries, State } from "../../frontend/core/types.ts";

const [address, dark] = [process.argv[2], Number(process.argv[3])];
const wait = (ms: number) => new Promise((go) => setTimeout(go, ms));
const memory: Map<string, string> = new Map();
const net = { down: false, open: new Set<WebSocket>() };

/** A socket that fails at once while offline. */
class Socket extends WebSocket {
  constructor(url: string) {
    super(net.down ? "ws://127.0.0.1:9/" : url);
    net.open.add(this);
  }
}

const app = createApp({
  fetch,
  WebSocket: Socket,
  address,
  fps: 30,
  now: () => performance.now(),
  hidden: () => false,
  random: Math.random,
  uuid: () => crypto.randomUUID(),
  secret: () => crypto.randomUUID().replaceAll("-", ""),
  storage: {
    getItem: (key) => memory.get(key) ?? null,
    setItem: (key, value) => void memory.set(key, value),
    removeItem: (key) => void memory.delete(key),
  },
  setTimeout,
  clearTimeout,
  listen: () => {},
  fragment: () => "",
  setFragment: () => {},
});

async function until(holds: (state: State) => boolean, what: string) {
  for (let tries = 0; tries < 400; tries++, await wait(50)) if (holds(app.store.get())) return;
  throw new Error(`waited in vain for ${what}: ${JSON.stringify(app.store.get().connection)}`);
}

/** Frames may round these to float32: they are drawn over decades. */
const SHORT = /^(grad_|ratio\/)/;

/** Compares every held bucket with the server's steps. */
function differences(series: RunSeries, steps: Json) {
  const wrong: string[] = [];
  let next = 0;
  for (let k = 0; k < series.length; k++) {
    const [first, last] = [series.first[k], series.last[k]];
    if (first !== next) wrong.push(`gap before ${first}`);
    next = last + 1;
    for (const name of series.names()) {
      const stat = series.values(name);
      if (!stat) continue;
      const finite = (key: string): number[] =>
        steps.series[name][key].slice(first, next).filter((value: number | null) => value !== null);
      const { min, max, mean, last: final } = stat;
      const values = finite("mean");
      if (!values.length) continue;
      const average = values.reduce((sum, value) => sum + value, 0) / values.length;
      const isShort = SHORT.test(name);
      const equal = (one: number, other: number) =>
        one === other || (isShort && Math.fround(one) === Math.fround(other));
      const same =
        equal(min[k], Math.min(...finite("min"))) &&
        equal(max[k], Math.max(...finite("max"))) &&
        equal(final[k], values.at(-1)!);
      if (!same || Math.abs(mean[k] - average) > (isShort ? 1e-7 : 1e-12) * Math.abs(average))
        wrong.push(`${name} in ${first}..${last}`);
    }
  }
  return { wrong, end: next };
}

await app.start();
await until(({ connection }) => connection.status === "ready", "a line");
app.setSpeed(100);
app.play();
await until(({ runs }) => runs.gd.step > 60, "steps");
app.edit("gd", { batch_size: 1 });

net.down = true;
for (const socket of net.open) socket.close();
await until(({ connection }) => connection.status === "reconnecting", "the cut");
const at = app.store.get().runs.gd.step;
app.edit("sgd", { learning_rate: 0.05 });
await wait(dark * 1000);
net.down = false;
app.retryNow();
await until(
  ({ connection, pending }) => connection.status === "live" && !Object.keys(pending).length,
  "the line to be back",
);
app.pause();
await until(
  ({ playback, pending }) => !playback.playing && !Object.keys(pending).length,
  "the pause",
);
await wait(300);

const { experiment, runs } = app.store.get();
const report: Json = { cut_at: at, runs: {} };
for (const name of ["gd", "sgd"]) {
  const answer = await fetch(
    `${address}/api/v1/experiments/${experiment!.id}/runs/${name}/history?buckets=10000`,
  );
  const { wrong, end } = differences(app.series.of(name)!, await answer.json());
  report.runs[name] = {
    step: runs[name].step,
    held: end,
    wrong: wrong.slice(0, 5),
    edits: runs[name].edits,
  };
}
console.log(JSON.stringify(report));
app.stop();
process.exit(0);
