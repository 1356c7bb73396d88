/**
 * Gradients of many layers side by side: now, and dashed at the first step.
 * Owns: that panel, and which layer is shown over time. Pure.
 */

import { axesOf, undrawn } from "./axes.ts";
import { templateOf } from "./figure-style.ts";
import { pxAcross, pxDown } from "./labels.ts";
import { boldWidth } from "./letter-widths.ts";
import { groundOf, px, symbol } from "./paths.ts";
import { integer } from "../core/format.ts";
import { chosenPlace, panelsOf } from "../core/gradient-panels.ts";
import { shownRuns, stateOnView } from "../core/state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Run, State } from "../core/types.ts";
import type { Axis, Frame } from "./labels.ts";
import type { Path } from "./paths.ts";
import type { PlotFigure } from "./plot.ts";
import type { Scene } from "./scene.ts";

const MARK = 7;
const FIRST_DASH = "3 3";
/** px from the plot down to the names of layers */
const UNDER = 18.2;
/** Least distance of two names, in px. */
const APART = 26;
/** Widths of a title's letters over the letters of a bold name at 13 px, and px between its parts. */
const TITLE = { name: 0.93, words: 0.87, gap: 6 };

const seriesOf = (state: State) => panelsOf(state).map(({ series }) => series);

/** The first record of each layer; a long run keeps the mean of its first steps. */
function firstOf({ state, series }: Scene, run: Run) {
  const columns = series.of(run.name);
  return seriesOf(state).map((name) => columns?.values(name)?.mean[0] ?? Number.NaN);
}

const nowOf = (state: State, run: Run) =>
  seriesOf(state).map((name) => run.latest[name]?.value ?? Number.NaN);

/** The title, with as many words beside it as fit into so many px. */
export function layersTitle({ state, series, room }: Scene, most: number) {
  const last = Math.max(0, ...shownRuns(state).map((run) => series.of(run.name)?.last[0] ?? 0));
  const steps = integer(last + 1);
  const words = last
    ? [texts.nowDashedX(texts.theFirstXSteps(steps)), ...texts.dashedFirstXSteps(steps)]
    : [texts.nowDashedX(texts.atStep0), ...texts.dashedStep0];
  const free = most / (room.letter ?? 1) - TITLE.name * boldWidth(texts.byLayer) - TITLE.gap;
  const shape = words.find((text) => TITLE.words * boldWidth(text) <= free) ?? "";
  return { name: texts.byLayer, shape };
}

/** @param shelf edges of the band of exact zeros */
export function layersPlot(
  scene: Scene,
  place: Omit<Frame, "x">,
  shelf: [number, number],
): PlotFigure {
  const state = stateOnView(scene.state);
  const count = state.experiment?.weights.length ?? 0;
  const x = undrawn({ type: "linear", range: [0.5, count + 0.5] }) as Axis;
  const frame: Frame = { ...place, x };
  const [zero, floor] = frame.y.tickvals as number[];
  const at = (value: number) => pxDown(frame, value === 0 ? zero : Math.max(value, floor));
  const line = (values: number[]) =>
    values
      .map((value, k) => [pxAcross(frame, k + 1), at(value)])
      .filter(([, top]) => Number.isFinite(top))
      .map(([left, top], k) => `${k ? "L" : "M"}${px(left)},${px(top)}`)
      .join("");
  const lines = shownRuns(state).flatMap((run): Path[] => {
    const { lane, name } = run;
    const now = nowOf(state, run);
    const marks = now.map((value, k) =>
      Number.isFinite(value) ? symbol(lane, MARK, pxAcross(frame, k + 1), at(value)) : "",
    );
    return [
      { name: "layers first", lane, run: name, dash: FIRST_DASH, d: line(firstOf(scene, run)) },
      { name: "layers", lane, run: name, d: line(now) },
      { name: "layers-mark", lane, run: name, d: marks.join("") },
    ];
  });
  const { grid, line: axis, words } = axesOf(frame);
  return {
    data: [],
    layout: {
      template: templateOf(scene.look),
      showlegend: false,
      hovermode: false,
      margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 },
      xaxis: { ...x, fixedrange: true },
      yaxis: { ...frame.y, fixedrange: true },
    },
    box: frame,
    ground: groundOf(frame, { shelf, grid }, scene.look),
    words: [...words, ...namesOf(scene.state, frame)],
    marks: [axis, ...lines],
  };
}

/** Names below the plot: all that fit, and the chosen one. */
function namesOf(state: State, frame: Frame) {
  const weights = state.experiment?.weights ?? [];
  const every = Math.ceil((APART * weights.length) / frame.width);
  const chosen = chosenPlace(state);
  return weights
    .map((text, k) => ({
      name: k === chosen ? "tick chosen" : "tick",
      left: px(pxAcross(frame, k + 1)),
      top: px(frame.top + frame.height + UNDER),
      text,
      k,
    }))
    .filter(({ k }) => k % every === 0 || k === chosen)
    .map(({ k: _, ...word }) => word);
}
