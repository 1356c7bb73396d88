/**
 * The line that shows visitors that this experiment is somebody else's, and what they may do.
 * Owns: its words and buttons.
 */

import { button } from "./controls.js";
import { make } from "./dom.js";
import { icon } from "./icons.js";
import { LiveElement, register } from "./live-element.js";

export class WatchLine extends LiveElement {
  start() {
    this.follow((state) => [state.isWatching, state.experiment?.id], (_, { isWatching }) => {
      this.hidden = !isWatching;
      this.replaceChildren(...(isWatching ? [this.#line()] : []));
    });
  }

  #line() {
    const back = this.app.hasFormer() ? button({ look: "small", act: () => void this.app.goBack() }, "Back to mine") : null;
    return make(
      "div", { class: "strip", "data-strip": "watching", "data-tone": "ink", role: "status" }, icon("eye"),
      make("span", {}, make("b", {}, "You are watching."), " Only the owner can change it."),
      button({ look: "small", act: () => void this.app.copyOfOwn() }, "Make it mine: a copy"), back,
    );
  }
}

/** @param {import("../state/types.js").App} app */
export const registerWatchLine = (app) => register("watch-line", WatchLine, app);
