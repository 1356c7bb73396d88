/**
 * The name of the open exhibit, and the list of exhibits.
 * Owns: button and list.
 */

import { html, nothing } from "lit";
import { focusPlay } from "../../ui/controls.ts";
import { icon } from "../../ui/icons.ts";
import { openListbox } from "../../ui/listbox.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { OWN, titleOf, titleParts } from "./exhibits.ts";
import { exhibitOf, exhibitParts, exhibitsOf } from "../../core/exhibits.ts";
import { isLocked } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

/** Leads back to the experiment that was left, also when the notice with Undo is gone. */
const EARLIER = {
  value: "#earlier", // no exhibit has such a name
  text: texts.theExperimentBefore,
  line: texts.asYouLeftIt,
};

export class ExhibitPicker extends LiveElement {
  #close: (() => void) | null = null;

  override shows(state: State) {
    return [...exhibitParts(state), isLocked(state), exhibitsOf(state).length];
  }

  override render() {
    const { state } = this;
    const title = titleOf(state);
    const isOwn = title === OWN;
    const [name, explanation] = titleParts(title || texts.exhibits);
    return html`<button type="button" class="button quiet" aria-haspopup="listbox"
      aria-expanded=${this.#close !== null} aria-label=${isOwn ? texts.xChooseAnExhibit(OWN) : nothing}
      title=${title || nothing} ?disabled=${isLocked(state) || !exhibitsOf(state).length}
      @click=${this.#toggle} @keydown=${this.#key}
      ><span class="name">${name}<span class="explanation">${explanation}</span></span
      >${icon("chevron")}</button>`;
  }

  #open(name: string) {
    return name === EARLIER.value ? this.app.openEarlier() : this.app.openExhibit(name);
  }

  #key(event: KeyboardEvent) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    this.#toggle();
  }

  #toggle() {
    if (this.#close) return this.#close();
    const { state } = this;
    this.#close = openListbox({
      anchor: () => this.querySelector("button"),
      name: texts.exhibits,
      look: "exhibits",
      value: exhibitOf(state)?.name ?? "",
      items: [
        ...(this.app.hasEarlier() ? [EARLIER] : []),
        ...exhibitsOf(state).map(({ name: value, title: text, line }) => ({
          value,
          text,
          line: `${texts.capital(line)}.`,
        })),
      ],
      choose: (name) => void this.#open(name).then(focusPlay),
      closed: () => {
        this.#close = null;
        this.requestUpdate();
      },
    });
    this.requestUpdate();
  }
}
