/**
 * The fall line: the loss over the plane of all visible runs' paths, and the runs on it.
 * Owns: how answers are read and merged, the region in view, and its words. Pure.
 */

import { decode } from "./columns.ts";
import { integer, listed, number } from "./format.ts";
import { isLeaving } from "./selectors.ts";
import { stateOnView, shownStep } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Json, Run, State } from "./types.ts";

/** The instrument's name. */
export const FALL_LINE = "fall_line";

/** west, east, south and north, in the units of the plane */
export type Region = [number, number, number, number];

/** powers of ten of losses over a region, the southern row first */
export interface Terrain {
  region: Region;
  columns: number;
  rows: number;
  values: ArrayLike<number>;
}

/** a run on the plane */
export interface Spot {
  step: number;
  s: number;
  t: number;
  distance: number | null; // from the start
  outside: number | null; // share of its path outside the plane
}

/** the steps of a path and their places, rising */
export interface Trace {
  steps: number[];
  s: number[];
  t: number[];
}

export interface FallLine {
  plane: "gradient" | "path" | "points" | "paths";
  planeSteps: Record<string, number>; // of each run
  generations: Record<string, number>;
  terrain: Terrain;
  lens: (Terrain & { run: string; times: number }) | null;
  region: Region; // in view: it grows with the points
  spots: Record<string, Spot>;
  traces: Record<string, Trace>;
  past: { step: number; spots: Record<string, Spot> } | null; // the last past step looked at
}

/** the picture's shape: width over height, and the lens's side over its width (0: none) */
export type Frame = { aspect: number; lens: number };

/** Most points of a path while it grows; then every other old one goes. */
const MOST_POINTS = 2000;
/** Border beyond a point that left the view, as a share of the view's width. */
const MARGIN = 0.125;

/** The runs in the picture: a run being removed may be gone already. */
export const fallenRuns = (state: State) =>
  state.order.filter((name) => !state.runs[name].hidden && !isLeaving(state, name));

function terrainOf({ region, heights }: Json): Terrain {
  const [rows, columns] = heights.shape.split(",").map(Number);
  return { region, rows, columns, values: decode(heights) };
}

const spotOf = ({ step, s, t, distance, outside }: Json): Spot => ({
  step,
  s,
  t,
  distance,
  outside,
});

const traceOf = ({ path }: Json): Trace => ({
  steps: Array.from(decode(path.steps)),
  s: Array.from(decode(path.s)),
  t: Array.from(decode(path.t)),
});

const byRun = <T>(points: Json[], value: (point: Json) => T): Record<string, T> =>
  Object.fromEntries(points.map((point) => [point.run, value(point)]));

/** Adds later points of a path. */
export function joined(before: Trace, later: Trace): Trace {
  const last = before.steps.at(-1) ?? -1;
  const first = later.steps.findIndex((step) => step > last);
  if (first < 0) return before;
  const isKept = (_: unknown, k: number) =>
    before.steps.length < MOST_POINTS || k > MOST_POINTS / 2 || k % 2 === 0;
  const join = (a: number[], b: number[]) => [...a.filter(isKept), ...b.slice(first)];
  return {
    steps: join(before.steps, later.steps),
    s: join(before.s, later.s),
    t: join(before.t, later.t),
  };
}

/** The region, larger where a point is outside, in the same shape. */
export function grown(region: Region, spots: Spot[]): Region {
  const [west, east, south, north] = region;
  const out = spots.filter(({ s, t }) => s < west || s > east || t < south || t > north);
  if (!out.length) return region;
  const margin = MARGIN * (east - west);
  const widest: Region = [
    Math.min(west, ...out.map(({ s }) => s - margin)),
    Math.max(east, ...out.map(({ s }) => s + margin)),
    Math.min(south, ...out.map(({ t }) => t - margin)),
    Math.max(north, ...out.map(({ t }) => t + margin)),
  ];
  return shaped(widest, (east - west) / (north - south));
}

/** The smallest region around this one of that shape. */
export function shaped([west, east, south, north]: Region, aspect: number): Region {
  const [width, height] = [east - west, north - south];
  const [more, higher] = [
    Math.max(0, aspect * height - width) / 2,
    Math.max(0, width / aspect - height) / 2,
  ];
  return [west - more, east + more, south - higher, north + higher];
}

const isSame = (one: Record<string, unknown>, other: Record<string, unknown>) =>
  Object.keys(one).length === Object.keys(other).length &&
  Object.keys(one).every((name) => one[name] === other[name]);

