/**
 * The line that shows visitors that this experiment is somebody else's, and what they may do.
 * Owns: its words and buttons.
 */

import { html, nothing } from "lit";
import { icon } from "../../ui/icons.ts";
import { set } from "../../ui/dom.ts";
import { LiveElement } from "../../ui/live-element.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

export class WatchLine extends LiveElement {
  override shows({ isWatching, experiment }: State) {
    return [isWatching, experiment?.id];
  }

  override render() {
    const { app } = this;
    this.hidden = !this.state.isWatching;
    // on wide pages the recipe leaves it room
    set(this.closest(".app") as Element, {
      "data-watching": this.hidden ? null : app.hasFormer() ? "back" : "",
    });
    if (this.hidden) return nothing;
    const back = html`<button type="button" class="button small" @click=${() => app.goBack()}>${texts.backToMine}</button>`;
    return html`<div class="strip" data-strip="watching" data-tone="ink" role="status">
      ${icon("eye")}
      <span><b>${texts.youAreWatching}</b> ${texts.onlyTheOwnerCanChangeIt}</span>
      <button type="button" class="button small copy" @click=${() => app.copyOfOwn()}>${texts.makeItMineACopy}</button>
      ${app.hasFormer() ? back : nothing}
    </div>`;
  }
}
