/**
 * The two sentences of the open exhibit that say what to look at. They stay until closed or no
 * longer true.
 * Owns: when they are shown.
 */

import { button } from "../../ui/controls.ts";
import { make } from "../../ui/dom.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { exhibitOf, exhibitParts } from "./exhibits.ts";
import type { Exhibit } from "./exhibits.ts";

export class ExhibitNote extends LiveElement {
  override start() {
    let last = "";
    this.follow(
      (state) => [state.view.closedNote, ...exhibitParts(state)],
      (_, state) => {
        const exhibit = exhibitOf(state);
        const target = exhibit && exhibit.name !== state.view.closedNote ? exhibit : null;
        this.hidden = !target;
        if (last === (target?.name ?? "")) return;
        last = target?.name ?? "";
        this.replaceChildren(...(target ? this.#say(target) : []));
      },
    );
  }

  #say({ name, sentences }: Exhibit) {
    return [
      make("p", {}, sentences.join(" ")),
      button({
        name: "Close the exhibit's note",
        look: "quiet small square",
        icon: "close",
        act: () => this.app.setView({ closedNote: name }),
      }),
    ];
  }
}
