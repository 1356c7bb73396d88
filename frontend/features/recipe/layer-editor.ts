/**
 * The layers as blocks on a line; a hidden layer opens a panel with units, activation and remove.
 * Owns: the draft of a layer while its panel is open. Several changes in a row make one new
 * experiment.
 */

import { html, nothing } from "lit";
import { icon } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { NumberBox } from "../../ui/number-box.ts";
import { openPopover } from "../../ui/popover.ts";
import "../../ui/setting-box.ts";
import { rowOf, rowsOf } from "../../core/catalog.ts";
import { explanationOf } from "../../core/parameters.ts";
import { activationWord } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { PropertyValues } from "lit";
import type { LayerRecipe, State } from "../../core/types.ts";

const MOST_HIDDEN = 6;
const MOST_UNITS = 64;
const UNITS = { name: texts.unitsWord, default: 4, schema: { type: "integer" } };
/** Long enough for the next press of a stepper. */
const SETTLE_MS = 500;

const wire = html`<div class="wire" aria-hidden="true"></div>`;
const faces = (units: number, word: string) => html`<b>${units}</b> <span>${word}</span>`;

/** Buttons around the box that add and remove one unit. */
class UnitsStepper extends NumberBox {
  override refuse = (units: number) =>
    Number.isInteger(units) && units >= 1 && units <= MOST_UNITS
      ? null
      : texts.n1ToXUnits(MOST_UNITS);

  override render() {
    const by = (change: number) => () =>
      this.apply(Math.min(MOST_UNITS, Math.max(1, (this.value ?? 1) + change)));
    return html`<div class="field">
      <span aria-hidden="true">${texts.units}</span>
      <div class="stepper">
        <button type="button" class="button square" aria-label=${texts.oneUnitLess} @click=${by(-1)}>${icon("minus")}</button>
        ${this.input(false)}
        <button type="button" class="button square" aria-label=${texts.oneUnitMore} @click=${by(1)}>${icon("plus")}</button>
      </div>
      ${this.message}
    </div>`;
  }
}
customElements.define("units-stepper", UnitsStepper);

export class LayerEditor extends ExperimentElement {
  override shows({ experiment }: State) {
    return experiment?.recipe.network;
  }

  /** The focus stays at its place, where another block may stand. */
  override update(changed: PropertyValues) {
    const place = [...this.children].indexOf(document.activeElement as Element);
    super.update(changed);
    if (place >= 0) (this.children[place] as HTMLElement | undefined)?.focus();
  }

  get #layers() {
    return this.state.experiment?.recipe.network.layers ?? [];
  }

  override render() {
    const { recipe, features, outputs } = this.experiment;
    const { layers, output } = recipe.network;
    this.classList.toggle("many", layers.length > 3);
    const block = ({ units, activation }: LayerRecipe, place: number) => {
      const word = activationWord(activation);
      return html`${wire}<button type="button" class="block" data-layer=${place + 1} aria-haspopup="dialog"
        aria-label=${texts.hiddenLayerXYZEdit(place + 1, units, word)}
        @click=${() => this.#open(place)}>${faces(units, word)}</button>`;
    };
    const add = html`${wire}<button type="button" class="block add" aria-label=${texts.addAHiddenLayer}
      @click=${this.#add}>${icon("plus")}</button>`;
    return html`
      <div class="block flat">${faces(features, features === 1 ? texts.inputWord : texts.inputs)}</div>
      ${layers.map(block)}${layers.length < MOST_HIDDEN ? add : nothing}${wire}
      <div class="block flat">${faces(outputs, activationWord(output))}</div>`;
  }

  #add() {
    const like = this.#layers.at(-1) ?? { units: 4, activation: "relu" };
    this.#apply([...this.#layers, { ...like }]);
  }

  #apply(layers: LayerRecipe[]) {
    if (JSON.stringify(layers) !== JSON.stringify(this.#layers))
      this.app.newExperiment({ network: { layers } });
  }

  #open(place: number) {
    const draft = { ...this.#layers[place] };
    let timer: number | undefined;
    const settle = () => {
      clearTimeout(timer);
      timer = undefined;
      this.#apply(this.#layers.map((layer, k) => (k === place ? { ...draft } : layer)));
    };
    const put = (part: Partial<LayerRecipe>) => {
      Object.assign(draft, part);
      update();
      clearTimeout(timer);
      timer = setTimeout(settle, SETTLE_MS);
    };
    const everywhere = () => {
      clearTimeout(timer);
      timer = undefined;
      const { activation } = draft;
      this.#apply(
        this.#layers.map((layer, k) => ({ ...(k === place ? draft : layer), activation })),
      );
      update();
    };
    const remove = () => {
      clearTimeout(timer);
      timer = undefined;
      close();
      this.#apply(this.#layers.filter((_, k) => k !== place));
    };
    const { close, update } = openPopover({
      anchor: () => this.querySelector(`[data-layer="${place + 1}"]`) ?? this.querySelector(".add"),
      name: texts.hiddenLayerX(place + 1),
      role: "dialog",
      content: () => this.#panel(draft, put, everywhere, remove),
      closed: () => timer !== undefined && settle(),
    });
  }

  #panel(
    { units, activation }: LayerRecipe,
    put: (part: Partial<LayerRecipe>) => void,
    everywhere: () => void,
    remove: () => void,
  ) {
    const { catalog } = this.state;
    const hasOthers = this.#layers.length > 1;
    const options = rowsOf(catalog, "activations").map(({ name }) => ({
      value: name,
      text: activationWord(name),
    }));
    return html`<div class="rows explained">
      <units-stepper name=${texts.units} .parameter=${UNITS} .value=${units}
        .apply=${(value: number) => put({ units: value })}></units-stepper>
      <setting-select text=${texts.activation} .options=${options} .value=${activation}
        .explanation=${explanationOf(rowOf(catalog, "activations", activation))}
        .choose=${(value: string) => put({ activation: value })}></setting-select>
      ${
        hasOthers
          ? html`<button type="button" class="button" @click=${everywhere}>${texts.useXInAllLayers(activationWord(activation))}</button>`
          : nothing
      }
      <button type="button" class="button" @click=${remove}>${texts.removeThisLayer}</button>
    </div>`;
  }
}
