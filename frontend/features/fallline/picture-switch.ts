/**
 * The switch over the stage: loss, fall line, or on wide screens both; and what the fall line shows.
 * Owns: its choices, and which pictures are in sight.
 */

import { html, nothing } from "lit";
import { planeWords, shownPicture, WIDE } from "../../core/fall-line.ts";
import { switchOf } from "../../ui/controls.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

type Picture = State["view"]["picture"];

const wide = matchMedia(`(min-width: ${WIDE}px)`);

const CHOICES: { value: Picture; text: string }[] = [
  { value: "loss", text: texts.loss },
  { value: "fall", text: texts.fallLine },
  { value: "both", text: texts.both },
];

export class PictureSwitch extends ExperimentElement {
  override shows(state: State) {
    return [state.view.picture, state.view.hero, planeWords(state)];
  }

  override start() {
    const update = () => this.requestUpdate();
    wide.addEventListener("change", update);
    this.whenGone(() => wide.removeEventListener("change", update));
  }

  override render() {
    const { state } = this;
    const picture = shownPicture(state.view.picture, innerWidth);
    const places = document.querySelector<HTMLElement>(".stage");
    if (places) places.dataset.picture = state.view.hero ?? picture;
    return html`${switchOf(picture, {
      name: texts.picture,
      choices: wide.matches ? CHOICES : CHOICES.slice(0, 2),
      choose: (value) => this.app.setView({ picture: value }),
    })}${picture === "fall" ? html`<span class="sub">${planeWords(state)}</span>` : nothing}`;
  }
}
