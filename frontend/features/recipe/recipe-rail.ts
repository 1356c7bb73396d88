/**
 * The recipe: a line for the data, one for the network, a card for each run. Their settings open
 * over them.
 * Owns: the order of parts, which settings are open, and locking what would change the experiment.
 */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { isLocked, isVisitor } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

const MOST_RUNS = 8;
/** From this many runs each card is low. */
const MANY = 5;
const RUN = /^run (.+)$/;

/** The settings to show: "data", "network" or "run gd"; null for a run that is gone. */
function openedIn({ view: { opened }, runs }: State) {
  const run = opened?.match(RUN)?.[1];
  return run === undefined || runs[run] ? opened : null;
}

export class RecipeRail extends LiveElement {
  #order: string[] = [];
  /** The run after a removed one, else the last. */
  #next = "";
  #opened: string | null = null;

  /** Controls are made from the catalog. */
  override isReady({ experiment, catalog }: State) {
    return experiment !== null && catalog !== null;
  }

  override shows(state: State) {
    return [
      openedIn(state),
      state.view.explains,
      isLocked(state),
      isVisitor(state),
      ...state.order,
    ];
  }

  override start() {
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || !openedIn(this.state)) return;
      event.preventDefault();
      this.#close();
    });
  }

  #close() {
    this.app.setView({ opened: null });
  }

  override render() {
    const opened = openedIn(this.state);
    this.classList.toggle("explained", this.state.view.explains);
    this.closest(".app")?.toggleAttribute("data-opened", opened !== null);
    return html`
      <div class="grab">
        <b>${texts.recipe}</b>
        <button type="button" class="button quiet square" aria-label=${texts.closeTheRecipe}
          @click=${() => this.app.setView({ sheet: null })}>${icon("close")}</button>
      </div>
      ${opened ? this.#settings(opened) : this.#overview()}`;
  }

  #overview() {
    const { app, state } = this;
    const { order } = state;
    const card = (name: string) =>
      html`<run-card data-run=${name} role="group" class=${order.length >= MANY ? "card dense" : "card"}></run-card>`;
    const add = html`<button type="button" class="button quiet add-run" ?disabled=${isLocked(state)} ?hidden=${order.length >= MOST_RUNS}
        @click=${() => app.addRun()}>${icon("plus")}${texts.addARun}</button>`;
    const copy = html`<button type="button" class="button quiet add-run"
        @click=${() => app.copyOfOwn()}>${icon("plus")}${texts.makeItMineACopy}</button>`;
    return html`
      <data-line></data-line>
      <network-line></network-line>
      <div>${repeat(order, (name) => name, card)}</div>
      ${isVisitor(state) ? copy : add}`;
  }

  #settings(opened: string) {
    const { state } = this;
    const run = opened.match(RUN)?.[1];
    const name =
      run === undefined ? (opened === "data" ? texts.data : texts.network) : state.runs[run].label;
    return html`<section class="settings" aria-label=${texts.settingsX(name)}>
      <div class="settings-head">
        <button type="button" class="button quiet back" aria-label=${texts.backToTheRecipeEsc}
          @click=${() => this.#close()}>${icon("previous")}${texts.recipe}</button>
        ${this.#explain()}
      </div>
      ${
        run === undefined
          ? html`<fieldset ?disabled=${isLocked(state)}>${
              opened === "data"
                ? html`<data-fields class="section"></data-fields>`
                : html`<network-fields class="section"></network-fields>`
            }</fieldset>`
          : html`<run-settings data-run=${run} role="group"></run-settings>`
      }
    </section>`;
  }

  /** Shows help lines below every control, also offline and for visitors. */
  #explain() {
    const { explains } = this.state.view;
    return html`<button type="button" class="button quiet square small explain"
      aria-label=${texts.explainEverySetting} title=${texts.explainEverySetting} aria-pressed=${explains}
      @click=${() => this.app.setView({ explains: !explains })}>${icon("help")}</button>`;
  }

  /** A new run is selected. The focus goes into opened settings, and back to what opened them. */
  override updated() {
    const { order } = this.state;
    const added = order.find((name) => !this.#order.includes(name));
    if (this.#order.length && added) this.app.setView({ selectedRun: added });
    const removed = this.#order.findIndex((name) => !order.includes(name));
    this.#next = order[removed] ?? order.at(-1) ?? "";
    this.#order = order;
    const opened = openedIn(this.state);
    if (opened === this.#opened) return;
    const former = this.#opened;
    this.#opened = opened;
    const { activeElement } = document;
    if (activeElement !== document.body && !this.contains(activeElement)) return;
    const target = opened ? ".back" : `[data-opens="${former}"]`;
    this.querySelector<HTMLElement>(target)?.focus();
  }

  override passFocus() {
    const next = this.querySelector<HTMLElement>(`[data-opens="run ${this.#next}"]`);
    if (next) next.focus();
    else super.passFocus();
  }
}
