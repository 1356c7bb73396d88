/**
 * The strip above the table of runs. Owns: its element, whose changes move nothing else. strips.ts
 * has the words.
 */

import { button } from "../ui/controls.ts";
import { make } from "../ui/dom.ts";
import { glyph } from "../ui/icons.ts";
import { LiveElement } from "../ui/live-element.ts";
import { stripFor } from "./strips.ts";
import type { Strip } from "./strips.ts";

export class StatusStrip extends LiveElement {
  override start() {
    let last = "";
    this.follow(
      (state) => [
        state.connection,
        state.problem,
        state.runs,
        state.playback.playing,
        state.pending,
        state.isReadOnly,
        state.waitingFor,
        state.experiment,
        state.view.closedDivergences,
      ],
      (_, state) => {
        const strip = stripFor(state);
        const signature = JSON.stringify(strip);
        if (signature === last) return;
        last = signature;
        this.hidden = !strip;
        this.#show(strip);
      },
    );
  }

  #show(strip: Strip | null) {
    const progress = this.querySelector("progress");
    if (strip?.progress && progress) {
      progress.value = strip.progress.have;
      progress.max = strip.progress.of;
      (this.querySelector(".said") as HTMLElement).textContent = strip.text;
      return;
    }
    this.replaceChildren(...(strip ? [this.#strip(strip)] : []));
  }

  #strip({ kind, tone, glyph: shape, strong, text, urgent, progress, act, close }: Strip) {
    return make(
      "div",
      { class: "strip", "data-strip": kind, "data-tone": tone, role: urgent ? "alert" : "status" },
      glyph(shape),
      make(
        "span",
        { title: kind === "refused" ? `${strong} ${text}` : null },
        make("b", {}, strong),
        " ",
        make("span", { class: "said" }, text),
      ),
      progress
        ? make("progress", { max: progress.of, value: progress.have, "aria-label": "Catching up" })
        : null,
      act ? button({ look: "small", act: () => act.do(this.app) }, act.text) : null,
      close
        ? button({
            name: "Close the message",
            look: "quiet small square",
            icon: "close",
            act: () => close(this.app),
          })
        : null,
    );
  }
}
