/**
 * The strip above the table of runs. Owns: its element, whose changes move nothing else. strips.ts
 * has the words.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { glyph, icon } from "../ui/icons.ts";
import { LiveElement } from "../ui/live-element.ts";
import { stripFor } from "./strips.ts";
import * as texts from "../words/english.ts";
import type { App, State } from "../core/types.ts";

export class StatusStrip extends LiveElement {
  override shows(state: State) {
    return JSON.stringify(stripFor(state));
  }

  override render() {
    const { app } = this;
    const strip = stripFor(this.state);
    this.hidden = !strip;
    if (!strip) return nothing;
    const { kind, tone, glyph: shape, strong, text, urgent, progress, act, more, close } = strip;
    const bar = (value: number, max: number) =>
      html`<progress max=${max} value=${value} aria-label=${texts.catchingUp}></progress>`;
    const todo = (text: string, take: (app: App) => void) =>
      html`<button type="button" class="button small" @click=${() => take(app)}>${text}</button>`;
    const shut = (take: (app: App) => void) =>
      html`<button type="button" class="button quiet small square" aria-label=${texts.closeTheMessage}
        @click=${() => take(app)}>${icon("close")}</button>`;
    // another message is another region, which is read aloud; progress is not
    return keyed(
      progress ? kind : JSON.stringify(strip),
      html`<div class="strip" data-strip=${kind} data-tone=${tone} role=${urgent ? "alert" : "status"}
        >${glyph(shape)}<span title=${kind === "refused" ? `${strong} ${text}` : nothing}
          ><b>${strong}</b> <span class="said">${text}</span></span
        >${progress && bar(progress.have, progress.of)}${act && todo(act.text, act.do)}${
          more && html`<a class="button small" href=${more.href}>${more.text}</a>`
        }${close && shut(close)}</div>`,
    );
  }
}
