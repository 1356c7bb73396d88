/**
 * The kinds of charts as a table: their parts, how often they may draw, and their descriptions.
 * Owns: the rows. A new chart adds one here.
 */

import { gradientChart } from "./gradient-chart.ts";
import { instrumentChart } from "./instrument-chart.ts";
import { lossChart } from "./loss-chart.ts";
import { gradientLabels, instrumentLabels, lossLabels, scatterLabels } from "./overlay.ts";
import { scatterChart } from "./scatter-chart.ts";
import { requestOf, GAUGES, gaugeSummary, measuredAt } from "../core/instruments.ts";
import { stateOnView } from "../core/state-on-view.ts";
import { gradientSummary, lossSummary, scatterSummary } from "../core/selectors.ts";
import type { Gauge } from "../core/instruments.ts";
import type { Json, State } from "../core/types.ts";
import type { Frame } from "./labels.ts";
import type { LiveValue, Show } from "./live-values.ts";
import type { Scene } from "./scene.ts";

interface Kind {
  figure: string | null; // the server's specification, or none
  build: (figure: any, scene: Scene) => Json;
  labels: (
    labels: Json,
    frame: Frame,
    compact: boolean,
    follow: (value: LiveValue, show: Show) => void,
  ) => HTMLElement[];
  summary: (state: State) => string;
  follows: (state: State) => unknown[]; // what causes a draw, besides room and theme
  every: number; // ms
  isRead: boolean; // has a cursor
}

const shared = ({
  frames,
  view,
  runs,
  order,
  experiment,
  catalog,
  looking,
  story,
  playback: { playing },
  connection: { status, lastStep, progress },
}: State) => [
  frames,
  view.x,
  runs,
  order,
  experiment,
  catalog,
  looking,
  story,
  playing,
  status,
  lastStep,
  progress,
];

/** One for each figure of an instrument. */
const measured = (gauge: Gauge): Kind => ({
  figure: gauge.figure,
  build: (figure, scene) => instrumentChart(figure, scene, gauge),
  labels: instrumentLabels,
  summary: (state) => gaugeSummary(state, gauge),
  every: 100,
  isRead: false,
  follows(state) {
    const at = measuredAt(state);
    return [
      state.figures[gauge.figure],
      at?.run.name,
      at?.run.label,
      at?.run.generation,
      state.instruments[at?.run.name ?? ""]?.last[requestOf(gauge)],
    ];
  },
});

export const KINDS: Record<string, Kind> = {
  ...Object.fromEntries(Object.entries(GAUGES).map(([name, gauge]) => [name, measured(gauge)])),
  loss: {
    figure: "loss",
    build: lossChart,
    labels: lossLabels,
    summary: lossSummary,
    every: 100,
    isRead: true,
    follows: (state) => [...shared(state), state.figures.loss, state.view.y],
  },
  gradients: {
    figure: "gradients",
    build: gradientChart,
    labels: (labels, _, __, follow) => gradientLabels(labels, follow),
    summary: gradientSummary,
    every: 100,
    isRead: true,
    follows: (state) => [...shared(state), state.figures.gradients, state.view.measure],
  },
  scatter: {
    figure: null,
    build: (_, scene) => scatterChart(scene),
    labels: scatterLabels,
    summary: scatterSummary,
    every: 100, // predictions come four times a second
    isRead: false,
    follows: (state) => [
      state.order,
      ...state.order
        .map((name) => stateOnView(state).runs[name])
        .flatMap(({ predictions, hidden, label, status, step }) => [
          predictions,
          hidden,
          label,
          status,
          status === "playing" || step,
        ]),
    ],
  },
};
