/**
 * The exhibit on the page, if any.
 * Owns: when a recipe is an exhibit's. Pure.
 */

import { rowOf, rowsOf } from "./catalog.ts";
import { lanesOf } from "./lanes.ts";
import { recipeNow } from "./recipes.ts";
import type { Lane, Pace, Recipe, State, View } from "./types.ts";
import type { Question } from "./wire-types.ts";

/** as in the catalog; its recipe is filled in */
export interface Exhibit {
  name: string;
  title: string;
  line: string; // its topic in a few words
  question: Question;
  recipe: Recipe;
  /** the view that shows it best; `until` is the end of the question, in steps or samples (`x`) */
  view: {
    x: "steps" | "samples";
    measure: View["measure"];
    panel?: View["panel"];
    speed: number;
    pace: Pace;
    until: number;
  };
}

export const exhibitsOf = ({ catalog }: State): Exhibit[] =>
  rowsOf(catalog, "exhibits") as Exhibit[];

export const exhibitCalled = ({ catalog }: State, name: string) =>
  rowOf(catalog, "exhibits", name) as Exhibit | undefined;

/** The exhibit after this one; after the last comes the first. */
export function exhibitAfter(state: State, name: string): Exhibit {
  const exhibits = exhibitsOf(state);
  return exhibits[(exhibits.findIndex((each) => each.name === name) + 1) % exhibits.length];
}

/** The same text for equal values, in any order of fields. */
function canonical(value: any): string {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${key}:${canonical(value[key])}`)}}`;
}

/** The parts that decide the numbers: without names and order of runs. */
function essence({ runs = [], ...shared }: Recipe) {
  const plain = runs.map(({ label: _, ...run }) => canonical({ ...run, edits: run.edits ?? [] }));
  return canonical({ ...shared, runs: plain.sort() });
}

/** The inputs of `exhibitOf`, for watching. */
export const exhibitParts = ({ catalog, experiment, order, runs }: State): unknown[] => [
  catalog,
  experiment?.recipe,
  ...order.map((name) => runs[name].edits),
];

let last: { parts: unknown[]; exhibit: Exhibit | null } = { parts: [], exhibit: null };

/**
 * The exhibit with this recipe, edits included. A reset, a new label or a past view keeps it; any
 * change of numbers makes it an experiment of one's own. Called at every change of the state, so
 * the last answer is kept.
 */
export function exhibitOf(state: State): Exhibit | null {
  const parts = exhibitParts(state);
  const isSame =
    parts.length === last.parts.length && parts.every((part, place) => part === last.parts[place]);
  if (!isSame) last = { parts, exhibit: exhibitWith(state) };
  return last.exhibit;
}

function exhibitWith(state: State): Exhibit | null {
  const recipe = recipeNow(state);
  return recipe && exhibitOfRecipe(state, recipe);
}

function exhibitOfRecipe(state: State, recipe: Recipe) {
  const exhibits = exhibitsOf(state);
  if (!exhibits.length) return null;
  const now = essence(recipe);
  return exhibits.find((exhibit) => essence(exhibit.recipe) === now) ?? null;
}

/** In an exhibit runs have the lanes of their methods, even if others had their names before. */
export function exhibitLanes(state: State, recipe: Recipe): Record<string, Lane> {
  if (!exhibitOfRecipe(state, recipe)) return {};
  const lanes = lanesOf(recipe.runs);
  return Object.fromEntries(recipe.runs.map(({ name }, k) => [name, lanes[k]]));
}

export const isUntouched = ({ runs }: State) =>
  Object.values(runs).every(({ step, generation }) => step === 0 && generation === 0);

/** Speed and pace of an exhibit not played yet; the first play sends them. */
export function playbackOf(state: State) {
  const view = state.experiment?.token && isUntouched(state) ? exhibitOf(state)?.view : undefined;
  return view ? { speed: view.speed, pace: view.pace } : null;
}
