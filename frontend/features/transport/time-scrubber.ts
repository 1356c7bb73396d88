/**
 * The timeline: one handle over all steps, marks above it, and the way back to live.
 * Owns: handle, marks and pill. core/markers.ts chooses marks.
 */

import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { glyph, light, marker } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { counter, integer, plural } from "../../core/format.ts";
import { flagsOf, flagWords, markersOf, snapped, stepFrom } from "../../core/markers.ts";
import { missingIn } from "../../core/missing-steps.ts";
import { furthest } from "../../core/selectors.ts";
import { shownStep, stepsAhead } from "../../core/state-on-view.ts";
import type { Marker } from "../../core/markers.ts";
import type { State } from "../../core/types.ts";

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
  return others.map(
    (mark) => html`<span class="shape" data-lane=${mark.lane} data-kind=${mark.kind}
      data-run=${mark.run} data-tone=${mark.tone ?? nothing}>${shapeOf(mark)}</span>`,
  );
}

/** End of the track: the axis's end, or beyond it if later steps are not received yet. */
const endOf = (state: State) => Math.max(furthest(state), Math.round(missingIn(state)?.to ?? 0));

export class TimeScrubber extends LiveElement {
  /** Length of the track, in px. */
  #length = 0;
  #isTouched = false;

  override shows(state: State) {
    return [
      shownStep(state),
      stepsAhead(state),
      endOf(state),
      state.runs,
      state.looking === null,
      state.connection.status,
      ...markersOf(state).map(({ step, text, lane }) => `${step} ${text} ${lane}`),
    ];
  }

  override start() {
    const room = new ResizeObserver(([{ contentRect }]) => {
      this.#length = contentRect.width;
      this.requestUpdate();
    });
    room.observe(this.querySelector(".flags") as Element);
    this.whenGone(() => room.disconnect());
  }

  override render() {
    const { state } = this;
    const end = endOf(state);
    const last = furthest(state);
    const step = Math.min(shownStep(state), last);
    const marks = markersOf(state);
    const here = marks.filter((mark) => mark.step === step).map(({ text }) => text);
    const words = here.length ? `, marker: ${here.join("; ")}` : "";
    const touch = (event: PointerEvent) => (this.#isTouched = event.pointerType === "touch");
    this.style.setProperty("--place", String(end ? step / end : 0));
    return html`
      <span></span>
      <div class="track">
        <div class="flags">${(end ? flagsOf(marks, end, this.#length) : []).map((flag) => this.#flag(flag, end))}</div>
        <input type="range" min="0" step="1" max=${Math.max(1, end)} ?disabled=${end === 0}
          aria-label="Time travel" aria-valuetext="step ${integer(step)} of ${integer(last)}${words}"
          .value=${live(String(step))} @input=${this.#scrub} @pointerdown=${touch}
          @keydown=${() => (this.#isTouched = false)}>
      </div>
      ${this.#pill(state, end === 0)}`;
  }

  #scrub({ target }: Event) {
    const { value, clientWidth } = target as HTMLInputElement;
    const { state } = this;
    const step = Number(value);
    this.app.lookAt(
      this.#isTouched ? snapped(markersOf(state), step, endOf(state), clientWidth) : step,
    );
    // nothing is known beyond the last step
    this.requestUpdate();
  }

  #flag(marks: Marker[], end: number) {
    const words = flagWords(marks);
    return html`<button type="button" class="flag" tabindex="-1" data-step=${marks[0].step}
      title=${marks.length > 1 ? words.join("\n") : marks[0].text}
      aria-label="Go to ${words.join("; ")}" style="--at: ${marks[0].step / end}"
      @click=${() => this.app.lookAt(stepFrom(marks, shownStep(this.state)))}
      >${shapesOf(marks)}</button>`;
  }

  /** "Live", or how far training is ahead of the view. */
  #pill(state: State, isEmpty: boolean) {
    const isLive = state.looking === null;
    const ahead = stepsAhead(state);
    const isOk = isLive && !isEmpty && ["ready", "live"].includes(state.connection.status);
    const title = isLive
      ? "The page shows the present"
      : `Back to live (L): training is ${plural(ahead, "step")} ahead`;
    return html`<button type="button" class="button live" data-live=${isLive} title=${title}
      data-tone=${isOk ? "ok" : "muted"} ?hidden=${isLive} ?disabled=${isEmpty} @click=${() => this.app.lookAt(null)}
      >${light("full")}<span>${isLive ? "Live" : `Live, ${counter(ahead)} ahead`}</span></button>`;
  }
}
