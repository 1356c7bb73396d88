/**
 * The gradient panels, one a layer, or by layer where there are many: the server's figure filled with the selected measure, and the
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
import { laneLook, styled, templateOf } from "./figure-style.ts";
import { momentLines, momentPlaces, placeThen, untilOf, withLater } from "./past-marks.ts";
import { groundOf, isInside, joined, symbol } from "./paths.ts";
import { axisOf, boundTo, columnsFor, reachedBy, withinAxis } from "./scene.ts";
import { covered, curvesOf, touch } from "./overlap.ts";
import { leavesAt, valueAt } from "./window-end.ts";
import { layersPlot, layersTitle } from "./gradient-layers.ts";
import { chosenPlace, MOST_PANELS, panelsOf } from "../core/gradient-panels.ts";
import { briefTicks, number, short } from "../core/format.ts";
import { missingIn } from "../core/missing-steps.ts";
import { firstFrom } from "../core/numbers.ts";
import { shownRuns, stateOnView } from "../core/state-on-view.ts";
import type { Json, Run } from "../core/types.ts";
import type { Horizontal } from "./horizontal.ts";
import type { Area, Frame } from "./labels.ts";
import type { Box as Room, Curve } from "./overlap.ts";
import type { Path } from "./paths.ts";
import type { Panel } from "../core/gradient-panels.ts";
import type { Scene } from "./scene.ts";

const TITLE = 17;
const TOP = TITLE + 6;
const RIGHT = 6;
/** The shape at a run's present step, in px. */
const MARK = { size: 8.5, width: 1.2 };

const gapOf = (layers: number, compact: boolean) => (compact || layers > 4 ? 12 : 26);

/** Width of the panel by layer, and of the gap beside it. Its title ends before the other. */
const BY_LAYER = { share: 0.46, gap: 66, apart: 8 };
/** On a phone the title begins here, in px: over the ticks too. */
const OUTER = { left: 10, narrow: 140 };
/** Room beside stacked panels for their names, in px. */
const STACKED = { right: 40, gap: 8 };

/** a panel's plot, and its title */
type Box = Area & { title: Omit<Area, "height"> };

/** Tall and narrow rooms have one panel below the other. */
const isStacked = ({ room }: Scene) => room.height > 140 && room.width < 420;

function boxesOf(scene: Scene, count: number): Box[] {
  const { room, look } = scene;
  const plot = room.width - room.left - RIGHT;
  if (isStacked(scene)) {
    const width = room.width - room.left - STACKED.right;
    const height = (heightIn(scene) + TITLE - STACKED.gap * (count - 1)) / count;
    return Array.from({ length: count }, (_, k) => {
      const top = TOP - TITLE + k * (height + STACKED.gap);
      const title = { left: room.left + width + 8, top: top + height / 2 - 9, width: 32 };
      return { left: room.left, top, width, height, title };
    });
  }
  const gap = gapOf(count, look.compact);
  const width = (plot - gap * (count - 1)) / count;
  return Array.from({ length: count }, (_, k) => {
    const left = room.left + k * (width + gap);
    return { left, top: TOP, width, height: heightIn(scene), title: { left, top: 0, width } };
  });
}

/** The panel by layer, and the panel of the chosen layer. */
function halvesOf(scene: Scene): [Box, Box] {
  const { room } = scene;
  const plot = room.width - room.left - RIGHT;
  const first = BY_LAYER.share * (plot - BY_LAYER.gap);
  const half = (left: number, width: number, begin: number, end: number): Box => ({
    left,
    top: TOP,
    width,
    height: heightIn(scene),
    title: { left: begin, top: 0, width: end - begin },
  });
  const second = room.left + first + BY_LAYER.gap;
  const begin = first < OUTER.narrow ? Math.min(OUTER.left, room.left) : room.left;
  return [
    half(room.left, first, begin, second - BY_LAYER.apart),
    half(second, room.left + plot - second, second, room.left + plot),
  ];
}

