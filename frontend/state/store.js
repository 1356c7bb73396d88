/**
 * Holds the page's state.
 * Owns: which listeners get which slice, and when.
 */

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Store} Store */

/**
 * @param {unknown} a
 * @param {unknown} b
 */
function isSame(a, b) {
  if (Object.is(a, b)) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((item, place) => Object.is(item, b[place]));
}

/**
 * A selector may return an array to watch several values; they are compared one by one.
 * @param {State} initial
 * @param {(state: State, message: Message) => State} reduce
 * @returns {Store}
 */
export function createStore(initial, reduce) {
  let state = initial;
  /** @type {Set<() => void>} */
  const watchers = new Set();

  /** @param {Message} message */
  function dispatch(message) {
    const next = reduce(state, message);
    if (next === state) return;
    state = next;
    for (const notify of [...watchers]) if (watchers.has(notify)) notify();
  }

  /** @type {Store["watch"]} */
  function watch(select, listener) {
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
