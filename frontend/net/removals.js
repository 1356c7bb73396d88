/**
 * Undo for a removed run: it returns at step 0 with its settings, edits and name.
 * Owns: runs removed here, until the server confirms.
 */

import { recipeNow } from "../state/recipes.js";
import { isLeaving } from "../state/selectors.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {{experiment: string, recipe: Json}} Removed */

/**
 * @param {object} options
 * @param {import("../state/types.js").Store} options.store
 * @param {(what: string, run: string|null, body?: Json) => void} options.command
 * @param {(label: string, undo: () => void) => void} options.notify  called when it is removed
 */
export function createRemovalUndo({ store, command, notify }) {
  /** Removals without an answer, by run name. @type {Map<string, Removed>} */
  const requests = new Map();

  return {
    /** @param {string} name */
    remove(name) {
      const state = store.get();
      const recipe = recipeNow(state)?.runs.find((run) => run.name === name);
      if (state.experiment && recipe) requests.set(name, { experiment: state.experiment.id, recipe });
      command("remove_run", name);
    },
    /** Called after each answer. */
    answered() {
      for (const [name, { experiment, recipe }] of [...requests]) {
        if (isLeaving(store.get(), name)) continue;
        requests.delete(name);
        const now = store.get();
        if (now.experiment?.id === experiment && !now.runs[name]) notify(recipe.label, () => command("add_run", null, recipe));
      }
    },
  };
}
