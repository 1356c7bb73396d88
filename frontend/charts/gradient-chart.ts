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
import { isLive, liveLines } from "./live-lines.ts";
import { followed } from "./live-values.ts";
import { laneLook, styled, shownRuns, templateOf } from "./figure-style.ts";
import { momentLines, placeThen } from "./past-marks.ts";
import { groundOf, isInside, joined, symbol } from "./paths.ts";
import { axisOf, boundTo, columnsFor, reachedBy, withinAxis } from "./scene.ts";
import { panelsOf } from "../core/gradient-panels.ts";
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
/** The shape at a run's present step, in px. */
const MARK = { size: 8.5, width: 1.2 };

const gapOf = (layers: number, compact: boolean) => (compact || layers > 4 ? 12 : 26);

export function gradientChart(figure: Json, scene: Scene) {
  const { state, look, room } = scene;
  const { view, experiment } = state;
  const panels = panelsOf(state);
  const missing = missingIn(scene.state);
  const axis = axisOf(scene, missing?.to ?? 0);
  const plot = room.width - room.left - RIGHT;
  const gap = gapOf(panels.length, look.compact);
  const panel = (plot - gap * (panels.length - 1)) / panels.length;
  const specification = {
    ...figure,
    data: panels.flatMap(({ series }, k) => tracesIn(figure, series, k)),
    layout: { ...figure.layout, meta: { shelf: { measure: view.measure } } },
  };
  const names = panels.map(({ series }) => series);
  const bare = styled(specification, state, look, boundTo(scene));
  const columns = columnsFor(scene, axis, names, panel);
  const filled = fill(bare, columns, experiment?.trainSamples ?? 1);
  const layout = layoutOf(filled.layout, scene, axis, panel, gap);
  const data = filled.data.map((trace: Json) => withinAxis(trace, axis));
  const frames = panels.map((_, k) => ({
    left: room.left + k * (panel + gap),
    top: TOP,
    width: panel,
    height: heightIn(scene),
    beyond: 0,
    x: layout.xaxis,
    // only the first has labels
    y: k ? { ...layout.yaxis, ticktext: undefined } : layout.yaxis,
  }));
  const [shelf, floor] = layout.yaxis.tickvals as number[];
  const { y0, y1 } = filled.layout.shapes[0] ?? {};
  const areas = {
    shelf: [y0, y1] as [number, number],
    missing,
    flags: flagsOf(state, scene.series, axis),
  };
  const plots = frames.map((frame, k) => {
    const own = data
      .filter(({ xaxis = "x" }: Json) => xaxis === `x${k ? k + 1 : ""}`)
      .map((trace: Json) => ({ ...trace, xaxis: "x", yaxis: "y" }));
    const { grid, line, words } = axesOf(frame);
    return {
      data: withoutBands(own),
      // Plotly writes a person's zoom into it
      layout: { ...layout, xaxis: { ...layout.xaxis }, yaxis: { ...layout.yaxis } },
      box: frame,
      ground: joined([...groundOf(frame, areas, look), grid, ...bandsOf(own, () => frame)]),
      words,
      marks: [...joined([line, ...momentLines(scene, frame)]), ...marksOf(own, frame, scene)],
      live: liveLines(own, columns, scene, frame, [shelf, floor], (_, { lane }) => ({
        shape: lane,
        fill: laneLook(look, lane).text,
        ...MARK,
      })),
    };
  });
  return {
    plots,
    labels: { titles: titlesOf(scene, panel, gap) },
    readable: {
      columns,
      panels: frames.map((frame, k) => ({
        ...frame,
        name: panels[k].name,
        lines: [{ name: "", series: names[k] }],
      })),
    },
    y: null,
    reached: reachedBy(scene),
  };
}

/** The traces of the first layer in the panel of another series. */
const tracesIn = ({ data }: Json, series: string, k: number): Json[] =>
  data
    .filter(({ xaxis = "x" }: Json) => xaxis === "x")
    .map((trace: Json) => ({
      ...trace,
      meta: { ...trace.meta, y: series },
      xaxis: `x${k ? k + 1 : ""}`,
      yaxis: `y${k ? k + 1 : ""}`,
    }));

/** Height of a panel, in px. */
const heightIn = ({ room, look }: Scene) => room.height - TOP - (look.compact ? 20 : 23);

/** Place of each run, now or at the past step on view. */
function marksOf(data: Json[], frame: Frame, scene: Scene): Path[] {
  const { runs } = scene.state;
  return data
    .filter(({ meta, x }) => meta.role === "line" && x.length && !isLive(runs[meta.run], scene))
    .map(({ meta, x, y }) => {
      const { lane } = runs[meta.run];
      const then = placeThen(runs[meta.run], scene) ?? Infinity;
      const after = x.findIndex((place: number) => place > then);
      const last = after < 0 ? x.length - 1 : Math.max(0, after - 1);
      const [left, top] = [pxAcross(frame, x[last]), pxDown(frame, y[last])];
      return {
        name: "now",
        lane,
        run: meta.run,
        d: isInside(frame, left, top) ? symbol(lane, MARK.size, left, top) : "",
      };
    });
}

/** The layout of each panel, which all share. */
function layoutOf(specified: Json, scene: Scene, axis: Horizontal, panel: number, gap: number) {
  const { look, zoom } = scene;
  const range = zoom.x ?? axis.range;
  const type = axis.log ? "log" : "linear";
  const { range: down, tickvals, ticktext: texts } = specified.yaxis;
  const words = look.compact ? briefTicks(tickvals, texts) : texts;
  const ticktext = readable(words, down, heightIn(scene));
  return {
    template: templateOf(look),
    showlegend: false,
    hovermode: false,
    annotations: [],
    margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 },
    xaxis: undrawn({
      type,
      range,
      ...acrossTicks(
        { type, range },
        { ...tickRoom(panel, gap), least: LEAST_APART[axis.axis] },
        look.compact,
      ),
    }),
    yaxis: { ...undrawn({ type: "log", range: down, tickvals, ticktext }), fixedrange: true },
  };
}

/** Labels of neighbouring panels must not join: next to a narrow gap they stay inside. */
function tickRoom(panel: number, gap: number) {
  const out = Math.min(RIGHT, Math.max(0, gap - 14));
  return { width: panel, before: Math.max(4, out), after: out, most: 5 };
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
function titlesOf(scene: Scene, panel: number, gap: number) {
  const { room, look } = scene;
  const state = stateOnView(scene.state);
  const { experiment } = state;
  const visible = shownRuns(state);
  const value = look.compact
    ? undefined
    : VALUES.find(({ width }) => panel >= PARTS.name + visible.length * width);
  const isWide =
    value === VALUES[0] && panel >= PARTS.name + PARTS.shape + visible.length * value.width;
  return panelsOf(state).map(({ name, series }, k) => ({
    name,
    shape: isWide ? (experiment?.shapes[name] ?? []).join(" × ") : "",
    left: room.left + k * (panel + gap),
    width: panel,
    dense: value !== VALUES[0],
    values: value
      ? visible.map((run) => ({
          run: run.name,
          label: run.label,
          lane: run.lane,
          value: value.word(run.latest[series]?.value),
          live: followed(run, series, value.word, scene),
        }))
      : [],
  }));
}
