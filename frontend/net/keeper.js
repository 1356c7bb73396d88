/**
 * What this browser remembers between visits: its owner key, the experiment with its token and recipe, those that were left for a
 * link's, and how the page is set.
 * Owns: names and shapes in the storage. A thing that cannot be read counts as not there.
 */

import { recipeNow } from "../state/recipes.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Store} Store */
/** @typedef {import("../state/types.js").Environment} Environment */
/** @typedef {{id: string, token: string|null, recipe: import("../state/types.js").Recipe}} Kept */

const OWNER = "fallline.owner";
const KEY = /^[0-9a-f]{32}$/;
const EXPERIMENT = "fallline.experiment";
const FORMERS = "fallline.formers";
/** So many that were left for a link's are remembered. */
const MOST_FORMERS = 8;
const VIEW = "fallline.view";
const LASTING = /** @type {const} */ (["x", "y", "measure", "theme", "singleKeys", "closedNote", "closedDivergences"]);

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

  /** @param {any} found @returns {found is Kept} */
  const isWhole = (found) => typeof found?.id === "string" && Boolean(found.recipe);

  /** @returns {Kept[]} */
  function formers() {
    const found = read(FORMERS);
    return Array.isArray(found) ? found.filter(isWhole) : [];
  }

  /** Where nothing can be kept the key lasts as long as the page. */
  let owner = "";

  return {
    /**
     * The key under which this browser makes experiments and tables. It goes to the server with those calls and nowhere else.
     * @param {() => string} make  used once, when the first of them is made
     * @returns {string}
     */
    owner(make) {
      const kept = read(OWNER);
      if (typeof kept === "string" && KEY.test(kept)) return (owner = kept);
      write(OWNER, (owner ||= make()));
      return owner;
    },
    /** @returns {Kept|null} */
    experiment() {
      const found = read(EXPERIMENT);
      return isWhole(found) ? found : null;
    },
    /** The last that was left comes last. */
    formers,
    /** @param {Kept|null} left */
    addFormer: (left) => left && write(FORMERS, [...formers().filter(({ id }) => id !== left.id), left].slice(-MOST_FORMERS)),
    /** The last one is gone back to, and what is left for it comes first: who goes back again and again sees all of them. @param {Kept|null} left */
    turnFormers: (left) => write(FORMERS, [...(left ? [left] : []), ...formers().slice(0, -1)]),
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