export function gradientChart(figure: Json, scene: Scene) {
  const { state, look } = scene;
  const { view, experiment } = state;
  const all = panelsOf(state);
  const isByLayer = all.length > MOST_PANELS;
  const chosen = all[chosenPlace(state)];
  const panels = isByLayer ? [chosen] : all;
  const missing = missingIn(scene.state);
  const axis = axisOf(scene, missing?.to ?? 0);
  const [whole, half] = isByLayer ? halvesOf(scene) : [null, null];
  const boxes = half ? [half] : boxesOf(scene, panels.length);
  const gap = isByLayer || isStacked(scene) ? BY_LAYER.gap : gapOf(panels.length, look.compact);
  const specification = {
    ...figure,
    // all layers share one scale: by layer too, where one is drawn over time
    data: all.flatMap(({ series }, k) => tracesIn(figure, series, k)),
    layout: { ...figure.layout, meta: { shelf: { measure: view.measure } } },
  };
  const names = panels.map(({ series }) => series);
  const bound = all.map(({ series }) => series);
  const bare = styled(specification, state, look, boundTo(scene));
  const columns = columnsFor(scene, axis, bound, boxes[0].width);
  const filled = fill(bare, columns, experiment?.trainSamples ?? 1);
  const layout = layoutOf(filled.layout, scene, axis, boxes[0], gap);
  const data = filled.data
    .filter(({ meta }: Json) => names.includes(meta.y))
    .map((trace: Json) => withinAxis({ ...trace, ...axesIn(names.indexOf(trace.meta.y)) }, axis));
  const last = boxes.length - 1;
  const frames = boxes.map(({ title: _, ...area }, k) => ({
    ...area,
    beyond: 0,
    // of stacked panels the last one has labels across, of others the first one has labels upwards
    x: isStacked(scene) && k < last ? { ...layout.xaxis, ticktext: undefined } : layout.xaxis,
    y: !isStacked(scene) && k ? { ...layout.yaxis, ticktext: undefined } : layout.yaxis,
  }));
  const [shelf, floor] = layout.yaxis.tickvals as number[];
  const { y0, y1 } = filled.layout.shapes[0] ?? {};
  const areas = {
    shelf: [y0, y1] as [number, number],
    missing,
    flags: flagsOf(state, scene.series, axis),
  };
  const plots = frames.map((frame, k) => {
    const own = inPanel(data, k).map((trace: Json) => ({ ...trace, xaxis: "x", yaxis: "y" }));
    const { grid, line, words } = axesOf(frame);
    return {
      data: withLater(withoutBands(own), scene),
      // Plotly writes a person's zoom into it
      layout: { ...layout, xaxis: { ...layout.xaxis }, yaxis: { ...layout.yaxis } },
      box: frame,
      ground: joined([
        ...groundOf(frame, { ...areas, grid }, look),
        ...bandsOf(own, () => frame, untilOf(scene)),
      ]),
      words,
      marks: [...joined([line, ...momentLines(scene, frame)]), ...marksOf(own, frame, scene, axis)],
      live: liveLines(own, columns, scene, frame, [shelf, floor], (_, { lane }) => ({
        shape: lane,
        fill: laneLook(look, lane).text,
        ...MARK,
      })),
    };
  });
  const zero = zeroLabel(
    scene,
    frames,
    frames.map((frame, k) => curvesOf(inPanel(data, k), frame)),
    frames.map((frame, k) => [
      ...areas.flags.map(({ x }) => post(frame, pxAcross(frame, x))),
      ...momentPlaces(scene, frame).map(({ left }) => post(frame, left)),
      ...presentPlaces(inPanel(data, k), frame, scene).map((place) =>
        around(place, isLive(state.runs[place.run], scene) ? frame.left + frame.width : 0),
      ),
    ]),
  );
  const layers = whole && layersPlot(scene, { ...whole, beyond: 0, y: layout.yaxis }, areas.shelf);
  return {
    plots: layers ? [layers, ...plots] : plots,
    labels: {
      titles: [
        ...(whole
          ? [{ ...layersTitle(scene, whole.title.width), ...whole.title, values: [], dense: false }]
          : []),
        ...titlesOf(scene, panels, boxes, (run, series) => {
          const edge = leavesAt(run, scene, axis);
          const { meta } = data.find(
            ({ meta: each }: Json) => each.role === "line" && each.y === series,
          );
          return edge === null
            ? null
            : valueAt(meta, columns[run.name], experiment?.trainSamples ?? 1, edge);
        }),
      ],
      zero,
    },
    readable: {
      columns,
      panels: frames.map((frame, k) => ({
        ...frame,
        name: panels[k].name,
        lines: [{ name: "", series: names[k] }],
      })),
    },
    y: null,
    corner: zero?.place ?? null,
    reached: reachedBy(scene),
  };
}

