/**
 * The loss chart: the server's figure filled, with the page's ranges, ground, markers and labels.
 * Owns: how loss is shown. Pure: returns data, layout, ground, marks and labels; no Plotly, no DOM.
 */

import { acrossTicks } from "./across-ticks.ts";
import { axesOf, undrawn } from "./axes.ts";
import { bandsOf, withoutBands } from "./bands.ts";
import { baselineLabel } from "./baseline.ts";
import { fill } from "./bind.ts";
import { flagsOf } from "./flags.ts";
import { boxOf, FEW, gutterFor, gutterOfMany, placeEnds } from "./end-labels.ts";
import { briefNameOf, LEAST_APART, nameOf, placeNow } from "./horizontal.ts";
import { curvesOf } from "./overlap.ts";
import { pxAcross, pxDown } from "./labels.ts";
import { isLive, liveLines } from "./live-lines.ts";
import {
  alongTheLine,
  endMarks,
  endOf,
  fromTheStart,
  isWaiting,
  leaveThroughTheTop,
  startMarks,
  startPlace,
  startSize,
} from "./line-marks.ts";
import { evenTicks, fittedRange, lossRange, lossTicks } from "./loss-range.ts";
import { laneLook, styled, templateOf } from "./figure-style.ts";
import { momentLines, untilOf, withLater } from "./past-marks.ts";
import { groundOf } from "./paths.ts";
import {
  MOST_UNMERGED,
  axisOf,
  boundTo,
  columnsFor,
  reachedBy,
  reachesNow,
  withinAxis,
} from "./scene.ts";
import { briefTicks, number } from "../core/format.ts";
import { missingIn } from "../core/missing-steps.ts";
import { shownRuns } from "../core/state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Json, Run } from "../core/types.ts";
import type { Panel } from "./cursor.ts";
import type { Horizontal } from "./horizontal.ts";
import type { Axis, Frame } from "./labels.ts";
import type { Scene } from "./scene.ts";

export type Line = { run: Run; x: number[]; y: number[] };

const SERIES = ["train_loss", "test_loss"];
const TOP = 24;
const BOTTOM = 26;
/** A playing run's marker, which looks like the marker at the end of a line, in px. */
const MARK = { size: 8.5, width: 3 };

/** px between the shapes at the start and their label */
const BESIDE_START = 10.5;
/** px; a letter of that label, and half of its height */
const START = { letter: 6.3, half: 8 };

/** The right margin of a phone's plot of many runs, in px: their names stand there, whole. */
const GUTTER_OF_MANY = 92;

function withGutter(scene: Scene): Scene {
  const { state, look, room } = scene;
  const names = shownRuns(state).map(({ label }) => label);
  const { letter } = room;
  if (!look.compact) {
    const [wide, tall] = [room.width - room.left, room.height - TOP - BOTTOM];
    return {
      ...scene,
      room: { ...room, right: gutterOfMany(names, room.right, { wide, tall, letter }) },
    };
  }
  const least = names.length > FEW ? GUTTER_OF_MANY : gutterFor(names, letter);
  return { ...scene, room: { ...room, right: Math.max(room.right, least) } };
}

