/**
 * The row under the loss: the gradients, or in their place the instruments that are open, side by side. No other panel moves.
 * Owns: which charts stand in that row.
 */

import { make, makeOwn } from "./dom.js";
import { choiceOf, kindOf } from "../state/instruments.js";

/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("../state/types.js").State} State */

/** @param {State} state */
const charts = (state) => (state.view.panel === "instruments" ? choiceOf(state).gauges.map(kindOf) : []);

/** @param {App} app @param {HTMLElement} row */
export function keepLowerRow({ store }, row) {
  const show = (/** @type {string[]} */ kinds) => row.replaceChildren(kinds.length
    ? make("div", { class: "instruments", style: { "--many": kinds.length } }, ...kinds.map((kind) => makeOwn("plotly-chart", { kind, "aria-label": "Not measured yet" })))
    : makeOwn("plotly-chart", { kind: "gradients", "aria-label": "Gradient per layer, not drawn yet" }));
  store.watch(charts, show);
  show(charts(store.get()));
}
