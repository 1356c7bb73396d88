/**
 * The strip above the table of runs. Owns: its element, whose changes move nothing else. strips.js has the words.
 */

import { button } from "./controls.js";
import { make } from "./dom.js";
import { glyph } from "./icons.js";
import { LiveElement, register } from "./live-element.js";
import { stripFor } from "./strips.js";

/** @typedef {import("./strips.js").Strip} Strip */
/** @typedef {import("../state/types.js").App} App */

export class StatusStrip extends LiveElement {
  start() {
    let last = "";
    this.follow((state) => [state.connection, state.problem, state.runs, state.playback.playing, state.pending, state.isReadOnly, state.waitingFor, state.experiment, state.view.closedDivergences], (_, state) => {
      const strip = stripFor(state);
      const signature = JSON.stringify(strip);
      if (signature === last) return;
      last = signature;
      this.hidden = !strip;
      this.#show(strip);
    });
  }

  /** @param {Strip|null} strip */
  #show(strip) {
    const progress = this.querySelector("progress");
    if (strip?.progress && progress) {
      progress.value = strip.progress.have;
      progress.max = strip.progress.of;
      /** @type {HTMLElement} */ (this.querySelector(".said")).textContent = strip.text;
      return;
    }
    this.replaceChildren(...(strip ? [this.#strip(strip)] : []));
  }

  /** @param {Strip} strip */
  #strip({ kind, tone, glyph: shape, strong, text, urgent, progress, act, close }) {
    return make(
      "div", { class: "strip", "data-strip": kind, "data-tone": tone, role: urgent ? "alert" : "status" },
      glyph(shape), make("span", { title: kind === "refused" ? `${strong} ${text}` : null }, make("b", {}, strong), " ", make("span", { class: "said" }, text)),
      progress ? make("progress", { max: progress.of, value: progress.have, "aria-label": "Catching up" }) : null,
      act ? button({ look: "small", act: () => act.do(this.app) }, act.text) : null,
      close ? button({ name: "Close the message", look: "quiet small square", icon: "close", act: () => close(this.app) }) : null,
    );
  }
}

/** @param {App} app */
export const registerStatusStrip = (app) => register("status-strip", StatusStrip, app);