/** The traces of one panel. */
const inPanel = (data: Json[], k: number): Json[] =>
  data.filter(({ xaxis = "x" }) => xaxis === `x${k ? k + 1 : ""}`);

/**
 * The band of exact zeros has a label where there is room for it: at first on the left. Later the
 * label stands where it covers the fewest lines, on the right of the last panel if possible. Upright
 * lines and markers it covers only where there is no other place.
 * @param curves of each panel
 * @param kept of each panel, the upright lines and markers
 */
function zeroLabel({ look, previous }: Scene, frames: Frame[], curves: Curve[][], kept: Room[][]) {
  const [{ width, height }] = frames;
  const isEmpty = !curves.some((each) => each.length);
  if (look.compact || (!isEmpty && (height < ZERO.height || width < ZERO.width))) return null;
  const topIn = (frame: Frame) => pxDown(frame, (frame.y.tickvals as number[])[0]) - ZERO.over;
  const [first] = frames;
  if (isEmpty)
    return {
      left: first.left + 8,
      top: topIn(first) + ZERO.over / 2,
      isLast: false,
      isOver: false,
      place: null,
    };
  const places = frames.flatMap((frame, k) =>
    ZERO.places.map((share) => {
      const left = frame.left + ZERO.right + share * (frame.width - 2 * ZERO.right - ZERO.letters);
      const top = topIn(frame);
      const box = { left, right: left + ZERO.letters, top, bottom: top + ZERO.line };
      const inTheWay = kept[k].filter((each) => touch(each, box)).length;
      const crossed = covered(curves[k], box) + passes(curves[k], box);
      const place = `${k} ${share}`;
      return { place, right: box.right, top, cost: crossed + COVERS_MARK * inTheWay };
    }),
  );
  const best = places.reduce((a, b) => (b.cost <= a.cost ? b : a));
  const stays = places.find(({ place }) => place === previous.corner);
  const { right, top, cost, place } =
    stays && (previous.isHeld || stays.cost <= best.cost) ? stays : best;
  return { left: right, top, isLast: true, isOver: cost > 0, place };
}

/** Cost of an upright line or a marker under the label: more than any number of points of lines. */
const COVERS_MARK = 1e6;

/**
 * px: least size of a panel with the label, its place over the zeros, and before the markers; its
 * own size. Its places across a panel, the best last.
 */
const ZERO = {
  height: 60,
  width: 150,
  over: 18,
  right: 12,
  letters: 54,
  line: 14,
  places: Array.from({ length: 21 }, (_, k) => k / 20),
};

/** How often lines pass the lower edge of a box: narrow spikes too. */
function passes(curves: Curve[], { left, right, bottom }: Room) {
  let count = 0;
  for (const { x, y } of curves) {
    const end = firstFrom(x, right);
    for (let k = Math.max(1, firstFrom(x, left)); k < end; k++)
      if (y[k] < bottom !== y[k - 1] < bottom) count++;
  }
  return count;
}

/** The room of an upright line, in px. */
const post = ({ top, height }: Frame, left: number): Room => ({
  left: left - 2,
  right: left + 2,
  top,
  bottom: top + height,
});

/** The room of a marker, in px; it may go on to the right. */
const around = ({ left, top }: { left: number; top: number }, goesTo: number): Room => ({
  left: left - MARK.size / 2 - 1,
  right: Math.max(goesTo, left + MARK.size / 2 + 1),
  top: top - MARK.size / 2 - 1,
  bottom: top + MARK.size / 2 + 1,
});

