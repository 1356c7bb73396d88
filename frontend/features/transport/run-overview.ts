/**
 * The timeline of long runs: the band of each run's loss, marks, and the step on view. A brush chooses
 * the steps in the charts.
 * Owns: the brush, what a press, a drag and a key mean, and how often it is drawn.
 */

import { html, nothing, svg } from "lit";
import { live } from "lit/directives/live.js";
import { flagButtons } from "./flags.ts";
import { stepWords, timelineParts } from "./time-scrubber.ts";
import { BOX, overviewBands } from "../../charts/overview-bands.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { integer } from "../../core/format.ts";
import { markersOf, snapped } from "../../core/markers.ts";
import { shareOf, shownRange, stepAt, trackOf, zoomTo } from "../../core/long-runs.ts";
import { shownStep } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { Range, Track } from "../../core/long-runs.ts";
import type { State } from "../../core/types.ts";

/** Least time between two drawings while runs play, in ms, and on a page that draws slowly. */
const CALM = 250;
const SLOW = 500;
/** A pointer that moves fewer px presses, else it drags. */
const DRAGS = 4;
/** Share of the timeline that a key moves an edge of the brush. */
const KEYS: Record<string, number> = {
  ArrowLeft: -0.01,
  ArrowDown: -0.01,
  ArrowRight: 0.01,
  ArrowUp: 0.01,
  PageDown: -0.1,
  PageUp: 0.1,
  Home: -1,
  End: 1,
};

/** px from an end of the timeline, which has a handle, and from the line of the step on view, to a number */
const FREE = { ends: 14, beside: 10 };
const freeOf = ({ looking }: State) => ({ ...FREE, handle: looking?.step ?? null });

const EDGES = ["first", "last"] as const;
type Edge = (typeof EDGES)[number];
/** what a drag moves: an edge or the whole brush, the step on view, or a new brush */
type Grip = Edge | "brush" | "step" | "new";
type Drag = { grip: Grip; x: number; share: number; shown: Range; moved: boolean };

export class RunOverview extends LiveElement {
  /** Length, in px. */
  #length = 0;
  #bands: ReturnType<typeof overviewBands> = [];
  #drawnAt = -Infinity;
  #drawnFor = "";
  #shownFor: unknown[] = [];
  #timer = 0;
  #drag: Drag | null = null;
  /** The step that was looked at before a double press. */
  #before: number | null = null;

  override shows(state: State) {
    return [state.frames, state.view.zoom, state.view.x, state.view.y, ...timelineParts(state)];
  }

