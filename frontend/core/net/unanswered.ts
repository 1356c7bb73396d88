/**
 * Commands without an acknowledgement. They are sent again after a cut, and later if they came too
 * fast, with the same id, so that each runs once.
 * Owns: this list, oldest first.
 */

import type { Json } from "../types.ts";

/** Seconds before a command that came too fast is sent again, unless the server says more. */
const LEAST_WAIT = 1;

export function createUnanswered() {
  const commands: Map<string, Json> = new Map();
  /** Times at which commands that came too fast are sent again. */
  const postponed: Map<string, number> = new Map();

  return {
    add: (message: Json) => void commands.set(message.id, message),
    has: (id: string | null) => id !== null && commands.has(id),
    /** True if the answer was expected. */
    settle: (id: string | null) => id !== null && commands.delete(id),
    postpone: (id: string, now: number, seconds = LEAST_WAIT) =>
      void postponed.set(id, now + 1000 * Math.max(LEAST_WAIT, seconds)),
    /** Commands that are due again. */
    due(now: number) {
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
    get size() {
      return commands.size;
    },
  };
}
