/**
 * Charts in another page: the frame of index.html without all else.
 * Owns: what stays of the frame, the names of runs where there is no loss, and the note over it while
 * there is nothing to see.
 */

import { html, nothing } from "lit";
import { LiveElement } from "../ui/live-element.ts";
import { make } from "../ui/dom.ts";
import { marker } from "../ui/icons.ts";
import { showCharts } from "./dashboard.ts";
import { keepTheme } from "./theme.ts";
import { stripFor } from "./strips.ts";
import { isCut } from "../core/selectors.ts";
import { shownRuns } from "../core/state-on-view.ts";
import { unknownCharts } from "../core/embed.ts";
import type { EmbeddedChart } from "../core/embed.ts";
import type { App, State } from "../core/types.ts";

const ELSE =
  ".skip, .app > :not(.columns), .columns > :not(main), .scene > :is(.notes, .band, .figure-head), .picture > data-picture, .app ~ :not(page-announcer, noscript)";
const PLACES: Record<EmbeddedChart, string> = {
  loss: ".plot.loss",
  fall_line: "fall-line",
  gradients: ".plot.gradients",
};

/** Removes the rest of the page, before its elements begin. */
export function keepCharts(charts: EmbeddedChart[]) {
  for (const element of document.querySelectorAll(ELSE)) element.remove();
  for (const [chart, place] of Object.entries(PLACES))
    if (!charts.includes(chart as EmbeddedChart)) document.querySelector(place)?.remove();
  const picture = document.querySelector(".picture");
  if (picture && !picture.childElementCount) picture.remove();
  const stage = document.querySelector<HTMLElement>(".stage");
  const hasLoss = charts.includes("loss");
  if (stage)
    stage.dataset.picture = charts.includes("fall_line") ? (hasLoss ? "both" : "fall") : "loss";
  stage?.prepend(make("h1", { class: "unseen" }, "fallline"), document.createElement("embed-note"));
  // only the loss has room for the names of many runs
  if (!hasLoss) document.querySelector(".scene")?.prepend(document.createElement("embed-names"));
}

/** The runs with their markers, where no chart has their names. */
export class EmbedNames extends LiveElement {
  override shows(state: State) {
    return shownRuns(state).flatMap(({ lane, label }) => [lane, label]);
  }

  override render() {
    return shownRuns(this.state).map(
      ({ lane, label }) => html`<span data-lane=${lane}>${marker(lane)}${label}</span>`,
    );
  }
}

/** Says why there is nothing to see, that it is not the newest, or that a chart's name is wrong. */
export class EmbedNote extends LiveElement {
  override shows(state: State) {
    return JSON.stringify(noteOf(state));
  }

  override render() {
    const note = noteOf(this.state);
    this.hidden = note === null;
    return note ? html`<p role="status"><b>${note.strong}</b> ${note.text}</p>` : nothing;
  }
}

/** The words in the page's strip, without anything to press; else which charts do not exist. */
function noteOf(state: State) {
  const { experiment, problem, waitingFor } = state;
  if (!experiment) {
    const why = problem ?? waitingFor;
    return why && { strong: why.title, text: why.detail ?? "" };
  }
  const strip = stripFor(state);
  return strip && isCut(state)
    ? { strong: strip.strong, text: "" }
    : unknownCharts(location.search);
}

export function openEmbedded(app: App) {
  keepTheme(app.store);
  document.querySelector(".columns")?.removeAttribute("aria-busy");
  showCharts(app);
}
