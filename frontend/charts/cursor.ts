/**
 * The cursor's bins, its moves by key or pointer, and the values it reads, in words.
 * Owns: that. Pure. Values come from the columns, not from the drawing: exactly 0 reads 0
 * everywhere.
 */

import { middles, pointsOf } from "./bind.ts";
import { BOUND, placeNow } from "./horizontal.ts";
import { shareOf } from "./labels.ts";
import { epochs, integer, number, plural } from "../core/format.ts";
import { shownRuns } from "../core/state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Run, XAxis } from "../core/types.ts";
import type { Bound } from "./bind.ts";
import type { Area, Axis } from "./labels.ts";
import type { Scene } from "./scene.ts";

/** `name` is "" where none is needed */
type Line = { name: string; series: string };
/** with the axis as drawn, and the series to read */
export interface Panel extends Area {
  name: string;
  x: Axis;
  lines: Line[];
}

/** what the cursor can read in the chart's last draw */
export type Readable = { columns: Record<string, Bound>; panels: Panel[] };
/** its place on the axis, and its steps */
type Bin = { x: number; from: number; to: number };
type Row = { run: string; lane: string; label: string; values: string[] };
export type Readout = {
  at: number;
  name: string;
  panels: { left: number; panel: Panel; rows: Row[] }[];
  spoken: string;
};

const samplesOf = ({ state }: Scene) => state.experiment?.trainSamples ?? 1;

/** All places in the drawn range where some run has a bin, from left to right. */
export function binsOf({ columns, panels }: Readable, scene: Scene): Bin[] {
  const { x } = scene.state.view;
  const bins: Map<number, Bin> = new Map();
  for (const run of shownRuns(scene.state)) {
    const bound = columns[run.name];
    if (!bound) continue;
    middles(bound, BOUND[x], samplesOf(scene)).forEach((place, i) =>
      bins.set(place, { x: place, from: bound.first[i], to: bound.last[i] }),
    );
  }
  const isDrawn = (bin: Bin) => {
    const share = shareOf(bin.x, panels[0].x);
    return share >= 0 && share <= 1;
  };
  return [...bins.values()].filter(isDrawn).sort((a, b) => a.x - b.x);
}

/** The bin nearest to a place. As a run goes on bins merge; the cursor stays. */
export function nearest(bins: Bin[], at: number) {
  let best = 0;
  for (let i = 1; i < bins.length; i++)
    if (Math.abs(bins[i].x - at) < Math.abs(bins[best].x - at)) best = i;
  return best;
}

const MOVES: Record<string, (place: number | null, last: number) => number> = {
  ArrowLeft: (place, last) => (place === null ? last : Math.max(0, place - 1)),
  ArrowRight: (place, last) => (place === null ? 0 : Math.min(last, place + 1)),
  Home: () => 0,
  End: (_, last) => last,
};

export const isMove = (key: string) => Object.hasOwn(MOVES, key);

/** The place to which a key moves the cursor; the first key enters from its own side. */
export function moved(bins: Bin[], at: number | null, key: string): number | null {
  if (!bins.length) return null;
  return bins[MOVES[key](at === null ? null : nearest(bins, at), bins.length - 1)].x;
}

/**
 * The place on the axis under a pointer; null outside the panels.
 * @param left px, from the chart's corner
 */
export function pointedAt({ panels }: Readable, left: number, top: number): number | null {
  const panel = panels.find(
    (one) =>
      left >= one.left &&
      left <= one.left + one.width &&
      top >= one.top &&
      top <= one.top + one.height,
  );
  if (!panel) return null;
  const {
    type,
    range: [low, high],
  } = panel.x;
  const place = low + ((high - low) * (left - panel.left)) / panel.width;
  return type === "log" ? 10 ** place : place;
}

function nameOf({ x, from, to }: Bin, axis: XAxis) {
  if (axis === "epochs") return texts.epochX(epochs(x));
  if (axis === "samples") return texts.xSeen(plural(x, "sample"));
  if (axis === "seconds") return texts.xSeconds(number(x));
  return from === to ? texts.stepX(integer(from)) : texts.stepsXToY(integer(from), integer(to));
}

/** The last value at or before a place; null where the run has not come that far. */
function valueAt(run: Run, series: string, at: number, { columns }: Readable, scene: Scene) {
  if (at > placeNow(run, scene.series.of(run.name), scene.state.view.x)) return null;
  const { x, y } = pointsOf(
    { x: BOUND[scene.state.view.x], y: series, stat: "mean" },
    columns[run.name],
    samplesOf(scene),
  );
  let i = x.length - 1;
  while (i >= 0 && x[i] > at) i--;
  return i < 0 ? null : y[i];
}

/** The cursor's values and words at a place; null before there are values. */
export function readoutAt(readable: Readable, scene: Scene, wished: number): Readout | null {
  const bins = binsOf(readable, scene);
  if (!bins.length) return null;
  const bin = bins[nearest(bins, wished)];
  const name = nameOf(bin, scene.state.view.x);
  const panels = readable.panels.map((panel) => ({
    left: panel.left + panel.width * shareOf(bin.x, panel.x),
    panel,
    rows: shownRuns(scene.state).map((run) => ({
      run: run.name,
      lane: run.lane,
      label: run.label,
      values: panel.lines.map((line) =>
        [line.name, number(valueAt(run, line.series, bin.x, readable, scene))]
          .filter(Boolean)
          .join(" "),
      ),
    })),
  }));
  return { at: bin.x, name, panels, spoken: spokenOf(name, panels) };
}

function spokenOf(name: string, panels: Readout["panels"]) {
  const run = ({ label, values }: Row) =>
    `${label} ${values.join(", ")}`.replaceAll("–", texts.nothing);
  const parts = panels.map(({ panel, rows }) =>
    panel.name
      ? `${panel.name}: ${rows.map(run).join(", ")}.`
      : rows.map((row) => `${run(row)}.`).join(" "),
  );
  return [`${texts.capital(name)}.`, ...parts].join(" ");
}
