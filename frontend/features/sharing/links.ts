/**
 * The content of a link: a recipe with its edits, steps of its runs, and the view.
 * Owns: its shape in all versions, and errors of unreadable ones. Pure. link-packing.ts packs it
 * into an address.
 */

import { recipeNow } from "../../core/recipes.ts";
import * as texts from "../../words/english.ts";
import type { Json, Measure, Recipe, State, XAxis } from "../../core/types.ts";

/** absent fields keep the reader's own view */
interface LinkView {
  x?: XAxis;
  y?: "log" | "linear";
  measure?: Measure;
  run?: string; // selected and drawn
  hidden?: string[]; // runs
  look?: number; // a past step
}

/** steps to make for each run; none is step 0 */
export type Link = { recipe: Recipe; steps: Record<string, number>; view: LinkView };

export const VERSION = 1;

const VIEWS = {
  x: ["steps", "epochs", "samples", "seconds"],
  y: ["log", "linear"],
  measure: ["grad_l1", "grad_l2", "grad_mean", "ratio", "whole"],
} as const;

/** A link that cannot be opened, with words for the page. */
export class UnreadableLink extends Error {
  problem: { title: string; detail: string };

  constructor(detail: string, title = texts.thisLinkCannotBeOpened) {
    super(title);
    this.problem = { title, detail };
  }
}

export const CUT = texts.itIsIncompleteOrChangedCopy;
const NEWER = texts.aNewerFalllineMadeItOpen;

/** The experiment as a link: its recipe only, or its present state. */
export function linkOf(state: State, of: "recipe" | "moment"): Link | null {
  const recipe = recipeNow(state);
  if (!recipe) return null;
  const { view, runs, order, looking } = state;
  const hidden = order.filter((name) => runs[name].hidden);
  const shared: LinkView = { x: view.x, y: view.y, measure: view.measure };
  const run = view.isRunChosen ? view.networkRun : view.selectedRun;
  if (run && (view.isRunChosen || run !== order[0])) shared.run = run;
  if (hidden.length) shared.hidden = hidden;
  if (of === "recipe") return { recipe, steps: {}, view: shared };
  if (looking) shared.look = looking.step;
  // a diverged run diverges again one step after its last
  const steps = order.map((name) => [
    name,
    runs[name].step + (runs[name].status === "diverged" ? 1 : 0),
  ]);
  return { recipe, steps: Object.fromEntries(steps.filter(([, step]) => step)), view: shared };
}

/** Version 0 had one step for all runs, and no view. */
const UPCASTS: ((old: Json) => Json)[] = [
  ({ recipe, step = 0 }) => ({
    recipe,
    steps: Object.fromEntries((recipe?.runs ?? []).map((run: Json) => [run.name, step])),
    view: {},
  }),
];

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isStep = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;

/** Converts a link's content to the present version. The server checks the recipe. */
export function readLink(version: number, content: unknown): Link {
  if (!Number.isInteger(version) || version < 0) throw new UnreadableLink(CUT);
  if (version > VERSION) throw new UnreadableLink(NEWER);
  if (!isObject(content)) throw new UnreadableLink(CUT);
  const {
    recipe,
    steps = {},
    view = {},
  } = UPCASTS.slice(version).reduce((old, upcast) => upcast(old), content);
  const isWhole =
    isObject(recipe) &&
    Array.isArray(recipe.runs) &&
    isObject(steps) &&
    isObject(view) &&
    Object.values(steps).every(isStep);
  if (!isWhole) throw new UnreadableLink(CUT);
  return { recipe: recipe as any, steps, view: readView(view) };
}

function readView({ run, hidden, look, ...choices }: Json): LinkView {
  const valid = Object.entries(VIEWS).filter(([name, values]) =>
    (values as readonly string[]).includes(choices[name]),
  );
  return {
    ...Object.fromEntries(valid.map(([name]) => [name, choices[name]])),
    ...(typeof run === "string" ? { run } : {}),
    ...(Array.isArray(hidden) ? { hidden: hidden.filter((name) => typeof name === "string") } : {}),
    ...(isStep(look) ? { look } : {}),
  };
}

/**
 * The next command towards the steps of a link: all runs together where they have the same way.
 * Null when they are there.
 */
export function nextSteps({ order, runs }: State, steps: Record<string, number>): Json | null {
  const left = order.map((name) => ({
    run: name,
    steps: runs[name].status === "diverged" ? 0 : (steps[name] ?? 0) - runs[name].step,
  }));
  const first = left.find((each) => each.steps > 0);
  if (!first) return null;
  const isSame = left.every((each) => each.steps === first.steps);
  const most = Math.min(first.steps, 1_000_000);
  return isSame ? { steps: most } : { run: first.run, steps: most };
}
