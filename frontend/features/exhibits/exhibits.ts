/**
 * The exhibit on the page, if any, and its words.
 * Owns: when a recipe is an exhibit's. Pure.
 */

import { rowOf, rowsOf } from "../../core/catalog.ts";
import { recipeNow } from "../../core/recipes.ts";
import type { Pace, Recipe, State, View } from "../../core/types.ts";

/** as in the catalog; its recipe is filled in */
export interface Exhibit {
  name: string;
  title: string;
  line: string; // a few words after "Press play:"
  sentences: string[]; // two that say what to look at
  recipe: Recipe;
  /** the view that shows it best */
  view: {
    x: View["x"];
    measure: View["measure"];
    panel?: View["panel"];
    speed: number;
    pace: Pace;
  };
  /** train losses by run, evenly along the axis; null if there is none */
  curves?: Record<string, (number | null)[]>;
}

export const OWN = "Your own experiment";

export const exhibitsOf = ({ catalog }: State): Exhibit[] =>
  rowsOf(catalog, "exhibits") as Exhibit[];

export const exhibitCalled = ({ catalog }: State, name: string) =>
  rowOf(catalog, "exhibits", name) as Exhibit | undefined;

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

/**
 * The exhibit with this recipe, edits included. A reset, a new label or a past view keeps it; any
 * change of numbers makes it an experiment of one's own.
 */
export function exhibitOf(state: State): Exhibit | null {
  const recipe = recipeNow(state);
  const exhibits = exhibitsOf(state);
  if (!recipe || !exhibits.length) return null;
  const now = essence(recipe);
  return exhibits.find((exhibit) => essence(exhibit.recipe) === now) ?? null;
}

/** The inputs of `exhibitOf`, for watching. */
export const exhibitParts = ({ catalog, experiment, order, runs }: State): unknown[] => [
  catalog,
  experiment?.recipe,
  ...order.map((name) => runs[name].edits),
];

/**
 * The page's title: the exhibit's, or a fixed one for an own experiment; "" before either is known.
 */
export const titleOf = (state: State) =>
  state.experiment && state.catalog ? (exhibitOf(state)?.title ?? OWN) : "";

/** The invitation, true of any experiment. */
export function invitationOf(state: State) {
  const line = exhibitOf(state)?.line;
  if (line) return `Press play: ${line}.`;
  const { length } = state.order;
  return length < 2
    ? "Press play, and watch the loss."
    : `Press play: ${length === 2 ? "both" : `all ${length}`} runs start from the same weights.`;
}

export const isUntouched = ({ runs }: State) =>
  Object.values(runs).every(({ step, generation }) => step === 0 && generation === 0);

/** Speed and pace of an exhibit not played yet; the first play sends them. */
export function playbackOf(state: State) {
  const view = state.experiment?.token && isUntouched(state) ? exhibitOf(state)?.view : undefined;
  return view ? { speed: view.speed, pace: view.pace } : null;
}

/** "Adam: both runs start at step 0." */
export function startWords({ title, recipe: { runs } }: Exhibit) {
  const who =
    runs.length === 1
      ? "the run starts"
      : runs.length === 2
        ? "both runs start"
        : `all ${runs.length} runs start`;
  return `${title}: ${who} at step 0.`;
}

/**
 * The curves as lines of a small drawing, on a shared log axis. Losses of 0 are left out.
 * @returns points of each, for a polyline
 */
export function linesOf(curves: (number | null)[][], width: number, height: number): string[] {
  const heights = curves.map((losses) =>
    losses.map((loss) => (loss !== null && loss > 0 ? Math.log10(loss) : null)),
  );
  const losses = heights.flat().filter((value) => value !== null);
  const [least, most] = [Math.min(...losses), Math.max(...losses)];
  const down = (value: number) =>
    most > least ? ((most - value) / (most - least)) * height : height / 2;
  return heights.map((losses) =>
    losses
      .flatMap((value, place) =>
        value === null
          ? []
          : [
              `${((place / Math.max(1, losses.length - 1)) * width).toFixed(1)},${down(value).toFixed(1)}`,
            ],
      )
      .join(" "),
  );
}
