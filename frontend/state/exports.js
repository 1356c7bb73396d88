/**
 * Exports: the server's files, listed in the catalog, and pictures of charts.
 * Owns: their addresses, names and words. Pure.
 */

import { rowsOf } from "./catalog.js";
import { MAP, showsMap } from "./decision-map.js";
import { choiceOf, kindOf } from "./instruments.js";
import { shownStep } from "./moments.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {{name: string, href: string, help: string, of: string}} FileToTake  `of` names the run of a file about one run */
/** @typedef {{kind: string, text: string}} Pictured */

const PREDICTED = "Predicted and true";

/** All runs together, in the list of runs. */
export const ALL = "";

/** The files of one run or of all. @param {State} state @param {string} run  a name, or ALL @returns {FileToTake[]} */
export function filesOf({ catalog, experiment, order, runs }, run) {
  const query = run === ALL ? "" : `?run=${encodeURIComponent(run)}`;
  return rowsOf(catalog, "exports").map(({ name, help, of_first: ofFirst }) => ({
    name, help, of: ofFirst && run === ALL && order.length > 1 ? runs[order[0]].label : "",
    href: `api/v1/experiments/${encodeURIComponent(experiment?.id ?? "")}/export/${name}${query}`,
  }));
}

/** @param {State} state @returns {{value: string, text: string}[]} */
export const choicesOf = ({ order, runs }) => [
  { value: ALL, text: order.length > 2 ? `All ${order.length} runs` : order.length > 1 ? "Both runs" : "The run" },
  ...(order.length > 1 ? order.map((name) => ({ value: name, text: runs[name].label })) : []),
];

/** Decision maps can be exported, confusion tables cannot. @param {State} state @returns {Pictured[]} */
export const picturesOf = (state) => [
  { kind: "loss", text: "Loss" },
  ...(state.view.panel === "instruments" ? choiceOf(state).gauges.map((gauge) => ({ kind: kindOf(gauge), text: gauge.name })) : [{ kind: "gradients", text: "Gradient" }]),
  ...(showsMap(state) ? [{ kind: MAP, text: PREDICTED }] : state.experiment?.classes.length ? [] : [{ kind: "scatter", text: PREDICTED }]),
];

/** @param {State} state @param {string} kind @param {"png"|"svg"} type */
export const pictureName = (state, kind, type) => `fallline-${kind}-step-${shownStep(state)}.${type}`;
