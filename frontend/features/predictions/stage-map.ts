/**
 * The map beside the loss: the sides of classes, or the surface of a regression, with the training
 * samples on top. A pointer and keys read it like the small maps.
 * Owns: its colours and template. ground.ts has the geometry.
 */

import { html, nothing, svg } from "lit";
import { colourOf, DecisionMapView, put } from "./decision-map.ts";
import {
  bordersOf,
  heightsOf,
  levelsOf,
  linesOf,
  sampleLook,
  samplesOf,
  SHADES,
  sidesOf,
  valueRange,
} from "./ground.ts";
import { COLOURS } from "./map-drawing.ts";
import { pixelsOf } from "../../charts/terrain.ts";
import { mapWords, rightWords, scoreWords, whenWords } from "../../core/data-picture.ts";
import { readMap } from "../../core/decision-map.ts";
import { number, setting } from "../../core/format.ts";
import { marker } from "../../ui/icons.ts";
import * as texts from "../../words/english.ts";
import type { PropertyDeclarations } from "lit";
import type { DecisionMap } from "../../core/decision-map.ts";
import type { Json, State } from "../../core/types.ts";

/** Pixels a side of a surface. */
const SURFACE = 144;
/** Of more than two classes, whose colours are stronger. */
const PALE = 0.42;

export class StageMapView extends DecisionMapView {
  static override properties: PropertyDeclarations = {
    ...DecisionMapView.properties,
    view: {},
    pointed: {},
  };
  /** The state on view. */
  declare view: State;
  /** The prediction at the cursor. */
  declare pointed: string | null;

  get #classes() {
    return this.view.experiment?.classes ?? [];
  }

  override read(answer: Json) {
    return readMap(answer, answer.train ?? answer.samples);
  }

  override overlay(map: DecisionMap) {
    const classes = this.#classes.length;
    const lines = classes
      ? bordersOf(map, classes)
      : linesOf(map, levelsOf(valueRange(map)).levels);
    const dots = samplesOf(map, classes).map(
      ({ name, wrong, kind, d }) =>
        svg`<path class="sample ${name}" ?data-wrong=${wrong} data-class=${kind} d=${d}></path>`,
    );
    return svg`<path class=${classes ? "border" : "contours"} d=${lines}></path><g>${dots}</g>`;
  }

  override paint(map: DecisionMap, canvas: HTMLCanvasElement, style: CSSStyleDeclaration) {
    const paper = colourOf(style, "--paper");
    if (!this.#classes.length) {
      const size = { width: SURFACE, height: SURFACE };
      const tint = { low: paper, high: colourOf(style, "--surface-hi"), sun: 0 };
      put(canvas, pixelsOf(heightsOf(map), size, tint, valueRange(map)), SURFACE);
      return;
    }
    const isTwo = this.#classes.length === 2;
    const colours = Array.from({ length: isTwo ? 2 : COLOURS }, (_, k) => {
      const colour = colourOf(style, `--${isTwo ? "side" : "class"}-${k + 1}`);
      return isTwo ? colour : mixed(paper, colour);
    });
    put(canvas, sidesOf(map, colours, paper), map.side);
  }

  drawAtOnce() {
    this.performUpdate();
  }

  override says(answer: Json | undefined) {
    return mapWords(this.run, answer, this.isScaled, this.view);
  }

  override caption(answer: Json | undefined) {
    const { run, view } = this;
    const classes = this.#classes;
    const when = whenWords(run, answer?.step);
    const result = !answer ? "" : classes.length ? rightWords(answer) : scoreWords(view, run);
    const map = answer && this.read(answer);
    return html`<div class="legend map-legend" aria-hidden="true"
      >${classes.length ? classes.map((name, k) => entry(k, name)) : valueEntries(map)}
      ${classes.length ? html`<span class="bad">${swatch(0, true)}${texts.wrong}</span>` : nothing}
      <span class="result"><span class="whose">${marker(run.lane)}<b>${run.label}</b></span>${
        this.pointed ?? [when, result].filter(Boolean).join(", ")
      }</span></div>`;
  }
}

const mixed = (paper: [number, number, number], colour: [number, number, number]) =>
  colour.map((part, k) => Math.round(paper[k] + PALE * (part - paper[k]))) as typeof colour;

function swatch(kind: number, wrong = false) {
  const { name, d } = sampleLook(kind, 8, 5, 5);
  return html`<svg viewBox="0 0 10 10">${svg`<path class="sample ${name}" ?data-wrong=${wrong} d=${d}></path>`}</svg>`;
}

const entry = (kind: number, name: string) => html`<span>${swatch(kind)}${name}</span>`;

/** Of a regression: the shades of the samples, and the distance of the lines. */
function valueEntries(map: DecisionMap | undefined) {
  if (!map) return nothing;
  const range = valueRange(map);
  const { step } = levelsOf(range);
  const shade = (kind: number, value: number) => {
    const { d } = sampleLook(0, 8, 5, 5);
    return html`<span><svg viewBox="0 0 10 10">${svg`<path class="sample value" data-class=${kind} d=${d}></path>`}</svg>${number(value)}</span>`;
  };
  return html`${shade(0, range[0])}${shade(SHADES - 1, range[1])}${
    step ? html`<span>${texts.aLineEveryX(setting(step))}</span>` : nothing
  }`;
}

customElements.define("stage-map", StageMapView);
