/**
 * The two sentences of the open exhibit that say what to look at. They stay until closed or no longer true.
 * Owns: when they are shown.
 */

import { button } from "./controls.js";
import { make } from "./dom.js";
import { LiveElement, register } from "./live-element.js";
import { exhibitOf, exhibitParts } from "../state/exhibits.js";

/** @typedef {import("../state/types.js").State} State */

export class ExhibitNote extends LiveElement {
  start() {
    let last = "";
    this.follow((state) => [state.view.closedNote, ...exhibitParts(state)], (_, state) => {
      const exhibit = exhibitOf(state);
      const target = exhibit && exhibit.name !== state.view.closedNote ? exhibit : null;
      this.hidden = !target;
      if (last === (target?.name ?? "")) return;
      last = target?.name ?? "";
      this.replaceChildren(...(target ? this.#say(target) : []));
    });
  }

  /** @param {import("../state/exhibits.js").Exhibit} exhibit */
  #say({ name, sentences }) {
    return [
      make("p", {}, sentences.join(" ")),
      button({ name: "Close the exhibit's note", look: "quiet small square", icon: "close", act: () => this.app.setView({ closedNote: name }) }),
    ];
  }
}

/** @param {import("../state/types.js").App} app */
export const registerExhibitNote = (app) => register("exhibit-note", ExhibitNote, app);
