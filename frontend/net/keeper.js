/**
 * What this browser remembers between visits: the experiment with its token and recipe, the one that was left for a link's, and
 * how the page is set.
 * Owns: names and shapes in the storage. A thing that cannot be read counts as not there.
 */

import { recipeNow } from "../state/recipes.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Store} Store */
/** @typedef {import("../state/types.js").Environment} Environment */
/** @typedef {{id: string, token: string|null, recipe: import("../state/types.js").Recipe}} Kept */

const EXPERIMENT = "fallline.experiment";
const FORMER = "fallline.former";
const VIEW = "fallline.view";
const LASTING = /** @type {const} */ (["x", "y", "measure", "theme", "singleKeys", "closedNote"]);

/** @param {Environment["storage"]} storage */
export function createKeeper(storage) {
  /** @param {string} key */
  function read(key) {
    try {
      return JSON.parse(storage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {string} key @param {unknown} value */
  function write(key, value) {
    try {
      storage.setItem(key, JSON.stringify(value));
    } catch {
      // full or forbidden: the page works on, a reload starts afresh
    }
  }

  /** One's own stays what one comes back to while one watches somebody else's. @param {State} state */
  function keepExperiment(state) {
    const { experiment, isWatching } = state;
    if (experiment && !isWatching) write(EXPERIMENT, { id: experiment.id, token: experiment.token, recipe: recipeNow(state) });
  }

  /** @param {string} key @returns {Kept|null} */
  function kept(key) {
    const found = read(key);
    return typeof found?.id === "string" && found.recipe ? found : null;
  }

  return {
    experiment: () => kept(EXPERIMENT),
    former: () => kept(FORMER),
    /** @param {Kept|null} left */
    keepFormer: (left) => (left ? write(FORMER, left) : storage.removeItem(FORMER)),
    /** Only what a page of today knows. @returns {Partial<State["view"]>} */
    view() {
      const kept = read(VIEW) ?? {};
      return Object.fromEntries(LASTING.filter((name) => name in kept).map((name) => [name, kept[name]]));
    },
    forget: () => storage.removeItem(EXPERIMENT),
    /** @param {Store} store */
    follow(store) {
      const stories = [
        store.watch(
          ({ experiment, order, runs }) => [experiment?.id, experiment?.token, experiment?.recipe, ...order.flatMap((name) => [runs[name].edits, runs[name].label])],
          (_, state) => keepExperiment(state),
        ),
        store.watch(
          ({ view }) => LASTING.map((name) => view[name]),
          (_, { view }) => write(VIEW, Object.fromEntries(LASTING.map((name) => [name, view[name]]))),
        ),
      ];
      return () => stories.forEach((stop) => stop());
    },
  };
}
