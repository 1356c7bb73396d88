/**
 * Holds the page's state.
 * Owns: which listeners get which slice, and when.
 */

import type { Message, State, Store } from "./types.ts";

function isSame(a: unknown, b: unknown) {
  if (Object.is(a, b)) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((item, place) => Object.is(item, b[place]));
}

/** A selector may return an array to watch several values; they are compared one by one. */
export function createStore(
  initial: State,
  reduce: (state: State, message: Message) => State,
): Store {
  let state = initial;
  const watchers: Set<() => void> = new Set();

  function dispatch(message: Message) {
    const next = reduce(state, message);
    if (next === state) return;
    state = next;
    for (const notify of [...watchers]) if (watchers.has(notify)) notify();
  }

  function watch<T>(select: (state: State) => T, listener: (value: T, state: State) => void) {
    let last = select(state);
    const notify = () => {
      const value = select(state);
      if (isSame(value, last)) return;
      last = value;
      listener(value, state);
    };
    watchers.add(notify);
    return () => void watchers.delete(notify);
  }

  return { get: () => state, dispatch, watch };
}
