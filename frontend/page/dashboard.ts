/**
 * The page: fills the frame of index.html and connects what belongs to no single element.
 * Owns: places of charts, theme, sheet, focus, keys.
 */

import { html, render } from "lit";
import { refuseStrayDrops, takeDrops } from "../features/recipe/csv-drop.ts";
import { set } from "../ui/dom.ts";
import { confirmChoices } from "../ui/listbox.ts";
import { keepLowerRow } from "../features/figures/instrument-panel.ts";
import { goToRecipe, keepSheet } from "../features/recipe/recipe-sheet.ts";
import { keepWords } from "../features/words/word-panel.ts";
import { furthest } from "../core/selectors.ts";
import { keepFocus } from "./kept-focus.ts";
import { keepTheme } from "./theme.ts";
import { listenToKeys } from "./keyboard.ts";
import { helpLines } from "./keys.ts";
import * as texts from "../words/english.ts";
import type { HelpDialog } from "./help-dialog.ts";
import type { App, State } from "../core/types.ts";

const LOSS = html`<plotly-chart kind="loss" aria-label=${texts.lossNotDrawnYet}></plotly-chart>`;

/** Announced once waiting has become long. */
const SLOW_MS = 8000;

/** Values predicted by the initial weights say nothing yet; maps of classes do. */
const isFresh = (state: State) => !state.experiment?.classes.length && furthest(state) === 0;

const find = (selector: string) => document.querySelector(selector) as HTMLElement;

export function openDashboard(app: App) {
  refuseStrayDrops();
  confirmChoices();
  takeDrops(
    find(".app"),
    () => app.store.get().experiment !== null,
    (file) => void app.openFile(file),
  );
  keepTheme(app.store);
  keepWords(app);
  keepSheet(app, find(".rail.recipe"));
  const keepFresh = () => set(find(".app"), { "data-fresh": isFresh(app.store.get()) });
  app.store.watch(isFresh, keepFresh);
  keepFresh();
  waitForExperiment(app);
  (find("help-dialog") as HelpDialog).lines = helpLines;
  keepFocus(app.store);
  listenToKeys(app, {
    fit: () =>
      document
        .querySelectorAll("plotly-chart")
        .forEach((chart) => chart.dispatchEvent(new CustomEvent("fit"))),
    recipe: () => goToRecipe(app, find(".rail.recipe")),
    axes: () => (document.querySelector("loss-head .axes") as HTMLElement | null)?.click(),
    summary: () => app.setView({ dialog: "summary" }),
  });
}

/** Fills the places of the charts that the page has. */
export function showCharts(app: App) {
  const [loss, lower] = [".plot.loss", ".plot.gradients"].map((place) =>
    document.querySelector<HTMLElement>(place),
  );
  loss?.replaceChildren();
  if (loss) render(LOSS, loss);
  if (lower) keepLowerRow(app, lower);
}

function waitForExperiment(app: App) {
  const say = (words: string) => {
    const status = find(".waiting-plot [role=status]");
    if (status) status.textContent = words;
  };
  const slow = setTimeout(() => say(texts.stillStartingTheServerMayBe), SLOW_MS);
  const wait = () => {
    if (!app.store.get().waitingFor) return;
    clearTimeout(slow);
    say(texts.waitingForTheServer);
    // else a screen reader would not read the strip that explains it
    set(find(".columns"), { "aria-busy": null });
  };
  const open = () => {
    if (!app.store.get().experiment) return;
    stops.forEach((stop) => stop());
    clearTimeout(slow);
    set(find(".columns"), { "aria-busy": null });
    showCharts(app);
  };
  const stops = [
    app.store.watch((state) => state.experiment, open),
    app.store.watch((state) => state.waitingFor, wait),
  ];
  open();
}
