/**
 * Predicted against true values: one square a run, with the same axes.
 * Owns: how predictions are shown; squares.ts places the squares. Pure: no Plotly, no DOM.
 */

import { fewTicks } from "./across-ticks.ts";
import { axesOf, undrawn } from "./axes.ts";
import { pxAcross, pxDown } from "./labels.ts";
import { tickWidth } from "./letter-widths.ts";
import { laneLook, templateOf } from "./figure-style.ts";
import { isInside, square, symbol } from "./paths.ts";
import { cellsOf } from "./squares.ts";
import { integer, score } from "../core/format.ts";
import { extent } from "../core/numbers.ts";
import { shownRuns, stateOnView } from "../core/state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Json, Run } from "../core/types.ts";
import type { Axis, Frame } from "./labels.ts";
import type { Path } from "./paths.ts";
import type { Scene } from "./scene.ts";
import type { Cell } from "./squares.ts";

const MOST = 600;

export function scatterChart({ state, look, room }: Scene) {
  const runs = shownRuns(stateOnView(state));
  const valueRange = rangeOf(runs);
  // an axis before there are values would have no range
  const range = valueRange ?? NONE_YET;
  const cells = cellsOf(runs.length, room, look.compact);
  const layout: Json = {
    template: templateOf(look),
    showlegend: false,
    hovermode: "closest",
    margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 },
    annotations: [],
  };
  const ticks = valueRange ? fewTicks(range) : {};
  const axis = undrawn({ type: "linear", range, ...ticks });
  const frames = cells.map((cell) => ({ ...cell, beyond: 0, ...axesIn(cell, ticks, axis) }));
  const axes = frames.map(axesOf);
  const data = runs.map((run, k) => {
    const suffix = k ? String(k + 1) : "";
    place(layout, suffix, cells[k], room, axis);
    return pointsOf(run, suffix, look);
  });
  return {
    data,
    layout,
    ground: cells.flatMap((cell, k) =>
      valueRange ? [...square(cell), axes[k].grid] : square(cell).slice(0, 1),
    ),
    words: axes.flatMap(({ words }) => words),
    marks: [
      ...axes.map(({ line }) => line),
      ...runs.flatMap((run, k) =>
        dotsOf(someOf(run.predictions).x, someOf(run.predictions).y, frames[k], run.lane),
      ),
    ],
    isForHover: true,
    labels: { squares: runs.map((run, k) => squareOf(run, frames[k], range)) },
    y: null,
  };
}

const NONE_YET: [number, number] = [0, 1];

/** The range of all true values with a little room; predictions outside are off the axis. */
function rangeOf(runs: Run[]): [number, number] | null {
  const range = extent(runs.flatMap(({ predictions }) => predictions?.y ?? []));
  if (!range) return null;
  const [low, high] = range;
  const pad = 0.06 * (high - low || 1);
  return [low - pad, high + pad];
}

const APART = 6;
/** Distance of text lines beside a square. */
const LINE = 17;

type Ticks = { tickvals?: number[]; ticktext?: string[] };

/**
 * Drops every second tick where labels would touch.
 * @param length of the axis, px
 * @param least of a label, px
 */
function withRoom({ tickvals = [], ticktext = [] }: Ticks, length: number, least: number) {
  const isTight = tickvals.length > 1 && length / tickvals.length < least;
  return isTight
    ? {
        tickvals: tickvals.filter((_, k) => k % 2 === 0),
        ticktext: ticktext.filter((_, k) => k % 2 === 0),
      }
    : { tickvals, ticktext };
}

/** Ticks without labels, which stand elsewhere. */
const wordless = (ticks: Ticks) => ({ ...ticks, ticktext: ticks.ticktext?.map(() => "") });

/** Both axes of a square: the same numbers, labelled where there is room. */
function axesIn({ width, height, isLow, isInner }: Cell, ticks: Ticks, axis: Axis) {
  const widest = Math.max(...(ticks.ticktext ?? []).map(tickWidth)) + APART;
  const [across, down] = [withRoom(ticks, width, widest), withRoom(ticks, height, LINE)];
  return {
    x: { ...axis, ...(isLow ? wordless(across) : across) },
    y: { ...axis, ...(isInner ? wordless(down) : down) },
  };
}

function place(
  layout: Json,
  suffix: string,
  { left, top, width, height }: Cell,
  room: Scene["room"],
  shared: Json,
) {
  const within = (share: number) => Math.min(1, Math.max(0, share));
  const axis = { ...shared, fixedrange: true };
  layout[`xaxis${suffix}`] = {
    ...axis,
    anchor: `y${suffix}`,
    domain: [within(left / room.width), within((left + width) / room.width)],
  };
  layout[`yaxis${suffix}`] = {
    ...axis,
    anchor: `x${suffix}`,
    domain: [within(1 - (top + height) / room.height), within(1 - top / room.height)],
  };
}

