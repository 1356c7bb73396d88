/**
 * Commands: a unique id, a place under `pending`, a message for the session.
 * Owns: the shape of a command, and its queue. Only one command of a kind is in flight. Later ones
 * wait and are merged, so that a held key sends no faster than the server answers. A reset keeps
 * its place in the queue.
 */

import { mergedEdits } from "../settings.ts";
import type { Json, PendingCommand, Store } from "../types.ts";

/** Commands of one kind cancel or replace each other; those without a kind are all sent. */
const KINDS: Record<string, (run: string | null) => string> = {
  play: () => "drive",
  pause: () => "drive",
  edit: (run) => `edit ${run}`,
  reset: (run) => `reset ${run ?? ""}`,
};

const kindOf = (what: string, run: string | null) => KINDS[what]?.(run) ?? null;

export function createCommands(store: Store, uuid: () => string, send: (message: Json) => void) {
  /** The one being watched. */
  const experiment = () => store.get().experiment?.id ?? null;
  /** Unanswered commands, including waiting ones. */
  const pending = () => store.get().pending;
  /** Commands not sent yet. */
  const waiting: Set<string> = new Set();

  const areOfOneKind = (one: PendingCommand, other: PendingCommand) => {
    const kind = kindOf(one.do, one.run);
    return kind !== null && kind === kindOf(other.do, other.run);
  };

  /**
   * Commands of a kind go one by one. Nothing overtakes a reset, and a reset overtakes nothing.
   * @param id of the earlier one
   */
  function mustFollow(id: string, earlier: PendingCommand, later: PendingCommand) {
    return (
      areOfOneKind(earlier, later) ||
      (waiting.has(id) && (earlier.do === "reset" || later.do === "reset"))
    );
  }

  /**
   * Earlier commands that this one must wait for.
   * @param id null for a new command
   */
  function before(command: PendingCommand, id: string | null = null) {
    const queue = Object.entries(pending());
    const place = queue.findIndex(([other]) => other === id);
    return queue
      .slice(0, place < 0 ? queue.length : place)
      .filter(([other, earlier]) => mustFollow(other, earlier, command));
  }

  /** Merges a newer command into a waiting one of the same kind. */
  const joined = (earlier: PendingCommand, body: Json) =>
    earlier.do === "edit" ? mergedEdits(earlier.body, body, store.get().catalog) : body;

  function go(id: string, { do: what, run, body }: PendingCommand) {
    send({
      type: "command",
      id,
      experiment: experiment(),
      do: what,
      ...(run === null ? {} : { run }),
      ...body,
    });
  }

  /** @param what play, pause, step, reset, edit, add_run, remove_run */
  function command(what: string, run: string | null = null, body: Json = {}) {
    if (!experiment()) return;
    const fresh = { do: what, run, body };
    const others = before(fresh);
    const waitingOne = others.find(([id, other]) => waiting.has(id) && areOfOneKind(other, fresh));
    const merged = waitingOne ? { ...fresh, body: joined(waitingOne[1], body) } : fresh;
    const id = waitingOne ? waitingOne[0] : uuid();
    if (others.length) waiting.add(id);
    store.dispatch({ type: "sent", id, ...merged });
    if (!others.length) go(id, merged);
  }

  /**
   * After an answer, sends what waited for it. Commands no longer pending belong to an experiment
   * left behind.
   */
  function answered() {
    for (const id of [...waiting]) {
      const entry = pending()[id];
      const isNext = entry && !before(entry, id).length;
      if (!entry || isNext) waiting.delete(id);
      if (isNext) go(id, entry);
    }
  }

  return { command, answered };
}
