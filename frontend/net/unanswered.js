/**
 * Commands without an acknowledgement. They are sent again after a cut, and later if they came too fast, with the same
 * id, so that each runs once.
 * Owns: this list, oldest first.
 */

/** @typedef {import("../state/types.js").Json} Json */

/** Seconds before a command that came too fast is sent again, unless the server says more. */
const LEAST_WAIT = 1;

export function createUnanswered() {
  /** @type {Map<string, Json>} */
  const commands = new Map();
  /** Times at which commands that came too fast are sent again. @type {Map<string, number>} */
  const postponed = new Map();

  return {
    /** @param {Json} message */
    add: (message) => void commands.set(message.id, message),
    /** @param {string|null} id */
    has: (id) => id !== null && commands.has(id),
    /** True if the answer was expected. @param {string|null} id */
    settle: (id) => id !== null && commands.delete(id),
    /** @param {string} id @param {number} now @param {number} [seconds] */
    postpone: (id, now, seconds = LEAST_WAIT) => void postponed.set(id, now + 1000 * Math.max(LEAST_WAIT, seconds)),
    /** Commands that are due again. @param {number} now */
    due(now) {
      const ids = [...postponed].filter(([, at]) => at <= now).map(([id]) => id);
      ids.forEach((id) => postponed.delete(id));
      return ids.flatMap((id) => commands.get(id) ?? []);
    },
    /** All of them, for a new connection, where nothing is postponed. */
    all() {
      postponed.clear();
      return [...commands.values()];
    },
    clear: () => [commands, postponed].forEach((queue) => queue.clear()),
    get size() { return commands.size; },
  };
}
