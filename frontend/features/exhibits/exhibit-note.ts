/**
 * The two sentences of the open exhibit that say what to look at. They stay until closed or no
 * longer true.
 * Owns: when they are shown.
 */

import { html, nothing } from "lit";
import { icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { exhibitOf, exhibitParts } from "./exhibits.ts";
import type { State } from "../../core/types.ts";

export class ExhibitNote extends LiveElement {
  override shows(state: State) {
    return [state.view.closedNote, ...exhibitParts(state)];
  }

  override render() {
    const exhibit = exhibitOf(this.state);
    this.hidden = !exhibit || exhibit.name === this.state.view.closedNote;
    if (!exhibit || this.hidden) return nothing;
    return html`
      <p>${exhibit.sentences.join(" ")}</p>
      <button type="button" class="button quiet small square" aria-label="Close the exhibit's note"
        @click=${() => this.app.setView({ closedNote: exhibit.name })}>${icon("close")}</button>`;
  }
}
