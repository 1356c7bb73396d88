/**
 * The recipe: data, network, and the runs' methods.
 * Owns: the order of sections, and locking what would change the experiment. A card locks its own
 * controls, because hiding a run needs no server.
 */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { switchOf } from "../../ui/controls.ts";
import { icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { isLocked } from "../../core/selectors.ts";
import type { State } from "../../core/types.ts";

const MOST_RUNS = 4;
const PACES = [
  { value: "steps" as const, text: "equal steps", title: "All runs make the same number of steps" },
  {
    value: "samples" as const,
    text: "equal samples",
    title: "All runs see the same number of samples: small batches make more steps",
  },
];

export class RecipeRail extends LiveElement {
  #order: string[] = [];

  /** Controls are made from the catalog. */
  override isReady({ experiment, catalog }: State) {
    return experiment !== null && catalog !== null;
  }

  override shows(state: State) {
    return [state.view.explains, isLocked(state), state.playback.pace, ...state.order];
  }

  override render() {
    const { app } = this;
    const { view, order, playback } = this.state;
    const locked = isLocked(this.state);
    this.classList.toggle("explained", view.explains);
    return html`
      <div class="grab">
        <b>Recipe</b>${this.#explain()}
        <button type="button" class="button quiet square" aria-label="Close the recipe"
          @click=${() => app.setView({ sheet: null })}>${icon("close")}</button>
      </div>
      ${this.#explain()}
      <fieldset ?disabled=${locked}>
        <data-fields class="section"></data-fields>
        <network-fields class="section"></network-fields>
      </fieldset>
      <div>${repeat(
        order,
        (name) => name,
        (name) => html`<run-card data-run=${name} role="group"></run-card>`,
      )}</div>
      <div class="foot">
        <button type="button" class="button dashed" ?disabled=${locked} ?hidden=${order.length >= MOST_RUNS}
          @click=${() => app.addRun()}>${icon("plus")}Add a run</button>
        <p class="hint">All runs start from the same weights on the same data. An edit while training adds a marker to the timeline.</p>
        <div class="field">
          <span aria-hidden="true">Compare at equal</span>
          ${switchOf(playback.pace, {
            name: "Compare at equal",
            look: "fill",
            choices: PACES,
            choose: app.setPace,
            disabled: locked,
          })}
        </div>
      </div>`;
  }

  /** Shows help lines below every control, also offline and for visitors. */
  #explain() {
    const { explains } = this.state.view;
    return html`<button type="button" class="button quiet square small explain"
      aria-label="Explain every setting" title="Explain every setting" aria-pressed=${explains}
      @click=${() => this.app.setView({ explains: !explains })}>${icon("help")}</button>`;
  }

  /** A new run is selected. */
  override updated() {
    const { order } = this.state;
    const added = order.find((name) => !this.#order.includes(name));
    if (this.#order.length && added) this.app.setView({ selectedRun: added });
    this.#order = order;
  }
}
