/**
 * Commands on their way: an id for ever, a place under `pending`, a message for the session.
 * Owns: the shape of a command, and that of one kind only one is on its way: what is asked for meanwhile waits and is
 * joined to what waits already, so that a held key or a dragged slider never asks more of the server than it answers. A
 * reset keeps its place among them.
 * Must not know sockets or answers.
 */

import { mergedEdits } from "../state/settings.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Message} Message */
/** @typedef {import("../state/types.js").PendingCommand} PendingCommand */

/** Commands of one kind undo or outdo each other; those without a kind all go. @type {Record<string, (run: string|null) => string>} */
const KINDS = {
  play: () => "drive",
  pause: () => "drive",
  edit: (run) => `edit ${run}`,
  reset: (run) => `reset ${run ?? ""}`,
};

/** @param {string} what @param {string|null} run */
const kindOf = (what, run) => KINDS[what]?.(run) ?? null;

/**
 * @param {object} given
 * @param {() => string} given.uuid
 * @param {() => string|null} given.experiment  the one that is watched
 * @param {() => Record<string, PendingCommand>} given.pending  not yet answered, those that wait included
 * @param {() => import("../state/types.js").Catalog|null} given.catalog
 * @param {(message: Message) => void} given.dispatch
 * @param {(message: Json) => void} given.send
 */
export function createCommands({ uuid, experiment, pending, catalog, dispatch, send }) {
  /** Asked for and not sent yet. @type {Set<string>} */
  const waiting = new Set();

  /** @param {PendingCommand} one @param {PendingCommand} other */
  const areOfOneKind = (one, other) => {
    const kind = kindOf(one.do, one.run);
    return kind !== null && kind === kindOf(other.do, other.run);
  };

  /**
   * What is of a kind goes one by one; and what waits is not overtaken by a reset, nor a reset that waits by anything.
   * @param {string} id  of the earlier one
   * @param {PendingCommand} earlier
   * @param {PendingCommand} later
   */
  function mustFollow(id, earlier, later) {
    return areOfOneKind(earlier, later) || (waiting.has(id) && (earlier.do === "reset" || later.do === "reset"));
  }

  /** Those asked for before that this one has to wait for. @param {PendingCommand} command @param {string|null} [id]  null: asked for now */
  function before(command, id = null) {
    const asked = Object.entries(pending());
    const place = asked.findIndex(([other]) => other === id);
    return asked.slice(0, place < 0 ? asked.length : place).filter(([other, earlier]) => mustFollow(other, earlier, command));
  }

  /** What a newer command of the same kind makes of one that still waits. @param {PendingCommand} held @param {Json} body */
  const joined = (held, body) => (held.do === "edit" ? mergedEdits(held.body, body, catalog()) : body);

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
    const held = others.find(([id, other]) => waiting.has(id) && areOfOneKind(other, fresh));
    const asked = held ? { ...fresh, body: joined(held[1], body) } : fresh;
    const id = held ? held[0] : uuid();
    if (others.length) waiting.add(id);
    dispatch({ type: "sent", id, ...asked });
    if (!others.length) go(id, asked);
  }

  /** Something was answered: what waited for it goes. What is no longer pending was left with its experiment. */
  function answered() {
    for (const id of [...waiting]) {
      const asked = pending()[id];
      const isNext = asked && !before(asked, id).length;
      if (!asked || isNext) waiting.delete(id);
      if (isNext) go(id, asked);
    }
  }

  return { command, answered };
}
