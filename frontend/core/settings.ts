/**
 * The settings in force in a run: its recipe, edits and unanswered commands.
 * Owns: applying edits in order, as the server does.
 */

import { defaultsOf, ownNames } from "./catalog.ts";
import type { Catalog, Edit, Json, Run, RunRecipe, State } from "./types.ts";

/** Settings shared by all optimizers: they stay when the optimizer changes. */
function withoutOwn(settings: Json, catalog: Catalog | null) {
  const own = ownNames(catalog, "optimizers");
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !own.has(name)));
}

/** Drawing layers again happens once and is no setting. */
export function changed(
  settings: Json,
  { redraw: _, ...change }: Json,
  catalog: Catalog | null,
): Run["settings"] {
  const optimizer = change.optimizer ?? settings.optimizer;
  const isOther = optimizer !== settings.optimizer;
  const before = isOther
    ? { ...withoutOwn(settings, catalog), ...defaultsOf(catalog, "optimizers", optimizer) }
    : settings;
  return { ...before, ...change, optimizer } as Run["settings"];
}

export function inForce(
  recipe: RunRecipe,
  edits: Edit[],
  pending: Json[],
  catalog: Catalog | null,
): Run["settings"] {
  const { name, label, seed, origin, edits: _, ...start } = recipe;
  const changes = [...edits.map(({ at_step, ...change }) => change), ...pending];
  const settings = changed(
    {
      ...defaultsOf(catalog, "optimizers", recipe.optimizer),
      ...start,
      optimizer: recipe.optimizer,
    },
    {},
    catalog,
  );
  return changes.reduce(
    (before: Run["settings"], change) => changed(before, change, catalog),
    settings,
  );
}

/**
 * Merges two changes of a run; the later wins. Another optimizer drops the settings of the one
 * before.
 */
export function mergedEdits(change: Json, later: Json, catalog: Catalog | null): Json {
  const isOther = later.optimizer !== undefined && later.optimizer !== change.optimizer;
  return { ...(isOther ? withoutOwn(change, catalog) : change), ...later };
}

/** Edits at one step merge; the later wins, as on the server. */
export function withEdit(edits: Edit[], edit: Edit, catalog: Catalog | null): Edit[] {
  const same = edits.find(({ at_step }) => at_step === edit.at_step);
  if (!same) return [...edits, edit].sort((a, b) => a.at_step - b.at_step);
  return edits.map((other) =>
    other === same ? (mergedEdits(same, edit, catalog) as Edit) : other,
  );
}

/** Unanswered changes of a run. */
export function pendingChanges(state: State, run: string): Json[] {
  return Object.values(state.pending)
    .filter((command) => command.do === "edit" && command.run === run)
    .map(({ body: { label, ...change } }) => change);
}

/** The run's recipe with its present settings and no edits, as after a reset. */
export function fromNow(recipe: RunRecipe, run: Run): RunRecipe {
  return { name: recipe.name, label: run.label, seed: recipe.seed, ...run.settings, edits: [] };
}