export function lossChart(figure: Json, input: Scene) {
  const scene = withGutter(input);
  const { state, look, room } = scene;
  const missing = missingIn(scene.state);
  const axis = axisOf(scene, missing?.to ?? 0);
  const width = room.width - room.left - room.right;
  const columns = columnsFor(scene, axis, SERIES, width, MOST_UNMERGED);
  const log = state.view.y === "log";
  const { showsTest, showsBand } = state.view;
  const chosen = figure.data.filter(
    ({ meta }: Json) => (showsTest || meta.role !== "test") && (showsBand || meta.role !== "band"),
  );
  const specification = {
    ...figure,
    data: chosen,
    ...(log ? {} : { layout: { ...figure.layout, meta: null } }),
  };
  const bare = fill(
    styled(specification, state, look, boundTo(scene)),
    columns,
    state.experiment?.trainSamples ?? 1,
  );
  const shelf = log ? shelfOf(bare.layout) : null;
  const hasStarted = bare.data.some(({ meta, x }: Json) => meta.role === "train" && x.length);
  const data = bare.data.map((trace: Json) =>
    fromTheStart(withinAxis(trace, axis), scene, axis, hasStarted),
  );
  const lines = linesOf(data, state, "train");
  // a spike within a bucket is only in its band, which would flatten a linear axis
  const others = log ? ["test", "band"] : ["test"];
  const all = [...lines, ...others.flatMap((role) => linesOf(data, state, role))];
  const window = scene.zoom.x && placesOf(scene.zoom.x, axis);
  const y =
    scene.zoom.y ??
    (window && fittedRange(all, scene, window, shelf?.bottom)) ??
    lossRange(all, scene, shelf?.bottom);
  for (const line of lines)
    if (reachesNow(columns[line.run.name], scene, line.run))
      leaveThroughTheTop(
        line,
        placeNow(line.run, scene.series.of(line.run.name), axis.axis),
        y,
        log,
      );
  const ends = lines.map((line) => endOf(line, scene, axis, y)).filter((end) => end !== null);
  const flags = flagsOf(state, scene.series, axis);
  const start = startOf(scene, axis);
  const starting = shownRuns(state).filter(
    (run) => !hasStarted || (isWaiting(run) && !isLive(run, scene)),
  );
  const layout: Json = layoutOf(scene, axis, y, shelf);
  const frame = frameOf(scene, layout);
  const { grid, line: drawnAxis, words } = axesOf(frame);
  const curves = curvesOf(data, frame);
  const mean = state.experiment?.baseline?.train;
  if (start) start.lift = offTheLevel(pxDown(frame, start.y), mean ? pxDown(frame, mean) : null);
  const around = {
    curves,
    uprights: flags.map(({ x }) => pxAcross(frame, x)),
    level: mean ? pxDown(frame, mean) : null,
    sides: scene.previous.sides ?? {},
    taken: start && !hasStarted ? [startBox(start, frame)] : [],
  };
  const reached = reachedBy(scene);
  const beside = scene.isLive
    ? Math.min(0, pxAcross(frame, reached) - frame.left - frame.width)
    : 0;
  const placed = placeEnds(ends, frame, missing?.from ?? (scene.isLive ? reached : null), around);
  const baseline = baselineLabel(scene, frame, {
    curves,
    flags,
    words: [
      ...placed.map((end) => ({
        ...boxOf(end),
        left: boxOf(end).left + (end.gutter ? beside : 0),
      })),
      ...around.taken,
    ],
    missing,
    hasStarted,
  });
  return {
    data: withLater(withoutBands(data), scene),
    layout,
    ground: [
      ...groundOf(frame, { shelf: shelf?.tint, missing, grid, baseline: mean, flags }, look),
      ...bandsOf(data, () => frame, untilOf(scene)),
    ],
    words,
    marks: [
      drawnAxis,
      ...momentLines(scene, frame),
      ...lines.map((line) => alongTheLine(line, scene, axis, frame)),
      ...endMarks(
        ends.filter(({ run }) => !isLive(state.runs[run], scene) && !isWaiting(state.runs[run])),
        frame,
      ),
      ...startMarks(start, starting, frame),
    ],
    labels: {
      flags,
      ends: placed,
      start: hasStarted ? null : start,
      baseline,
      axis: look.compact ? briefNameOf(axis) : nameOf(axis),
      missing,
    },
    readable: { columns, panels: [panelOf(scene, layout.xaxis)] },
    live: liveLines(
      data,
      columns,
      scene,
      frame,
      shelf && [shelf.place, 10 ** shelf.floor],
      ({ meta }, { lane }) =>
        meta.role === "train" ? { shape: lane, fill: laneLook(look, lane).line, ...MARK } : null,
    ),
    y,
    reached,
    corner: baseline?.corner ?? null,
    sides: Object.fromEntries(
      placed.filter(({ side }) => side).map(({ run, side }) => [run, side]),
    ),
  };
}

/** The ends of a zoom in data units. */
const placesOf = ([from, to]: [number, number], { log }: Horizontal): [number, number] =>
  log ? [10 ** from, 10 ** to] : [from, to];

