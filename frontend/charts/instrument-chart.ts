/**
 * An instrument's measurements as a chart: the server's figure filled, with the page's axes, levels
 * and title.
 * Owns: panels, colours and words of such a figure. Pure: no Plotly, no DOM.
 */

import { axesOf, undrawn } from "./axes.ts";
import { fillMeasured } from "./bind-measured.ts";
import { classScale, classShape, isFilled } from "./class-looks.ts";
import { acrossAxis, downAxis, roomBeside, ROW } from "./instrument-axes.ts";
import { pxDown } from "./labels.ts";
import { boldWidth } from "./letter-widths.ts";
import { laneLook, surface, templateOf } from "./figure-style.ts";
import { joined, levelLine } from "./paths.ts";
import { requestOf, keyWords, kindOf, measuredAt, answersOf } from "../core/instruments.ts";
import { isTerm } from "../core/terms.ts";
import * as texts from "../words/english.ts";
import type { Gauge } from "../core/instruments.ts";
import type { Json, Run } from "../core/types.ts";
import type { Scene } from "./scene.ts";

const TOP = 23;
const LEFT = 40;
const LEFT_COMPACT = 32;
/** The marker of the present stands on the edge of the plot. */
const RIGHT = 12;
const GAP = 26;
/** Between a title's name and its key. */
const BESIDE = 6;
/** A usual letter of a key. */
const LETTER = 6.3;
/** A class's shape in a legend, with the gaps on its sides. */
const MARK = 21;

export function instrumentChart(figure: Json, scene: Scene, gauge: Gauge) {
  const { state, look, room } = scene;
  const at = measuredAt(state);
  const { last, trail } = at
    ? answersOf(state, at.run.name, requestOf(gauge))
    : { last: undefined, trail: [] };
  const filled = fillMeasured(unclipped(figure), trail, last);
  const data = filled.data.map((trace: Json) =>
    interrupted(coloured(trace, scene, at?.run.lane ?? "a")),
  );
  const margin = {
    l: roomBeside(filled.layout.yaxis, ofPanel(data, ""), look.compact ? LEFT_COMPACT : LEFT),
    r: RIGHT,
    t: TOP,
    b: look.compact ? 20 : 23,
    pad: 0,
  };
  const numbered = data.map((trace: Json) => readable(trace, room.height - margin.t - margin.b));
  const panels = panelsOf(filled.layout, data, room, margin, gauge.isEven);
  const axes = panels.map(({ frame }) => axesOf(frame));
  const levels = (filled.layout.shapes ?? []).filter(({ name }: Json) => name === "level");
  const [{ frame }] = panels;
  return {
    data: numbered,
    layout: {
      template: templateOf(look),
      showlegend: false,
      hovermode: false,
      bargap: 0,
      margin,
      ...Object.fromEntries(panels.flatMap(({ axes: own }) => own)),
    },
    ground: joined([
      ...axes.map(({ grid }) => grid),
      ...levels
        .map(({ y0 }: Json) => levelLine(frame, pxDown(frame, y0), look.spec.fallline.baseline))
        .filter(({ d }: Json) => d),
    ]),
    words: axes.flatMap(({ words }) => words),
    marks: joined(axes.map(({ line }) => line)),
    labels: {
      titles:
        panels.length > 1
          ? panels.map(({ frame: { left, width }, name }) => ({
              name,
              shape: "",
              left,
              width,
              dense: true,
              values: [],
            }))
          : [titleOf(gauge, at?.run, last, scene)],
      levels: levels
        .map(({ y0, label }: Json) => ({
          left: frame.left + 4,
          top: pxDown(frame, y0) - 15,
          text: levelWords(label.text, look.compact),
        }))
        .filter(({ text, top }: Json) => text && top > TOP - 15 && top < TOP + frame.height),
    },
    readable: { columns: {}, panels: [] },
    y: null,
  };
}

/** A matrix without numbers if its rows are too low for them. */
const readable = (trace: Json, height: number) =>
  trace.texttemplate && height / trace.z.length < ROW ? { ...trace, texttemplate: "" } : trace;

/** A level that the page does not know keeps its own name, where there is room. */
const levelWords = (name: string, compact: boolean) =>
  texts.levels[name]?.[compact ? "brief" : "whole"] ?? (compact ? "" : name);

/** A gauge's axis grows with its values instead. */
const unclipped = (figure: Json): Json => ({
  ...figure,
  data: figure.data.map((trace: Json) => ({ ...trace, meta: { ...trace.meta, clip: null } })),
});

/**
 * No line joins two measurements with a gap this many times the usual one, and this share of the
 * whole, between them.
 */
const GAPS = { times: 8, share: 0.2, least: 50 };

