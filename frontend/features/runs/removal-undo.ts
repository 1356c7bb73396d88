/**
 * Undo for a removed run: it returns at step 0 with its settings, edits and name.
 * Owns: runs removed here, until the server confirms.
 */

import { recipeNow } from "../../core/recipes.ts";
import { isLeaving } from "../../core/selectors.ts";
import type { Json, Store } from "../../core/types.ts";

type Removed = { experiment: string; recipe: Json };

export function createRemovalUndo({
  store,
  command,
  notify,
}: {
  store: Store;
  command: (what: string, run: string | null, body?: Json) => void;
  notify: (label: string, undo: () => void) => void; // called when it is removed
}) {
  /** Removals without an answer, by run name. */
  const requests: Map<string, Removed> = new Map();

  return {
    remove(name: string) {
      const state = store.get();
      const recipe = recipeNow(state)?.runs.find((run) => run.name === name);
      if (state.experiment && recipe)
        requests.set(name, { experiment: state.experiment.id, recipe });
      command("remove_run", name);
    },
    /** Called after each answer. */
    answered() {
      for (const [name, { experiment, recipe }] of [...requests]) {
        if (isLeaving(store.get(), name)) continue;
        requests.delete(name);
        const now = store.get();
        if (now.experiment?.id === experiment && !now.runs[name])
          notify(recipe.label, () => command("add_run", null, recipe));
      }
    },
  };
}
