/**
 * The layers as blocks on a line; a hidden layer opens a panel with units, activation and remove.
 * Owns: the draft of a layer while its panel is open. Several changes in a row make one new
 * experiment.
 */

import { button, numberBox } from "../../ui/controls.ts";
import { make } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { openPopover } from "../../ui/popover.ts";
import { methodSelect } from "../../ui/setting-box.ts";
import { rowOf, rowsOf } from "../../core/catalog.ts";
import { explanationOf } from "../../core/parameters.ts";
import { activationWord } from "../../core/words.ts";
import type { Experiment, LayerRecipe } from "../../core/types.ts";

const MOST_HIDDEN = 6;
const MOST_UNITS = 64;
/** Long enough for the next press of a stepper. */
const SETTLE_MS = 500;

const refuseUnits = (units: number) =>
  Number.isInteger(units) && units >= 1 && units <= MOST_UNITS ? null : `1 to ${MOST_UNITS} units.`;
const wire = () => make("div", { class: "wire", "aria-hidden": "true" });
const faces = (units: number | string, word: string) => [
  make("b", {}, units),
  " ",
  make("span", {}, word),
];

export class LayerEditor extends LiveElement {
  override start() {
    this.follow(
      (state) => state.experiment?.recipe.network,
      (network, { experiment }) => {
        if (network && experiment) this.#show(experiment);
      },
    );
  }

  get #layers() {
    return this.app.store.get().experiment?.recipe.network.layers ?? [];
  }

  #show({ recipe: { network }, features, outputs }: Experiment) {
    const focused = [...this.children].indexOf(document.activeElement as any);
    const hidden = network.layers.map((layer, place) => this.#block(layer, place));
    const add = make(
      "button",
      {
        type: "button",
        class: "block add",
        "aria-label": "Add a hidden layer",
        on: { click: () => this.#add() },
      },
      icon("plus"),
    );
    const blocks = [
      make("div", { class: "block flat" }, ...faces(features, features === 1 ? "input" : "inputs")),
      ...hidden,
      ...(hidden.length < MOST_HIDDEN ? [add] : []),
      make("div", { class: "block flat" }, ...faces(outputs, activationWord(network.output))),
    ];
    this.classList.toggle("many", hidden.length > 3);
    this.replaceChildren(...blocks.flatMap((block, place) => (place ? [wire(), block] : [block])));
    if (focused >= 0) (this.children[focused] as HTMLElement | undefined)?.focus();
  }

  #block({ units, activation }: LayerRecipe, place: number) {
    return make(
      "button",
      {
        type: "button",
        class: "block",
        "data-layer": place + 1,
        "aria-haspopup": "dialog",
        "aria-label": `Hidden layer ${place + 1}: ${units} ${activationWord(activation)}. Edit`,
        on: { click: () => this.#open(place) },
      },
      ...faces(units, activationWord(activation)),
    );
  }

  #add() {
    const layers = this.#layers;
    const like = layers.at(-1) ?? { units: 4, activation: "relu" };
    this.#apply([...layers, { ...like }]);
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
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(settle, SETTLE_MS);
    };
    const remove = () => {
      clearTimeout(timer);
      timer = undefined;
      close();
      this.#apply(this.#layers.filter((_, k) => k !== place));
    };
    const close = openPopover({
      anchor: () => this.querySelector(`[data-layer="${place + 1}"]`) ?? this.querySelector(".add"),
      name: `Hidden layer ${place + 1}`,
      role: "dialog",
      content: [this.#panel(draft, later, remove)],
      closed: () => timer !== undefined && settle(),
    });
  }

  #panel(draft: LayerRecipe, changed: () => void, remove: () => void) {
    const put = (part: Partial<LayerRecipe>) => {
      Object.assign(draft, part);
      units.show(draft.units);
      showActivation();
      changed();
    };
    const units = numberBox({
      name: "Units",
      format: String,
      whole: true,
      refuse: refuseUnits,
      apply: (value) => put({ units: value }),
    });
    const by = (change: number) => () =>
      put({ units: Math.min(MOST_UNITS, Math.max(1, draft.units + change)) });
    const activation = methodSelect({
      text: "Activation",
      choose: (value) => put({ activation: value }),
    });
    const { catalog } = this.app.store.get();
    const choices = rowsOf(catalog, "activations").map(({ name }) => ({
      value: name,
      text: activationWord(name),
    }));
    const showActivation = () =>
      activation.show(
        choices,
        draft.activation,
        explanationOf(rowOf(catalog, "activations", draft.activation)),
      );
    showActivation();
    units.show(draft.units);
    return make(
      "div",
      { class: "rows explained" },
      make(
        "div",
        { class: "field" },
        make("span", { "aria-hidden": "true" }, "Units"),
        make(
          "div",
          { class: "stepper" },
          button({ name: "One unit less", look: "square", icon: "minus", act: by(-1) }),
          units.box,
          button({ name: "One unit more", look: "square", icon: "plus", act: by(1) }),
        ),
        units.complaint,
      ),
      activation.root,
      button({ act: remove }, "Remove this layer"),
    );
  }
}
