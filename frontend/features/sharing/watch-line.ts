/**
 * The line that shows visitors that this experiment is somebody else's, and what they may do.
 * Owns: its words and buttons.
 */

import { button } from "../../ui/controls.ts";
import { make } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";

export class WatchLine extends LiveElement {
  override start() {
    this.follow(
      (state) => [state.isWatching, state.experiment?.id],
      (_, { isWatching }) => {
        this.hidden = !isWatching;
        this.replaceChildren(...(isWatching ? [this.#line()] : []));
      },
    );
  }

  #line() {
    const back = this.app.hasFormer()
      ? button({ look: "small", act: () => void this.app.goBack() }, "Back to mine")
      : null;
    return make(
      "div",
      { class: "strip", "data-strip": "watching", "data-tone": "ink", role: "status" },
      icon("eye"),
      make("span", {}, make("b", {}, "You are watching."), " Only the owner can change it."),
      button({ look: "small", act: () => void this.app.copyOfOwn() }, "Make it mine: a copy"),
      back,
    );
  }
}