const frameOf = ({ room }: Scene, { xaxis, yaxis }: Json): Frame => ({
  left: room.left,
  top: TOP,
  width: room.width - room.left - room.right,
  height: room.height - TOP - BOTTOM,
  beyond: room.right,
  letter: room.letter ?? 1,
  x: xaxis,
  y: yaxis,
});

/** Panel that the cursor can read. */
function panelOf({ state, room }: Scene, x: Axis): Panel {
  const lines = [
    { name: "", series: "train_loss" },
    ...(state.experiment?.testSamples && state.view.showsTest
      ? [{ name: texts.test, series: "test_loss" }]
      : []),
  ];
  return {
    name: "",
    left: room.left,
    top: TOP,
    width: room.width - room.left - room.right,
    height: room.height - TOP - BOTTOM,
    x,
    lines,
  };
}

/** Place of exactly 0 on a log axis: on a shelf, if it occurs. */
function shelfOf({ shapes, yaxis }: Json) {
  const shape = shapes.find(({ name, visible }: Json) => name === "shelf" && visible);
  return shape
    ? {
        tint: [shape.y0, shape.y1] as [number, number],
        bottom: yaxis.range[0],
        floor: Math.log10(yaxis.tickvals[1]),
        place: yaxis.tickvals[0],
      }
    : null;
}

function linesOf(data: Json[], state: Scene["state"], role: string): Line[] {
  return data
    .filter(({ meta }) => meta.role === role)
    .map(({ meta, x, y }) => ({ run: state.runs[meta.run], x, y }));
}

/** The point at which all runs stand before their first step. */
function startOf({ state }: Scene, axis: Horizontal) {
  const loss = state.experiment?.initialLoss;
  const many = shownRuns(state).length;
  if (loss === null || loss === undefined || !many) return null;
  const who =
    many === 1 ? texts.theRunStarts : many === 2 ? texts.bothRunsStart : texts.allRunsStart;
  return {
    x: startPlace(axis),
    y: loss,
    text: texts.xHereLossY(who, number(loss)),
    beside: startSize(many) / 2 + BESIDE_START,
    lift: 0,
  };
}

/** How far the words beside the start are moved, in px, so that the baseline does not cross them. */
function offTheLevel(middle: number, level: number | null) {
  if (level === null || Math.abs(level - middle) >= START.half) return 0;
  return level - middle + (level >= middle ? -START.half : START.half);
}

/** The box of the words beside the start. */
function startBox(start: NonNullable<ReturnType<typeof startOf>>, frame: Frame) {
  const { x, y, beside, lift, text } = start;
  const [left, middle] = [pxAcross(frame, x) + beside, pxDown(frame, y) + lift];
  const right = left + START.letter * text.length;
  return { left, right, top: middle - START.half, bottom: middle + START.half };
}

function layoutOf(
  { state, look, room, zoom }: Scene,
  axis: Horizontal,
  y: [number, number],
  shelf: ReturnType<typeof shelfOf>,
) {
  const log = state.view.y === "log";
  const range = zoom.x ?? axis.range;
  const type = axis.log ? "log" : "linear";
  const width = room.width - room.left - room.right;
  return {
    template: templateOf(look),
    showlegend: false,
    // the page's cursor reads values instead, and reads exactly 0 as 0
    hovermode: false,
    margin: { l: room.left, r: room.right, t: TOP, b: BOTTOM, pad: 0 },
    xaxis: undrawn({
      type,
      range,
      ...acrossTicks(
        { type, range },
        {
          width,
          before: room.left,
          after: 12,
          most: look.compact ? 5 : axis.log ? 12 : 8,
          least: LEAST_APART[state.view.x],
        },
        false,
      ),
    }),
    yaxis: undrawn({
      type: log ? "log" : "linear",
      range: y,
      ...(log
        ? ticksOf(y, shelf, look.compact)
        : evenTicks(y, room.height - TOP - BOTTOM, look.compact)),
    }),
  };
}

function ticksOf(y: [number, number], shelf: ReturnType<typeof shelfOf>, compact: boolean) {
  const ticks = lossTicks(y, shelf);
  return compact ? { ...ticks, ticktext: briefTicks(ticks.tickvals, ticks.ticktext) } : ticks;
}