  override start() {
    this.followSize(this, (width) => {
      this.#length = width;
      this.requestUpdate();
    });
    this.whenGone(() => clearTimeout(this.#timer));
  }

  /** New steps are shown a few times a second: each is less than a px. All else is shown at once. */
  override shouldUpdate() {
    const { state } = this;
    const { view, order, runs, looking, playback } = state;
    const parts = [view.zoom, view.x, view.y, looking, playback, order, this.#length];
    const key = [...parts, ...order.map((name) => runs[name].hidden)];
    const wait = this.#wait(state);
    const mayWait = wait > 0 && !this.#drag && key.every((part, k) => part === this.#shownFor[k]);
    if (mayWait) this.#updateIn(wait);
    else this.#shownFor = key;
    return !mayWait && super.shouldUpdate();
  }

  /** ms until the next drawing. */
  #wait = ({ playback, isDrawingSlow }: State) =>
    playback.playing || this.#drag
      ? this.#drawnAt + (isDrawingSlow ? SLOW : CALM) - performance.now()
      : 0;

  #updateIn(ms: number) {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.requestUpdate(), ms);
  }

  override render() {
    const { state } = this;
    const track = trackOf(state);
    const range = shownRange(state, track);
    const step = shownStep(state);
    this.#draw(state, track);
    return html`
      <div class="overview" role="group" aria-label=${texts.overviewOfXSteps(integer(track.end))}
        title=${texts.pressLookAtThatStepDrag}
        @pointerdown=${this.#press} @pointermove=${this.#move} @pointerup=${this.#release}
        @pointercancel=${this.#release} @click=${this.#look} @dblclick=${this.#all}>
        <svg class="bands" viewBox="0 0 ${BOX.width} ${BOX.height}" preserveAspectRatio="none" aria-hidden="true"
          >${this.#bands.map(({ run, lane, d }) => svg`<path data-run=${run} data-lane=${lane} d=${d}></path>`)}</svg>
        <div class="flags">${flagButtons(state, this.app, track, this.#length, freeOf(state))}</div>
        <input type="range" min="0" step="1" max=${track.end} aria-label=${texts.timeTravel}
          aria-valuetext=${stepWords(state)} .value=${live(String(step))} @input=${this.#travel}>
        <span class="now" data-grip=${state.looking ? "step" : nothing} style="--at: ${shareOf(track, step)}"></span>
        <span class="brush" data-grip=${this.#isWhole(range, track) ? nothing : "brush"}
          style="--from: ${shareOf(track, range[0])}; --to: ${shareOf(track, range[1])}"></span>
        ${EDGES.map((edge, place) => this.#handle(edge, range[place], track))}
      </div>`;
  }

  #handle(edge: Edge, step: number, track: Track) {
    const name = edge === "first" ? texts.firstStepInTheCharts : texts.lastStepInTheCharts;
    return html`<span class="handle" role="slider" tabindex="0" data-grip=${edge} aria-label=${name}
      aria-valuemin="0" aria-valuemax=${track.end} aria-valuenow=${step} aria-valuetext=${texts.stepX(integer(step))}
      style="--at: ${shareOf(track, step)}" @keydown=${this.#key}></span>`;
  }

  #isWhole = ([from, to]: Range, { end }: Track) => from === 0 && to === end;

  /** New bands now, or soon if they have just been drawn and runs play. */
  #draw(state: State, track: Track) {
    const { view, order, runs } = state;
    const key = [track.log, view.y, ...order.filter((name) => !runs[name].hidden)].join(" ");
    const wait = this.#wait(state);
    if (key === this.#drawnFor && wait > 0) return this.#updateIn(wait);
    clearTimeout(this.#timer);
    this.#bands = overviewBands(state, this.app.series, track);
    this.#drawnFor = key;
    this.#drawnAt = performance.now();
  }

  #shareAt({ clientX }: MouseEvent) {
    const { left, width } = this.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - left) / width));
  }

  #press(event: PointerEvent) {
    if (event.button !== 0) return;
    const { state } = this;
    const grip = (event.target as Element).closest<HTMLElement>("[data-grip]")?.dataset.grip;
    this.#drag = {
      grip: (grip as Grip | undefined) ?? "new",
      x: event.clientX,
      share: this.#shareAt(event),
      shown: shownRange(state, trackOf(state)),
      moved: false,
    };
  }

  #move(event: PointerEvent) {
    const drag = this.#drag;
    if (!drag || (!drag.moved && Math.abs(event.clientX - drag.x) < DRAGS)) return;
    if (!drag.moved) (event.currentTarget as Element).setPointerCapture(event.pointerId);
    drag.moved = true;
    const track = trackOf(this.state);
    const share = this.#shareAt(event);
    if (drag.grip === "step") return this.app.lookAt(stepAt(track, share));
    const [from, to] = drag.shown;
    if (drag.grip === "brush") return this.#shift(drag.shown, track, share - drag.share);
    const other = { first: to, last: from, new: stepAt(track, drag.share) }[drag.grip];
    this.app.zoomTo(zoomTo(track, other, stepAt(track, share)));
  }

  /** Moves the brush; it keeps its width on the timeline. */
  #shift(range: Range, track: Track, by: number) {
    const [from, to] = range.map((step) => shareOf(track, step));
    const within = Math.min(1 - to, Math.max(-from, by));
    this.app.zoomTo(zoomTo(track, stepAt(track, from + within), stepAt(track, to + within)));
  }

  #release() {
    // the click that follows a drag is not a press
    const ended = this.#drag;
    setTimeout(() => ended === this.#drag && (this.#drag = null));
    this.requestUpdate();
  }

  #look(event: MouseEvent) {
    const target = event.target as Element;
    if (this.#drag?.moved || event.detail > 1 || target.closest(".flag, .handle")) return;
    const { state } = this;
    const track = trackOf(state);
    this.#before = state.looking?.step ?? null;
    const step = stepAt(track, this.#shareAt(event));
    this.app.lookAt(snapped(markersOf(state), step, track, this.#length));
  }

  /** The first press of two has looked at a step. */
  #all(event: MouseEvent) {
    if ((event.target as Element).closest(".flag")) return;
    this.app.lookAt(this.#before);
    this.app.zoomTo(null);
  }

  #travel({ target }: Event) {
    this.app.lookAt(Number((target as HTMLInputElement).value));
    this.requestUpdate();
  }

  /** An edge moves by a share of the timeline, with Shift the whole brush. */
  #key(event: KeyboardEvent) {
    const by = KEYS[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const track = trackOf(this.state);
    const range = shownRange(this.state, track);
    if (event.shiftKey) return this.#shift(range, track, by);
    const [from, to] = range;
    const isFrom = (event.currentTarget as HTMLElement).dataset.grip === "first";
    const step = isFrom ? from : to;
    const moved = stepAt(track, shareOf(track, step) + by);
    // at least one step, where a share of the timeline is less
    const next = moved === step ? step + Math.sign(by) : moved;
    this.app.zoomTo(
      isFrom
        ? zoomTo(track, Math.min(next, to - 1), to)
        : zoomTo(track, from, Math.max(next, from + 1)),
    );
  }
}