/** The traces of the first layer in the panel of another series. */
const tracesIn = ({ data }: Json, series: string, k: number): Json[] =>
  data
    .filter(({ xaxis = "x" }: Json) => xaxis === "x")
    .map((trace: Json) => ({
      ...trace,
      meta: { ...trace.meta, y: series },
      ...axesIn(k),
    }));

const axesIn = (panel: number) => {
  const place = panel ? `${panel + 1}` : "";
  return { xaxis: `x${place}`, yaxis: `y${place}` };
};

/** Height of a panel, in px. */
const heightIn = ({ room, look }: Scene) => room.height - TOP - (look.compact ? 20 : 23);

/** Marker of each run; none for a line that goes on. */
function marksOf(data: Json[], frame: Frame, scene: Scene, axis: Horizontal): Path[] {
  const { runs } = scene.state;
  return presentPlaces(data, frame, scene)
    .filter(({ run }) => !isLive(runs[run], scene))
    .filter(({ run }) => leavesAt(runs[run], scene, axis) === null)
    .map(({ run, left, top }) => {
      const { lane } = runs[run];
      const d = isInside(frame, left, top) ? symbol(lane, MARK.size, left, top) : "";
      return { name: "now", lane, run, d };
    });
}

/** Place of each run in px, now or at the past step on view. */
function presentPlaces(data: Json[], frame: Frame, scene: Scene) {
  const { runs } = scene.state;
  return data
    .filter(({ meta, x }) => meta.role === "line" && x.length)
    .map(({ meta, x, y }) => {
      const then = placeThen(runs[meta.run], scene) ?? Infinity;
      const after = x.findIndex((place: number) => place > then);
      const last = after < 0 ? x.length - 1 : Math.max(0, after - 1);
      return { run: meta.run, left: pxAcross(frame, x[last]), top: pxDown(frame, y[last]) };
    });
}

/** The layout of each panel, which all share. */
function layoutOf(
  specified: Json,
  scene: Scene,
  axis: Horizontal,
  { width, height }: Box,
  gap: number,
) {
  const { look, zoom } = scene;
  const range = zoom.x ?? axis.range;
  const type = axis.log ? "log" : "linear";
  const { range: down, tickvals, ticktext: texts } = specified.yaxis;
  const words = look.compact ? briefTicks(tickvals, texts) : texts;
  const ticktext = words && down && readable(words, tickvals, down, height);
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
        { ...tickRoom(width, gap), least: LEAST_APART[axis.axis] },
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

/** px between the lines of two labels that do not touch */
const LINE = 11;

/** Leaves out labels that would touch the one below: the lowest, of 0, always stays. */
function readable(texts: string[], values: number[], range: number[], height: number) {
  let last = -Infinity;
  return texts.map((text, place) => {
    const at = (Math.log10(values[place]) * height) / (range[1] - range[0]);
    if (!text || at - last < LINE) return "";
    last = at;
    return text;
  });
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
 * @param atWindowEnd null for a run that the window shows to its end
 */
function titlesOf(
  scene: Scene,
  panels: Panel[],
  boxes: Box[],
  atWindowEnd: (run: Run, series: string) => number | undefined | null,
) {
  const { look } = scene;
  const state = stateOnView(scene.state);
  const { experiment } = state;
  const visible = shownRuns(state);
  const room = boxes[0].title.width;
  const value = look.compact
    ? undefined
    : VALUES.find(({ width }) => room >= PARTS.name + visible.length * width);
  const isWide =
    value === VALUES[0] && room >= PARTS.name + PARTS.shape + visible.length * value.width;
  return panels.map(({ name, series }, k) => ({
    name,
    shape: isWide ? (experiment?.shapes[name] ?? []).join(" × ") : "",
    ...boxes[k].title,
    dense: value !== VALUES[0],
    values: value
      ? visible
          .filter(({ step }) => step > 0)
          .map((run) => {
            const then = atWindowEnd(run, series);
            return {
              run: run.name,
              label: run.label,
              lane: run.lane,
              value: value.word(then === null ? run.latest[series]?.value : then),
              live: then === null ? { run: run.name, series, word: value.word } : undefined,
            };
          })
      : [],
  }));
}
