/**
 * One run's decision map of the rail: the sides of classes, stronger where the network is surer, with
 * samples on top. Its cursor is a place under a pointer, or a cell that keys select, marked and
 * spoken.
 * Owns: its canvas and template, its colours, its cursor, and the legend. ground.ts has the geometry.
 */

import { html, nothing, svg } from "lit";
import { accuracyTitle } from "./accuracy-title.ts";
import { bordersOf, sampleLook, samplesOf, sidesOf } from "./ground.ts";
import { COLOURS, cursorOf, SPAN } from "./map-drawing.ts";
import { shadeOf } from "../../charts/class-looks.ts";
import { colourOf } from "../../charts/screen.ts";
import { breakable } from "../../ui/breakable.ts";
import { set } from "../../ui/dom.ts";
import { LightElement } from "../../ui/live-element.ts";
import { cellAt, isMove, mapWords, moved, placeWords, readMap } from "../../core/decision-map.ts";
import * as texts from "../../words/english.ts";
import type { PropertyDeclarations, PropertyValues } from "lit";
import type { Colour } from "./map-drawing.ts";
import type { At, DecisionMap } from "../../core/decision-map.ts";
import type { Json, Run } from "../../core/types.ts";

/** Fills a canvas with square pixels. */
export function put(
  canvas: HTMLCanvasElement,
  pixels: Uint8ClampedArray<ArrayBuffer>,
  side: number,
) {
  canvas.width = canvas.height = side;
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, side), 0, 0);
}

/** Up to so many classes the shapes of samples differ. */
const SHAPES = 10;

/**
 * The style of a sample: of many classes its shape needs a colour.
 * @param kind place of its class
 */
const sampleStyle = (kind: number, classes: number) =>
  classes > SHAPES
    ? `--sample: color-mix(in srgb, var(--class-${(kind % COLOURS) + 1}) 60%, var(--ink))`
    : nothing;

/** Samples without a map. */
type Bare = Pick<DecisionMap, "edges" | "samples">;

/** The map of classes of the inspection rail; stage-map.ts draws a large one. */
export class DecisionMapView extends LightElement {
  static override properties: PropertyDeclarations = {
    run: {},
    answer: {},
    isScaled: {},
    brief: {},
    theme: {},
  };
  declare run: Run;
  /** The last one; undefined if there is none yet. */
  declare answer: Json | undefined;
  /** Its inputs are standardized. */
  declare isScaled: boolean;
  declare brief: string; // the run's name, shortened to fit
  declare theme: string; // of the colours drawn
  /** Receives the prediction at the cursor, or null when it leaves. */
  point: (words: string | null) => void = () => {};
  #shown: Json | undefined;
  #map: DecisionMap | undefined;
  #bare: Bare | undefined;
  /** Border and samples of the map. */
  #drawn: unknown = nothing;
  #isOld = false;
  #at: At | null = null;
  #isMarked = false;