/** True if an answer's places are on the plane of the terrain. */
export const isOnPlane = (line: FallLine, { plane_steps: steps, points }: Json) =>
  steps !== null &&
  isSame(line.planeSteps, steps) &&
  isSame(
    line.generations,
    byRun(points, ({ generation }) => generation),
  );

/**
 * The state with an answer. One with a terrain replaces all; one without adds to the paths, or if
 * it is of a past step stands beside them. An answer about another plane is left out.
 */
export function withFallLine(state: State, { answer, at = null }: Json): State {
  const before = state.fallLine;
  const points: Json[] = answer.points;
  const spots = byRun(points, spotOf);
  const isCurrent = points.every(
    ({ run, generation }) => state.runs[run]?.generation === generation,
  );
  if (!isCurrent) return state;
  if (answer.heights) {
    const { lens } = answer;
    const terrain = terrainOf(answer);
    const fallLine: FallLine = {
      plane: answer.plane,
      planeSteps: answer.plane_steps,
      generations: byRun(points, ({ generation }) => generation),
      terrain,
      lens: lens && { ...terrainOf(lens), run: lens.run, times: lens.times },
      region: terrain.region,
      spots,
      traces: byRun(points, traceOf),
      past: null,
    };
    return { ...state, fallLine };
  }
  if (!before || !isOnPlane(before, answer)) return state;
  if (at !== null) return { ...state, fallLine: { ...before, past: { step: at, spots } } };
  const traces = byRun(points, (point) => joined(before.traces[point.run], traceOf(point)));
  const inside = points.filter(({ run }) => state.runs[run].status !== "diverged");
  const region = grown(before.region, inside.map(spotOf));
  return { ...state, fallLine: { ...before, spots, traces, region } };
}

/** The places to show: of the past step on view, else the newest; null while they are on the way. */
export function spotsOnView({ fallLine, looking }: State): Record<string, Spot> | null {
  if (!fallLine || !looking) return fallLine?.spots ?? null;
  return fallLine.past?.step === looking.step ? fallLine.past.spots : null;
}

/** True if a run's place is drawn: it is of the present generation. */
export const isDrawn = ({ fallLine, runs }: State, name: string) =>
  fallLine?.generations[name] === runs[name]?.generation;

/** "3 %", "0.4 %", "0 %". */
export function shareWords(share: number | null) {
  if (share === null) return "–";
  const percent = 100 * share;
  if (percent < 0.001) return "0 %";
  return `${percent < 10 ? Number(percent.toPrecision(1)) : Math.round(percent)} %`;
}

/** The loss and its plane, in words. */
export function planeWords(state: State) {
  const { fallLine, runs } = state;
  const names = Object.keys(fallLine?.planeSteps ?? {}).map((name) => runs[name]?.label ?? name);
  switch (fallLine?.plane) {
    case "gradient":
      return texts.lossAlongTheGradientAndA;
    case "path":
      return texts.lossOverThePlaneOfThe(names[0]);
    case "points":
      return texts.lossOverThePlaneOfTheWord(names.length === 2 ? texts.bothRuns : listed(names));
    case "paths":
      return texts.lossOverTheMainPlaneOf;
    default:
      return texts.lossOverThePlaneOfThePaths;
  }
}

/** The loss at the step on view; an unknown one is "–". */
export const lossOf = (run: Run) => run.latest.train_loss?.value ?? null;

/** The picture in a few sentences. */
export function fallLineWords(present: State): string {
  const state = stateOnView(present);
  const spots = spotsOnView(present);
  const names = fallenRuns(state).filter((name) => isDrawn(present, name));
  if (!spots || !names.length) return texts.fallLineNotMeasuredYet;
  const step = shownStep(state);
  if (step === 0) return texts.fallLineAtStep0All(number(state.experiment?.initialLoss));
  const start = number(state.experiment?.initialLoss);
  const stories = names.map((name, k) => {
    const [run, { distance }] = [state.runs[name], spots[name]];
    const from = k === 0 ? texts.lossXTo(start) : texts.to;
    return texts.xWentYUnitsZU(run.label, number(distance), from, number(lossOf(run)));
  });
  const shares = names.map((name) => shareWords(spots[name].outside));
  const lie = names.length === 1 ? texts.ofThePathLies : texts.ofThePathsLie;
  const words = texts.fallLineAtStepXY(integer(step), stories.join(" "), listed(shares), lie);
  // while runs play their places come a little later than their losses
  const placed = Math.max(...names.map((name) => spots[name].step));
  const trained = Math.max(...names.map((name) => state.runs[name].step));
  return placed === trained ? words : `${words} ${texts.distancesOfStepX(integer(placed))}`;
}