/** A trail with breaks where nothing was measured. A lone measurement keeps a dot. */
function interrupted(trace: Json): Json {
  if (trace.meta.role !== "trail" || trace.x.length < 2) return trace;
  const gaps = trace.x.slice(1).map((step: number, k: number) => step - trace.x[k]);
  const usual = [...gaps].sort((a: number, b: number) => a - b)[Math.floor((gaps.length - 1) / 2)];
  const whole = trace.x[trace.x.length - 1] - trace.x[0];
  const most = Math.max(GAPS.least, GAPS.share * whole, GAPS.times * (gaps.length > 1 ? usual : 0));
  const isApart = (k: number) => gaps[k] > most;
  if (!gaps.some((gap: number) => gap > most)) return trace;
  const last = gaps.length;
  const isLone = (k: number) => (k === 0 || isApart(k - 1)) && (k === last || isApart(k));
  const lone = trace.x.map((_: number, k: number) => (isLone(k) ? LONE : 0));
  const spread = <T>(values: T[], between: T) =>
    values.flatMap((value, k) => (k < last && isApart(k) ? [value, between] : [value]));
  return {
    ...trace,
    mode: "lines+markers",
    marker: { ...trace.marker, color: trace.line.color, size: spread(lone, 0), line: { width: 0 } },
    x: spread(trace.x, null),
    y: spread(trace.y, null),
  };
}

/** px */
const LONE = 4;

/** @param suffix of its axes */
const ofPanel = (data: Json[], suffix: string) =>
  data.filter(({ xaxis = "x" }) => xaxis === `x${suffix}`);

const spanOf = ({ range: [from, to] }: Json) => Math.abs(to - from);

/**
 * The plots of a figure side by side, with their Plotly axes.
 * @param isEven a unit is as long across as up
 */
function panelsOf(
  layout: Json,
  data: Json[],
  room: Scene["room"],
  margin: { l: number; r: number; t: number; b: number },
  isEven = false,
) {
  const suffixes = Object.keys(layout)
    .filter((key) => key.startsWith("xaxis"))
    .map((key) => key.slice(5));
  const plot = room.width - margin.l - margin.r;
  const most = (plot - GAP * (suffixes.length - 1)) / suffixes.length;
  const height = room.height - margin.t - margin.b;
  return suffixes.map((suffix, k) => {
    const own = ofPanel(data, suffix);
    const across = (width: number) =>
      acrossAxis(layout[`xaxis${suffix}`], own, { width, before: margin.l - 6, after: margin.r });
    const y = downAxis(layout[`yaxis${suffix}`], own, height);
    const width = isEven ? Math.min(most, (height * spanOf(across(most))) / spanOf(y)) : most;
    const x = across(width);
    const start = k * (most + GAP);
    const domain = [start / plot, Math.min(1, (start + width) / plot)];
    return {
      name: layout.meta?.panels?.[k] ?? "",
      frame: { left: margin.l + start, top: margin.t, width, height, beyond: margin.r, x, y },
      axes: [
        [`xaxis${suffix}`, { ...undrawn(x), domain, anchor: `y${suffix}` }],
        [`yaxis${suffix}`, { ...undrawn(y), anchor: `x${suffix}` }],
      ],
    };
  });
}

/** The name, with the latest value of the measured run. */
function titleOf(
  gauge: Gauge,
  run: Run | undefined,
  last: Json | undefined,
  { state, room, look: { compact } }: Scene,
) {
  const { name, brief, value, least, legend } = gauge;
  const width = room.width - (compact ? 0 : RIGHT);
  const classes = (last && legend?.(last)) ?? [];
  const key = compact ? "" : keyWords(state, gauge);
  const left = width - boldWidth(compact ? brief : name) - BESIDE;
  // a cut legend would lack classes
  const long = LETTER * classes.join("").length + classes.length * MARK;
  const hasMarks = classes.length > 0 && long <= left;
  const hasKey = !hasMarks || LETTER * key.length + BESIDE + long <= left;
  const values =
    run && last && !legend
      ? [
          {
            run: run.name,
            label: run.label,
            lane: run.lane,
            value: (compact ? least : value)(last),
          },
        ]
      : [];
  return {
    name: compact ? brief : name,
    term: isTerm(kindOf(gauge)) ? kindOf(gauge) : undefined,
    shape: hasKey ? key : "",
    marks: hasMarks
      ? classes.map((of, k) => ({ name: of, d: classShape(k, 8, 5, 5), isFilled: isFilled(k) }))
      : [],
    left: 0,
    width,
    dense: compact,
    values,
  };
}

/** From paper to a soft ink, between the colours of the two signs, or the shades of classes. */
function scaleOf(look: Scene["look"], { scale: name, classes }: Json) {
  if (name === "classes") return classScale(look, classes);
  const { pos, neg } = look.spec.fallline.sign[look.theme];
  const paper = surface(look, "paper");
  return name === "ink"
    ? [
        [0, paper],
        [1, surface(look, "ctl")],
      ]
    : [
        [0, neg],
        [0.5, paper],
        [1, pos],
      ];
}

/** A trace in the colour of its run or of the page. */
function coloured(trace: Json, { look }: Scene, lane: string): Json {
  const { meta } = trace;
  const { line, text } = laneLook(look, lane);
  const stroke = meta.ink ? surface(look, meta.ink) : line;
  return {
    ...trace,
    hoverinfo: "skip",
    hovertemplate: null,
    ...(meta.scale ? { colorscale: scaleOf(look, meta) } : {}),
    ...(trace.line && !meta.scale ? { line: { ...trace.line, color: stroke } } : {}),
    // a dot at the end of its range, such as a cosine of 1, is not cut
    ...(trace.marker && trace.mode ? { cliponaxis: false } : {}),
    ...(trace.marker
      ? { marker: { ...trace.marker, color: meta.ink ? stroke : text, line: { width: 0 } } }
      : {}),
  };
}
