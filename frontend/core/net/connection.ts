/**
 * Connects session, socket, store and columns: performs the session's actions that concern the
 * page.
 * Owns: the order of a frame: columns first, then state, then its credit.
 */

import { createSession } from "./session.ts";
import { createSocket } from "./socket.ts";
import { latestOf, unpacked } from "../columns.ts";
import type { ColumnStore } from "../series.ts";
import type { Environment, Json, Store } from "../types.ts";
import type { Action } from "./session.ts";

export type Connection = ReturnType<typeof createConnection>;

export function createConnection(environment: Environment, store: Store, series: ColumnStore) {
  const session = createSession(series, environment);
  const socket = createSocket(environment, session, perform);

  // slow draws at rest, as while the window changes its size, do not count; the next play begins anew
  store.watch(
    ({ isDrawingSlow, playback }) => isDrawingSlow && playback.playing,
    (isSlow) => isSlow && socket.handle({ type: "slow" }),
  );
  store.watch(
    ({ playback }) => playback.playing,
    (isPlaying) => isPlaying && socket.handle({ type: "fresh" }),
  );

  function perform(action: Action) {
    if (action.do === "dispatch") store.dispatch(action.message);
    if (action.do === "forget") series.forget(action.run);
    if (action.do === "apply") return apply(action.frame);
  }

  function apply({ runs }: Json) {
    const headers: Json = {};
    let torn = null;
    for (const [name, { columns: wire, ...header }] of Object.entries<Json>(runs)) {
      const columns = wire && unpacked(wire, session.series);
      const result = columns ? series.take(name, columns) : "taken";
      if (result === "gap") torn = name;
      headers[name] = { ...header, latest: columns && result === "taken" ? latestOf(columns) : {} };
    }
    store.dispatch({ type: "frame", runs: headers });
    return torn === null ? { type: "applied" } : { type: "gap", run: torn };
  }

  const SIGNALS = {
    online: "hurry",
    offline: "offline",
    visible: "visible",
    hidden: "hidden",
  } as const;
  return {
    handle: socket.handle,
    stop: socket.stop,
    /** True once the server has left the experiment watched before. */
    hasArrived: () => session.hasArrived,
    hear: (signal: keyof typeof SIGNALS) =>
      socket.handle({ type: SIGNALS[signal], isOnline: signal === "online" }),
  };
}
