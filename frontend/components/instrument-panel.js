/**
 * The row below the loss: gradients, or the open instruments side by side.
 * Owns: which charts stand there, and the note of an instrument not measured yet.
 */

import { make, makeOwn, write } from "./dom.js";
import { choiceOf, kindOf, waitingWords } from "../state/instruments.js";

/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("../state/types.js").State} State */

/** @param {State} state */
const charts = (state) => (state.view.panel === "instruments" ? choiceOf(state).gauges.map(kindOf) : []);

/** @param {App} app @param {HTMLElement} row */
export function keepLowerRow({ store }, row) {
  /** Notes in place of charts, by kind. @type {HTMLElement[]} */
  let waiting = [];
  const words = (/** @type {State} */ state) => (waiting.length ? choiceOf(state).gauges.map((gauge) => waitingWords(state, gauge)) : []);
  const say = (/** @type {string[]} */ texts) => waiting.forEach((each, place) => {
    write(each, texts[place] ?? "");
    each.hidden = !texts[place];
  });
  const show = (/** @type {string[]} */ kinds) => {
    waiting = kinds.map((_, place) => make("p", { class: "waiting", hidden: true, style: { "--at": place + 1 } }));
    row.replaceChildren(kinds.length
      ? make("div", { class: "instruments", style: { "--many": kinds.length } }, ...kinds.map((kind) => makeOwn("plotly-chart", { kind, "aria-label": "Not measured yet" })), ...waiting)
      : makeOwn("plotly-chart", { kind: "gradients", "aria-label": "Gradient per layer, not drawn yet" }));
    say(words(store.get()));
  };
  store.watch(charts, show);
  store.watch(words, say);
  show(charts(store.get()));
}
