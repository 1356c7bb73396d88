/**
 * Undo for a removed run: it returns at step 0 with its settings, edits and name.
 * Owns: runs removed here, until the server confirms.
 */

import { recipeNow } from "../state/recipes.js";
import { isLeaving } from "../state/selectors.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {{experiment: string, recipe: Json}} Removed */

/**
 * @param {object} given
 * @param {import("../state/types.js").Store} given.store
 * @param {(what: string, run: string|null, body?: Json) => void} given.command
 * @param {(label: string, undo: () => void) => void} given.tell  called when it is removed
 */
export function createRemovals({ store, command, tell }) {
  /** Removals without an answer, by run name. @type {Map<string, Removed>} */
  const asked = new Map();

  return {
    /** @param {string} name */
    remove(name) {
      const state = store.get();
      const recipe = recipeNow(state)?.runs.find((run) => run.name === name);
      if (state.experiment && recipe) asked.set(name, { experiment: state.experiment.id, recipe });
      command("remove_run", name);
    },
    /** Called after each answer. */
    answered() {
      for (const [name, { experiment, recipe }] of [...asked]) {
        if (isLeaving(store.get(), name)) continue;
        asked.delete(name);
        const now = store.get();
        if (now.experiment?.id === experiment && !now.runs[name]) tell(recipe.label, () => command("add_run", null, recipe));
      }
    },
  };
}
