// The input of a chart after some steps of two runs.

import { readFileSync } from "node:fs";

import { latestOf } from "../../frontend/core/columns.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createSeriesStore } from "../../frontend/core/series.ts";
import { answer, catalog, columns } from "./fake-server.ts";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const spec = read("../../backend/fallline/figures/plotly-template.json");
export const figures = {
  loss: read("../golden/figures/loss.json").figure,
  gradients: read("../golden/figures/gradients.json").figure,
};
const ROOM = { width: 800, height: 400, left: 46, right: 104 };

/** A page after some steps of each run; `change` edits the columns. */
export function scene({
  gd = 0,
  sgd = 0,
  change = () => {},
  view = {},
  messages = [],
  zoom = null,
  zoomY = null,
  compact = false,
} = {}) {
  const series = createSeriesStore();
  let state = [
    { type: "catalog", catalog },
    { type: "opened", answer: answer(), token: "t" },
    { type: "view", part: view },
  ].reduce(reduce, initialState());
  for (const [run, steps, per] of [
    ["gd", gd, 900],
    ["sgd", sgd, 1],
  ]) {
    if (!steps) continue;
    const wire = columns(0, steps - 1);
    wire.samples_seen = wire.first.map((step) => per * (step + 1));
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
    room: ROOM,
    zoom: { x: zoom, y: zoomY },
    previous: { y: null },
  };
}
