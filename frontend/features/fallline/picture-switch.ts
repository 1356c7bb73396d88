/**
 * The switch over the stage, and what the fall line shows.
 * Owns: which pictures are in sight. pictures.ts has its choices.
 */

import { html, nothing } from "lit";
import { planeWords } from "../../core/fall-line.ts";
import {
  BESIDE,
  dataPictureOf,
  heroOf,
  picturesFor,
  shownPicture,
  WIDE,
} from "../../core/pictures.ts";
import { switchOf } from "../../ui/controls.ts";
import { set } from "../../ui/dom.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

/** The widths at which the choices change. */
const WIDTHS = [BESIDE, WIDE].map((width) => matchMedia(`(min-width: ${width}px)`));

export class PictureSwitch extends ExperimentElement {
  override shows(state: State) {
    return [state.view.picture, heroOf(state), dataPictureOf(state.experiment), planeWords(state)];
  }

  override start() {
    const update = () => this.requestUpdate();
    for (const width of WIDTHS) width.addEventListener("change", update, { signal: this.gone });
  }

  override render() {
    const { state } = this;
    const picture = shownPicture(state, innerWidth);
    const stage = document.querySelector<HTMLElement>(".stage");
    if (stage)
      set(stage, {
        "data-picture": heroOf(state) ?? picture,
        "data-beside": dataPictureOf(state.experiment),
      });
    return html`${switchOf(picture, {
      name: texts.picture,
      choices: picturesFor(state, innerWidth),
      choose: (value) => this.app.setView({ picture: value }),
    })}${picture === "fall" ? html`<span class="sub">${planeWords(state)}</span>` : nothing}`;
  }
}
