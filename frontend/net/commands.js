/**
 * Commands on their way: an id for ever, a place under `pending`, a message for the session.
 * Owns: the shape of a command, and that of one kind only one is on its way: what is asked for meanwhile waits and is
 * joined to what waits already, so that a held key or a dragged slider never asks more of the server than it answers.
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

  /** @param {string} kind */
  const ofKind = (kind) => Object.entries(pending()).filter(([, { do: what, run }]) => kindOf(what, run) === kind);

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
    const kind = kindOf(what, run);
    const others = kind === null ? [] : ofKind(kind);
    const held = others.find(([id]) => waiting.has(id));
    const asked = { do: what, run, body: held ? joined(held[1], body) : body };
    const id = held ? held[0] : uuid();
    if (others.length) waiting.add(id);
    dispatch({ type: "sent", id, ...asked });
    if (!others.length) go(id, asked);
  }

  /** Something was answered: what waited for it goes. What is no longer pending was left with its experiment. */
  function answered() {
    for (const id of [...waiting]) {
      const asked = pending()[id];
      const kind = asked && kindOf(asked.do, asked.run);
      const isNext = kind && ofKind(kind).every(([other]) => other === id);
      if (!asked || isNext) waiting.delete(id);
      if (isNext) go(id, asked);
    }
  }

  return { command, answered };
}
