/**
 * With many layers arrows choose the one whose gradients are shown over time.
 * Owns: these arrows, over the chart and while presenting.
 */

import { html, nothing } from "lit";
import { icon } from "../../ui/icons.ts";
import { chosenPlace, MOST_PANELS, panelsOf } from "../../core/gradient-panels.ts";
import * as texts from "../../words/english.ts";
import type { App, State } from "../../core/types.ts";

export function layerSwitch(state: State, app: App) {
  const names = panelsOf(state).map(({ name }) => name);
  if (names.length <= MOST_PANELS) return nothing;
  const chosen = chosenPlace(state);
  const move = (by: number) => () =>
    app.setView({ layer: names[(chosen + by + names.length) % names.length] });
  const arrow = (name: string, shape: "previous" | "next", by: number) =>
    html`<button type="button" class="button quiet square" aria-label=${name} title=${name}
      @click=${move(by)}>${icon(shape)}</button>`;
  return html`<span class="end layer" role="group" aria-label=${texts.layerOverTime}>
    ${arrow(texts.layerBefore, "previous", -1)}<span role="status">${names[chosen]}</span
    >${arrow(texts.layerAfter, "next", 1)}</span>`;
}
