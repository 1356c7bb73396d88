/**
 * Flags of the timeline: marks near each other share one.
 * Owns: their shapes, and where a press leads.
 */

import { html, nothing } from "lit";
import { asidesOf, MOST_SHAPES } from "./flag-places.ts";
import { glyph, marker } from "../../ui/icons.ts";
import { flagsOf, flagWords, markersOf, stepFrom } from "../../core/markers.ts";
import { shareOf } from "../../core/long-runs.ts";
import { shownStep } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { Track } from "../../core/long-runs.ts";
import type { Marker } from "../../core/markers.ts";
import type { App, State } from "../../core/types.ts";
import type { Free } from "./flag-places.ts";

const RESET = html`<svg viewBox="0 0 10 10" data-glyph="reset"
  ><path d="M9 1v8L2.5 5zM1 1h1.2v8H1z"></path></svg>`;
const FORK = html`<svg viewBox="0 0 10 10" data-glyph="fork"><path d="M5 9V5.5L1.5 1M5 5.5 8.5 1"
  fill="none" stroke="currentColor" stroke-width="1.8"></path></svg>`;

/** A mark's shape: its run's or its event's. */
function shapeOf({ kind, lane, place, tone }: Marker) {
  if (kind === "clause")
    return html`<span class="place" data-place=${place} data-tone=${tone ?? nothing}></span>`;
  if (kind === "diverged") return glyph("cross");
  if (kind === "finding") return glyph("dead");
  if (kind === "reset") return RESET;
  return kind === "fork" ? FORK : marker(lane);
}

/** Shapes of a flag: two edits of a run share one. */
function shapesOf(marks: Marker[]) {
  const others = marks.filter(
    ({ kind, run }, place) =>
      kind === "clause" ||
      marks.findIndex((mark) => mark.kind === kind && mark.run === run) === place,
  );
  return others.slice(0, MOST_SHAPES).map(
    (mark) => html`<span class="shape" data-lane=${mark.lane} data-kind=${mark.kind}
      data-run=${mark.run} data-tone=${mark.tone ?? nothing}>${shapeOf(mark)}</span>`,
  );
}

/** @param pixels length of the timeline */
export function flagButtons(state: State, app: App, track: Track, pixels: number, free: Free) {
  if (track.end === 0) return nothing;
  const flags = flagsOf(markersOf(state), track, pixels);
  const asides = asidesOf(flags, track, pixels, free);
  return flags.map((marks, k) => {
    const words = flagWords(marks);
    return html`<button type="button" class="flag" tabindex="-1" data-step=${marks[0].step}
      title=${marks.length > 1 ? words.join("\n") : marks[0].text}
      aria-label=${texts.goToX(words.join("; "))} style="--at: ${shareOf(track, marks[0].step)}; --aside: ${asides[k].toFixed(1)}px"
      @click=${() => app.lookAt(stepFrom(marks, shownStep(app.store.get())))}
      >${shapesOf(marks)}</button>`;
  });
}
