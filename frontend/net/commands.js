/**
 * Commands: a unique id, a place under `pending`, a message for the session.
 * Owns: the shape of a command, and its queue. Only one command of a kind is in flight. Later ones wait and are
 * merged, so that a held key sends no faster than the server answers. A reset keeps its place in the queue.
 */

import { mergedEdits } from "../state/settings.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Message} Message */
/** @typedef {import("../state/types.js").PendingCommand} PendingCommand */

/** Commands of one kind cancel or replace each other; those without a kind are all sent. @type {Record<string, (run: string|null) => string>} */
const KINDS = {
  play: () => "drive",
  pause: () => "drive",
  edit: (run) => `edit ${run}`,
  reset: (run) => `reset ${run ?? ""}`,
};

/** @param {string} what @param {string|null} run */
const kindOf = (what, run) => KINDS[what]?.(run) ?? null;

/**
 * @param {object} options
 * @param {() => string} options.uuid
 * @param {() => string|null} options.experiment  the one being watched
 * @param {() => Record<string, PendingCommand>} options.pending  unanswered commands, including those that wait
 * @param {() => import("../state/types.js").Catalog|null} options.catalog
 * @param {(message: Message) => void} options.dispatch
 * @param {(message: Json) => void} options.send
 */
export function createCommands({ uuid, experiment, pending, catalog, dispatch, send }) {
  /** Commands not sent yet. @type {Set<string>} */
  const waiting = new Set();

  /** @param {PendingCommand} one @param {PendingCommand} other */
  const areOfOneKind = (one, other) => {
    const kind = kindOf(one.do, one.run);
    return kind !== null && kind === kindOf(other.do, other.run);
  };

  /**
   * Commands of a kind go one by one. Nothing overtakes a reset, and a reset overtakes nothing.
   * @param {string} id  of the earlier one
   * @param {PendingCommand} earlier
   * @param {PendingCommand} later
   */
  function mustFollow(id, earlier, later) {
    return areOfOneKind(earlier, later) || (waiting.has(id) && (earlier.do === "reset" || later.do === "reset"));
  }

  /** Earlier commands that this one must wait for. @param {PendingCommand} command @param {string|null} [id]  null for a new command */
  function before(command, id = null) {
    const queue = Object.entries(pending());
    const place = queue.findIndex(([other]) => other === id);
    return queue.slice(0, place < 0 ? queue.length : place).filter(([other, earlier]) => mustFollow(other, earlier, command));
  }

  /** Merges a newer command into a waiting one of the same kind. @param {PendingCommand} earlier @param {Json} body */
  const joined = (earlier, body) => (earlier.do === "edit" ? mergedEdits(earlier.body, body, catalog()) : body);

  /** @param {string} id @param {PendingCommand} command */
  function go(id, { do: what, run, body }) {
    send({ type: "command", id, experiment: experiment(), do: what, ...(run === null ? {} : { run }), ...body });
  }

  /**
   * @param {string} what  play, pause, step, reset, edit, add_run, remove_run
   * @param {string|null} [run]
   * @param {Json} [body]
   */
  function command(what, run = null, body = {}) {
    if (!experiment()) return;
    const fresh = { do: what, run, body };
    const others = before(fresh);
    const waitingOne = others.find(([id, other]) => waiting.has(id) && areOfOneKind(other, fresh));
    const merged = waitingOne ? { ...fresh, body: joined(waitingOne[1], body) } : fresh;
    const id = waitingOne ? waitingOne[0] : uuid();
    if (others.length) waiting.add(id);
    dispatch({ type: "sent", id, ...merged });
    if (!others.length) go(id, merged);
  }

  /** After an answer, sends what waited for it. Commands no longer pending belong to an experiment left behind. */
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
