/**
 * The gradient panels, one a layer: the server's figure filled with the selected measure, and the
 * page's axes.
 * Owns: how gradients are shown. Pure: no Plotly, no DOM.
 */

import { acrossTicks } from "./across-ticks.ts";
import { axesOf, undrawn } from "./axes.ts";
import { bandsOf, withoutBands } from "./bands.ts";
import { fill } from "./bind.ts";
import { flagsOf } from "./flags.ts";
import { LEAST_APART } from "./horizontal.ts";
import { pxAcross, pxDown } from "./labels.ts";
import { styled, shownRuns, templateOf } from "./figure-style.ts";
import { momentLines, placeThen } from "./past-marks.ts";
import { groundOf, isInside, joined, symbol } from "./paths.ts";
import { axisOf, boundTo, columnsFor, withinAxis } from "./scene.ts";
import { briefTicks, number, short } from "../core/format.ts";
import { missingIn } from "../core/missing-steps.ts";
import { stateOnView } from "../core/state-on-view.ts";
import type { Json } from "../core/types.ts";
import type { Horizontal } from "./horizontal.ts";
import type { Frame } from "./labels.ts";
import type { Path } from "./paths.ts";
import type { Scene } from "./scene.ts";

const TITLE = 17;
const TOP = TITLE + 6;
const RIGHT = 6;
/** Size of the shape at a run's present step, in px. */
const MARK = 8.5;

const gapOf = (layers: number, compact: boolean) => (compact || layers > 4 ? 12 : 26);

export function gradientChart(figure: Json, scene: Scene) {
  const { state, look, room } = scene;
  const { view, experiment } = state;
  const weights = experiment?.weights ?? [];
  const missing = missingIn(scene.state);
  const axis = axisOf(scene, missing?.to ?? 0);
  const plot = room.width - room.left - RIGHT;
  const gap = gapOf(weights.length, look.compact);
  const panel = (plot - gap * (weights.length - 1)) / weights.length;
  const series = (y: string) => `${view.measure}/${y.slice(y.indexOf("/") + 1)}`;
  const specification = {
    ...figure,
    layout: { ...figure.layout, meta: { shelf: { measure: view.measure } } },
  };
  const names = weights.map((weight) => `${view.measure}/${weight}`);
  const bare = styled(specification, state, look, boundTo(scene), series);
  const columns = columnsFor(scene, axis, names, panel);
  const filled = fill(bare, columns, experiment?.trainSamples ?? 1);
  const domains = weights.map((_, k) => [
    (k * (panel + gap)) / plot,
    (k * (panel + gap) + panel) / plot,
  ]);
  const layout = layoutOf(filled.layout, scene, axis, domains);
  const data = filled.data.map((trace: Json) => withinAxis(trace, axis));
  const height = room.height - TOP - layout.margin.b;
  const frames = weights.map((_, k) => ({
    left: room.left + k * (panel + gap),
    top: TOP,
    width: panel,
    height,
    beyond: 0,
    x: layout[`xaxis${k ? k + 1 : ""}`],
    y: layout[`yaxis${k ? k + 1 : ""}`],
  }));
  const { y0, y1 } = filled.layout.shapes[0] ?? {};
  const areas = {
    shelf: [y0, y1] as [number, number],
    missing,
    flags: flagsOf(state, scene.series, axis),
  };
  const axes = frames.map(axesOf);
  const frameOf = ({ xaxis = "x" }: Json) => frames[Number(xaxis.slice(1) || 1) - 1];
  return {
    data: withoutBands(data),
    layout,
    ground: joined([
      ...frames.flatMap((frame) => groundOf(frame, areas, look)),
      ...axes.map(({ grid }) => grid),
      ...bandsOf(data, frameOf),
    ]),
    words: axes.flatMap(({ words }) => words),
    marks: [
      ...joined([
        ...axes.map(({ line }) => line),
        ...frames.flatMap((frame) => momentLines(scene, frame)),
      ]),
      ...marksOf(data, frameOf, scene),
    ],
    labels: { titles: titlesOf(scene, panel, gap) },
    readable: {
      columns,
      panels: frames.map((frame, k) => ({
        ...frame,
        name: weights[k],
        lines: [{ name: "", series: names[k] }],
      })),
    },
    y: null,
  };
}

