/**
 * The kinds of charts as a table: their parts, how often they may draw, and their descriptions.
 * Owns: the rows. A new chart adds one here.
 */

import { gradientChart } from "./gradient-chart.js";
import { instrumentChart } from "./instrument-chart.js";
import { lossChart } from "./loss-chart.js";
import { gradientLabels, instrumentLabels, lossLabels, scatterLabels } from "./overlay.js";
import { scatterChart } from "./scatter-chart.js";
import { requestOf, GAUGES, gaugeSummary, measuredAt } from "../state/instruments.js";
import { stateOnView } from "../state/moments.js";
import { gradientSummary, lossSummary, scatterSummary } from "../state/selectors.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Json} Json */
/**
 * @typedef {object} Kind
 * @property {string|null} figure  the server's specification, or none
 * @property {(figure: any, scene: import("./scene.js").Scene) => Json} build
 * @property {(labels: Json, frame: import("./labels.js").Frame, compact: boolean) => HTMLElement[]} labels
 * @property {(state: State) => string} summary
 * @property {(state: State) => unknown[]} follows  what causes a draw, besides room and theme
 * @property {number} every  ms
 * @property {boolean} isRead  has a cursor
 */

const shared = (/** @type {State} */ { frames, view, runs, order, experiment, catalog, looking, connection: { status, lastStep, progress } }) => [
  frames, view.x, runs, order, experiment, catalog, looking, status, lastStep, progress,
];

/** One for each figure of an instrument. @param {import("../state/instruments.js").Gauge} gauge @returns {Kind} */
const measured = (gauge) => ({
  figure: gauge.figure, build: (figure, scene) => instrumentChart(figure, scene, gauge), labels: instrumentLabels,
  summary: (state) => gaugeSummary(state, gauge), every: 100, isRead: false,
  follows(state) {
    const at = measuredAt(state);
    return [state.figures[gauge.figure], at?.run.name, at?.run.label, at?.run.generation, state.instruments[at?.run.name ?? ""]?.last[requestOf(gauge)]];
  },
});

/** @type {Record<string, Kind>} */
export const KINDS = {
  ...Object.fromEntries(Object.entries(GAUGES).map(([name, gauge]) => [name, measured(gauge)])),
  loss: {
    figure: "loss", build: lossChart, labels: lossLabels, summary: lossSummary, every: 100, isRead: true,
    follows: (state) => [...shared(state), state.figures.loss, state.view.y],
  },
  gradients: {
    figure: "gradients", build: gradientChart, labels: gradientLabels, summary: gradientSummary, every: 100, isRead: true,
    follows: (state) => [...shared(state), state.figures.gradients, state.view.measure],
  },
  scatter: {
    figure: null, build: (_, scene) => scatterChart(scene), labels: scatterLabels, summary: scatterSummary, every: 250, isRead: false,
    follows: (state) => [state.order, ...state.order.map((name) => stateOnView(state).runs[name]).flatMap(({ predictions, hidden, label, status, step }) => [
      predictions, hidden, label, status, status === "playing" || step,
    ])],
  },
};