/** Transparency of one point; this many at one place are solid. */
const CLEAR = 0.5;
const SOLID = 6;
/** px */
const DOT = 3.6;
/** Number of paths: only shapes of different paths darken each other. */
const LAYERS = 4;

/**
 * Points as shapes, grouped by how many fall on one pixel so that density shows. Clipped to the
 * square.
 */
export function dotsOf(x: number[], y: number[], frame: Frame, lane: string): Path[] {
  const dots: Map<string, { left: number; top: number; many: number }> = new Map();
  x.forEach((value, i) => {
    const [left, top] = [pxAcross(frame, value), pxDown(frame, y[i])];
    if (!isInside(frame, left, top)) return;
    const place = `${Math.round(left)} ${Math.round(top)}`;
    const same = dots.get(place);
    if (same) same.many = Math.min(SOLID, same.many + 1);
    else dots.set(place, { left, top, many: 1 });
  });
  const paths: Map<string, Path> = new Map();
  [...dots.values()].forEach(({ left, top, many }, k) => {
    const key = `${many} ${k % LAYERS}`;
    const d = symbol(lane, DOT, left, top);
    paths.set(key, {
      name: "dots",
      lane,
      opacity: 1 - CLEAR ** many,
      d: (paths.get(key)?.d ?? "") + d,
    });
  });
  return [...paths.values()];
}

/** An even selection of at most so many predictions. */
function someOf(predictions: Run["predictions"]) {
  const every = Math.ceil((predictions?.y.length ?? 0) / MOST) || 1;
  const some = (values: number[]) => values.filter((_, i) => i % every === 0);
  return { x: some(predictions?.y ?? []), y: some(predictions?.y_pred ?? []) };
}

/** The points for Plotly's hover only. One path of the page draws them at less cost than Plotly. */
function pointsOf({ predictions, lane, label }: Run, suffix: string, look: Scene["look"]) {
  const { x, y } = someOf(predictions);
  return {
    // without points Plotly makes no axes, and without axes there is no hover
    type: "scatter",
    mode: "none",
    name: label,
    xaxis: `x${suffix}`,
    yaxis: `y${suffix}`,
    ...(x.length ? { x, y } : { x: [null], y: [null] }),
    meta: { points: x.length },
    line: { color: laneLook(look, lane).line },
    hovertemplate: texts.trueAndPredicted,
  };
}

function squareOf(run: Run, frame: Cell & Frame, range: [number, number]) {
  const { predictions, lane, label, step, name, status } = run;
  // a paused run shows the score of its present step or none
  const isOfNow = status === "playing" || predictions?.step === step;
  const isShown = step > 0 && isOfNow;
  return {
    ...frame,
    predictedAt: freeRow(predictions, frame),
    run: name,
    lane,
    label,
    score: isShown ? score(determination(predictions)) : "–",
    ...beyond(predictions?.y_pred ?? [], range),
  };
}

/** The word "predicted": its box in a square, and how far down it may stand, in px. */
const WORD = { left: 3, top: 1, width: 54, height: 14, lowest: 0.5 };

/**
 * How far down the square "predicted" touches no point: at the top if possible. Null where all rows
 * are taken; then it stands at the top, over the points.
 */
function freeRow(predictions: Run["predictions"], frame: Frame): number | null {
  const { x, y } = someOf(predictions);
  const points = x
    .map((value, i) => [pxAcross(frame, value) - frame.left, pxDown(frame, y[i]) - frame.top])
    .filter(([left]) => left < WORD.left + WORD.width + DOT);
  for (let top = WORD.top; top + WORD.height < WORD.lowest * frame.height; top += 4)
    if (!points.some(([, down]) => down > top - DOT && down < top + WORD.height + DOT)) return top;
  return null;
}

/** The predictions outside the axis: all of them on which side, or how many. */
function beyond(guesses: (number | null)[], [low, high]: [number, number]) {
  const over = guesses.filter((value) => value === null || !(value <= high)).length;
  const under = guesses.filter((value) => value !== null && value < low).length;
  const many = over + under;
  if (!many) return { off: "", few: "" };
  if (many < guesses.length)
    return {
      off: "",
      few: texts.xOffAxis(integer(many)),
      fewBriefly: texts.xOff(integer(many)),
      count: integer(many),
    };
  return {
    off: over && under ? texts.allOffTheAxis : texts.allXTheAxis(over ? texts.above : texts.below),
    few: "",
  };
}

/** R² of the drawn predictions. */
export function determination(predictions: Run["predictions"]) {
  if (!predictions?.y.length || !predictions.y_pred.every(Number.isFinite)) return null;
  const { y, y_pred: guess } = predictions;
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const [off, spread] = y.reduce(
    ([a, b], value, i) => [a + (value - guess[i]) ** 2, b + (value - mean) ** 2],
    [0, 0],
  );
  return spread > 0 ? 1 - off / spread : null;
}