  override willUpdate(changed: PropertyValues) {
    const answer = this.run.status === "diverged" ? undefined : this.answer;
    const bare = this.run.status === "diverged" ? this.bare : undefined;
    this.#isOld = answer !== this.#shown || changed.has("theme");
    if (answer === this.#shown && bare === this.#bare) return;
    const map = answer && this.read(answer);
    [this.#shown, this.#map, this.#bare] = [answer, map, bare];
    this.#drawn = map ? this.overlay(map) : bare ? svg`<g>${this.samples(bare)}</g>` : nothing;
  }

  /** The picture of a diverged run, which has no map. */
  get bare(): Bare | undefined {
    return undefined;
  }

  /** Why a diverged run has no map. */
  get reason(): string {
    return texts.offTheAxis;
  }

  read(answer: Json): DecisionMap {
    return readMap(answer);
  }

  get classes(): string[] {
    return this.#shown?.classes ?? [];
  }

  /** Size of the samples in this map over that in the large one, in the drawing's units. */
  get sampleScale() {
    return 1.6;
  }

  /** Borders and samples. */
  overlay(map: DecisionMap): unknown {
    const lines = bordersOf(map, this.classes.length);
    return svg`<path class="border" d=${lines}></path><g>${this.samples(map)}</g>`;
  }

  samples(map: Bare) {
    const classes = this.classes.length;
    return samplesOf(map, classes, this.sampleScale).map(
      ({ name, wrong, kind, d }) => svg`<path class="sample ${name}" ?data-wrong=${wrong}
        data-class=${kind} style=${sampleStyle(kind, classes)} d=${d}></path>`,
    );
  }

  /** The picture in words. */
  says(answer: Json | undefined): string {
    return mapWords(this.run, answer, this.isScaled);
  }

  /** The title beside the picture. */
  caption(answer: Json | undefined): unknown {
    return accuracyTitle(this.run, answer?.right, this.brief);
  }

  /** Draws the cells. The style sheet cannot colour pixels: another theme redraws them. */
  paint(map: DecisionMap, canvas: HTMLCanvasElement, style: CSSStyleDeclaration) {
    const paper = colourOf(style, "--paper");
    const isTwo = this.classes.length === 2;
    const colours = Array.from({ length: isTwo ? 2 : COLOURS }, (_, k) => {
      const colour = colourOf(style, `--${isTwo ? "side" : "class"}-${k + 1}`);
      return isTwo ? colour : (shadeOf(colour, paper) as Colour);
    });
    put(canvas, sidesOf(map, colours, paper), map.side);
  }

  override render() {
    const { run } = this;
    const [map, answer] = [this.#map, this.#shown];
    const cell = map && this.#at && this.#isMarked ? cellAt(map.side, this.#at) : null;
    const hint = `${this.localName}-${run.name}-hint`;
    set(this, { "data-run": run.name, "data-lane": run.lane, "data-step": answer?.step ?? null });
    // role application: a screen reader passes the arrow keys on; name and value are announced
    return html`<div class="map" tabindex="0" role="application" aria-roledescription=${texts.map}
        aria-describedby=${hint} aria-label=${this.says(answer)}
        data-cursor=${cell?.join(" ") ?? nothing} @keydown=${this.#key} @blur=${this.#leave}
        @pointermove=${this.#follow} @pointerleave=${this.#leave}>
      <canvas ?hidden=${!map}></canvas>
      <svg viewBox="0 0 ${SPAN} ${SPAN}" aria-hidden="true">
        ${this.#drawn}
        <path class="cursor" d=${map && cell ? cursorOf(map.side, cell) : ""}></path></svg>
      <span class="off" ?hidden=${run.status !== "diverged"}>${this.reason}</span>
      <span class="unseen" id=${hint} hidden>${texts.arrowKeysMoveTheCursorHomeSentence}</span>
    </div>${this.caption(answer)}`;
  }

  override updated() {
    const [map, canvas] = [this.#map, this.querySelector("canvas")];
    if (!this.#isOld) return;
    if (this.#at) this.point(this.#words());
    if (map && canvas) this.paint(map, canvas, getComputedStyle(canvas));
  }

  #words() {
    const [map, answer] = [this.#map, this.#shown];
    return this.#at && map && answer ? placeWords(answer, map, this.#at, this.isScaled) : null;
  }

  #go(place: At | null, byKey = false) {
    [this.#at, this.#isMarked] = [place, byKey];
    const words = this.#words();
    this.point(words);
    this.requestUpdate();
    return words;
  }

  /** Dispatches `spoken` after key moves, as charts do. */
  #key(event: KeyboardEvent) {
    const side = this.#map?.side;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !side) return;
    const leaves = event.key === "Escape" && this.#at !== null;
    if (!leaves && !isMove(event.key)) return;
    event.preventDefault();
    const words = leaves ? this.#go(null) : this.#go(moved(side, this.#at, event.key), true);
    if (words)
      this.dispatchEvent(new CustomEvent("spoken", { bubbles: true, detail: `${words}.` }));
  }

  #follow({ clientX, clientY, currentTarget }: PointerEvent) {
    const { left, bottom, width, height } = (currentTarget as Element).getBoundingClientRect();
    this.#go([(clientX - left) / width, (bottom - clientY) / height]);
  }

  #leave() {
    if (this.#at) this.#go(null);
  }
}

customElements.define("decision-map", DecisionMapView);

/** A sample in a legend. */
function swatch(kind: number, classes: number, wrong = false) {
  const { name, d } = sampleLook(kind, 8, 5, 5);
  const style = wrong ? nothing : sampleStyle(kind, classes);
  return html`<svg viewBox="0 0 10 10">${svg`<path class="sample ${name}" ?data-wrong=${wrong} style=${style} d=${d}></path>`}</svg>`;
}

/** The classes with their samples, and the mark of wrong ones. */
export const classEntries = (classes: string[]) =>
  html`${classes.map(
    (name, kind) =>
      html`<span title=${name}>${swatch(kind, classes.length)}<span class="clip">${breakable(name)}</span></span>`,
  )}<span class="bad">${swatch(0, classes.length, true)}${texts.wrong}</span>`;

export const mapLegend = (classes: string[]) =>
  html`<div class="legend map-legend" aria-hidden="true">${classEntries(classes)}</div>`;
