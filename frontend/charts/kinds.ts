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
import { stateOnView, stepOnView } from "../core/state-on-view.ts";
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
  isFirst?: boolean; // drawn before others: all of it is of the beat
  stepOf: (state: State) => number; // of the drawn numbers
}

/** While runs play at a beat; else with every frame, which may bring finer columns of the same steps. */
const shared = (state: State) => {
  const { beat, playback, connection } = state;
  return [
    beat,
    playback.playing && beat ? null : state.frames,
    state.finer,
    state.view.x,
    ...Object.values(stateOnView(state).runs),
    state.order,
    state.experiment,
    state.catalog,
    state.looking,
    state.story,
    playback.playing,
    connection.status,
    connection.lastStep,
    connection.progress,
  ];
};

/** One for each figure of an instrument. */
const measured = (gauge: Gauge): Kind => ({
  figure: gauge.figure,
  build: (figure, scene) => instrumentChart(figure, scene, gauge),
  labels: instrumentLabels,
  summary: (state) => gaugeSummary(state, gauge),
  every: 100,
  isRead: false,
  stepOf: stepOnView,
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
    stepOf: stepOnView,
    follows: (state) => [...shared(state), state.figures.loss, state.view.y],
  },
  gradients: {
    figure: "gradients",
    build: gradientChart,
    labels: (labels, _, __, follow) => gradientLabels(labels, follow),
    summary: gradientSummary,
    every: 100,
    isRead: true,
    stepOf: stepOnView,
    follows: (state) => [...shared(state), state.figures.gradients, state.view.measure],
  },
  scatter: {
    figure: null,
    build: (_, scene) => scatterChart(scene),
    labels: scatterLabels,
    summary: scatterSummary,
    every: 50, // predictions come with the beat
    isRead: false,
    isFirst: true,
    stepOf: (state) =>
      Math.max(
        0,
        ...Object.values(stateOnView(state).runs).map(({ predictions }) => predictions?.step ?? 0),
      ),
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
