// The input of a chart after some steps of two runs.

import { readFileSync } from "node:fs";

import { joined } from "../../frontend/charts/paths.ts";
import { latestOf } from "../../frontend/core/columns.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createSeriesStore } from "../../frontend/core/series.ts";
import type { PlotFigure } from "../../frontend/charts/plot.ts";
import type { Scene } from "../../frontend/charts/scene.ts";
import type { ColumnStore } from "../../frontend/core/series.ts";
import type { Json, Message, View } from "../../frontend/core/types.ts";
import { answer, catalog, columns } from "./fake-server.ts";
import type { Lists } from "./fake-server.ts";

const read = (path: string): Json =>
  JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const spec = read("../../backend/fallline/figures/plotly-template.json");
export const figures = {
  loss: read("../golden/figures/loss.json").figure,
  gradients: read("../golden/figures/gradients.json").figure,
};

/** The plots of a chart as one, with the layout of the first. */
export function asOne<Chart extends { plots: PlotFigure[] }>({ plots, ...chart }: Chart) {
  return {
    ...chart,
    plots,
    layout: plots[0].layout,
    data: plots.flatMap(({ data }) => data),
    ground: joined(plots.flatMap(({ ground }) => ground)),
    marks: plots.flatMap(({ marks }) => marks),
    live: plots.flatMap(({ live = [] }) => live),
  };
}

const ROOM = { width: 800, height: 400, left: 46, right: 104 };

/** `change` edits the columns */
export type Given = {
  gd?: number;
  sgd?: number;
  change?: (run: string, wire: Lists) => unknown;
  view?: Partial<View>;
  messages?: Message[];
  zoom?: [number, number] | null;
  zoomY?: [number, number] | null;
  compact?: boolean;
  layers?: number; // hidden ones, of 4 units each
  room?: Partial<Scene["room"]>;
};

/** The notebook's experiment with so many hidden layers. */
function withLayers(count: number) {
  const whole = answer();
  const layers = Array.from({ length: count }, () => ({ units: 4, activation: "relu" }));
  const network = { ...whole.recipe.network, layers };
  return { ...whole, recipe: { ...whole.recipe, network } };
}

/** A page after some steps of each run. */
export function scene({
  gd = 0,
  sgd = 0,
  change = () => {},
  view = {},
  messages = [],
  zoom = null,
  zoomY = null,
  compact = false,
  layers,
  room = {},
}: Given = {}): Scene & { series: ColumnStore } {
  const series = createSeriesStore();
  const opening: Message[] = [
    { type: "catalog", catalog },
    { type: "opened", answer: layers ? withLayers(layers) : answer(), token: "t" },
    { type: "view", part: view },
  ];
  let state = opening.reduce(reduce, initialState());
  for (const { run, steps, per } of [
    { run: "gd", steps: gd, per: 900 },
    { run: "sgd", steps: sgd, per: 1 },
  ]) {
    if (!steps) continue;
    const wire = columns(0, steps - 1);
    wire.samples_seen = wire.first.map((step: number) => per * (step + 1));
    for (const weight of ["W1", "W2"])
      wire.series[`grad_l1/${weight}`] = structuredClone(wire.series.train_loss);
    change(run, wire);
    series.take(run, wire);
    state = reduce(state, {
      type: "frame",
      runs: {
        [run]: {
          status: "playing",
          step: steps,
          epoch: (steps * per) / 900,
          samples_seen: steps * per,
          generation: 0,
          latest: latestOf(wire),
        },
      },
    });
  }
  state = messages.reduce(reduce, state);
  return {
    state,
    series,
    look: { spec, theme: "light", compact },
    room: { ...ROOM, ...room },
    zoom: { x: zoom, y: zoomY },
    previous: { y: null },
  };
}