/** Place of each run, now or at the past step on view. */
function marksOf(data: Json[], frameOf: (trace: Json) => Frame, scene: Scene): Path[] {
  const { runs } = scene.state;
  return data
    .filter(({ meta, x }) => meta.role === "line" && x.length)
    .map((trace) => {
      const { meta, x, y } = trace;
      const frame = frameOf(trace);
      const { lane } = runs[meta.run];
      const then = placeThen(runs[meta.run], scene) ?? Infinity;
      const after = x.findIndex((place: number) => place > then);
      const last = after < 0 ? x.length - 1 : Math.max(0, after - 1);
      const [left, top] = [pxAcross(frame, x[last]), pxDown(frame, y[last])];
      return {
        name: "now",
        lane,
        run: meta.run,
        d: isInside(frame, left, top) ? symbol(lane, MARK, left, top) : "",
      };
    });
}

function layoutOf(
  specified: Json,
  { look, room, zoom }: Scene,
  axis: Horizontal,
  domains: number[][],
) {
  const layout: Json = {
    template: templateOf(look),
    showlegend: false,
    hovermode: false,
    annotations: [],
    margin: { l: room.left, r: RIGHT, t: TOP, b: look.compact ? 20 : 23, pad: 0 },
  };
  const range = zoom.x ?? axis.range;
  const type = axis.log ? "log" : "linear";
  const across = undrawn({
    type,
    range,
    ...acrossTicks(
      { type, range },
      { ...tickRoom(domains, room, look.compact), least: LEAST_APART[axis.axis] },
      look.compact,
    ),
  });
  const { range: down, tickvals, ticktext: texts } = specified.yaxis;
  const ticktext = readable(
    look.compact ? briefTicks(tickvals, texts) : texts,
    down,
    room.height - TOP - layout.margin.b,
  );
  domains.forEach((domain, k) => {
    const suffix = k ? k + 1 : "";
    layout[`xaxis${suffix}`] = {
      ...across,
      domain: domain.map((share) => Math.min(1, Math.max(0, share))),
      anchor: `y${suffix}`,
    };
    layout[`yaxis${suffix}`] = {
      ...undrawn({ type: "log", range: down, tickvals, ...(k ? {} : { ticktext }) }),
      anchor: `x${suffix}`,
      fixedrange: true,
    };
  });
  return layout;
}

/** Labels of neighbouring panels must not join: next to a narrow gap they stay inside. */
function tickRoom(domains: number[][], room: Scene["room"], compact: boolean) {
  const plot = room.width - room.left - RIGHT;
  const out = Math.min(RIGHT, Math.max(0, gapOf(domains.length, compact) - 14));
  return {
    width: plot * (domains[0][1] - domains[0][0]),
    before: Math.max(4, out),
    after: out,
    most: 5,
  };
}

/** The labels of 0 and of the floor are 0.95 decades apart. Only 0 stays if they would overlap. */
function readable(texts: string[] | undefined, range: number[] | undefined, height: number) {
  if (!texts || !range) return texts;
  return (0.95 * height) / (range[1] - range[0]) < 11
    ? texts.map((text, place) => (place === 1 ? "" : text))
    : texts;
}

/** Widths of the parts of a title, in px. */
const PARTS = { name: 26, shape: 42 };
/** Formats of a run's value by width, widest first. */
const VALUES = [
  { width: 66, word: number },
  { width: 51, word: (value: number | undefined) => short(value, 2) },
  { width: 41, word: (value: number | undefined) => short(value, 1) },
];

/**
 * Titles by room: first the shape goes, then digits, then values. Narrow panels and phones keep the
 * name only.
 */
function titlesOf({ state: present, room, look }: Scene, panel: number, gap: number) {
  const state = stateOnView(present);
  const { experiment, view } = state;
  const visible = shownRuns(state);
  const value = look.compact
    ? undefined
    : VALUES.find(({ width }) => panel >= PARTS.name + visible.length * width);
  const isWide =
    value === VALUES[0] && panel >= PARTS.name + PARTS.shape + visible.length * value.width;
  return (experiment?.weights ?? []).map((weight, k) => ({
    name: weight,
    shape: isWide ? (experiment?.shapes[weight] ?? []).join(" × ") : "",
    left: room.left + k * (panel + gap),
    width: panel,
    dense: value !== VALUES[0],
    values: value
      ? visible.map((run) => ({
          run: run.name,
          label: run.label,
          lane: run.lane,
          value: value.word(run.latest[`${view.measure}/${weight}`]?.value),
        }))
      : [],
  }));
}
