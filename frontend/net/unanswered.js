/**
 * Commands that the server has not acknowledged: they go again after a cut, and after a pause where they came too fast, with
 * the same id, so that each is done once.
 * Owns: which these are, oldest first. Must not know sockets, or what a command does.
 */

/** @typedef {import("../state/types.js").Json} Json */

/** Seconds before a command that came too fast goes again, where the server does not say more. */
const LEAST_WAIT = 1;

export function createUnanswered() {
  /** @type {Map<string, Json>} */
  const commands = new Map();
  /** When those that came too fast go again. @type {Map<string, number>} */
  const postponed = new Map();

  return {
    /** @param {Json} message */
    add: (message) => void commands.set(message.id, message),
    /** @param {string|null} id */
    has: (id) => id !== null && commands.has(id),
    /** An answer came: was it waited for? @param {string|null} id */
    settle: (id) => id !== null && commands.delete(id),
    /** @param {string} id @param {number} now @param {number} [seconds] */
    postpone: (id, now, seconds = LEAST_WAIT) => void postponed.set(id, now + 1000 * Math.max(LEAST_WAIT, seconds)),
    /** Those whose time has come once more. @param {number} now */
    due(now) {
      const ids = [...postponed].filter(([, at]) => at <= now).map(([id]) => id);
      ids.forEach((id) => postponed.delete(id));
      return ids.flatMap((id) => commands.get(id) ?? []);
    },
    /** All of them, for a line that is new: nothing is postponed there. */
    all() {
      postponed.clear();
      return [...commands.values()];
    },
    clear: () => [commands, postponed].forEach((held) => held.clear()),
    get size() { return commands.size; },
  };
}
