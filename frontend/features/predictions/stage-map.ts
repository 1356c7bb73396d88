/**
 * The map beside the loss: the sides of classes, or the surface of a regression, with the training
 * samples on top. A pointer and keys read it like the small maps.
 * Owns: the surface, and its legend. decision-map.ts has the rest.
 */

import { html, nothing, svg } from "lit";
import { classEntries, DecisionMapView, put } from "./decision-map.ts";
import { heightsOf, levelsOf, linesOf, sampleLook, SHADES, valueRange } from "./ground.ts";
import { colourOf } from "../../charts/screen.ts";
import { pixelsOf } from "../../charts/terrain.ts";
import { groundIn, mapWords, rightWords, scoreWords, whenWords } from "../../core/data-picture.ts";
import { readMap } from "../../core/decision-map.ts";
import { integer, number, setting } from "../../core/format.ts";
import { marker } from "../../ui/icons.ts";
import * as texts from "../../words/english.ts";
import type { PropertyDeclarations } from "lit";
import type { DecisionMap } from "../../core/decision-map.ts";
import type { Json, State } from "../../core/types.ts";

/** Pixels a side of a surface. */
const SURFACE = 144;

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

  override get classes() {
    return this.view.experiment?.classes ?? [];
  }

  override get sampleScale() {
    return 1;
  }

  override get bare() {
    return groundIn(this.view);
  }

  override get reason() {
    const { divergedAt, step } = this.run;
    return texts.noMapDivergedAtStepX(integer(divergedAt ?? step));
  }

  override read(answer: Json) {
    return readMap(answer, answer.train ?? answer.samples);
  }

  override overlay(map: DecisionMap) {
    if (this.classes.length) return super.overlay(map);
    const lines = linesOf(map, levelsOf(valueRange(map)).levels);
    return svg`<path class="contours" d=${lines}></path><g>${this.samples(map)}</g>`;
  }

  override paint(map: DecisionMap, canvas: HTMLCanvasElement, style: CSSStyleDeclaration) {
    if (this.classes.length) return super.paint(map, canvas, style);
    const size = { width: SURFACE, height: SURFACE };
    const [low, high] = [colourOf(style, "--paper"), colourOf(style, "--surface-hi")];
    put(canvas, pixelsOf(heightsOf(map), size, { low, high, sun: 0 }, valueRange(map)), SURFACE);
  }

  drawAtOnce() {
    this.performUpdate();
  }

  override says(answer: Json | undefined) {
    return mapWords(this.run, answer, this.isScaled, this.view);
  }

  override caption(answer: Json | undefined) {
    const { run, view } = this;
    const { classes } = this;
    const when = whenWords(run, answer?.step);
    const result = !answer ? "" : classes.length ? rightWords(answer) : scoreWords(view, run);
    const map = answer ? this.read(answer) : undefined;
    const isOff = run.status === "diverged";
    return html`<div class="legend map-legend" aria-hidden="true"
      >${classes.length ? classEntries(classes) : valueEntries(isOff ? this.bare : map, !isOff)}
      <span class="result"><span class="whose">${marker(run.lane)}<b>${run.label}</b></span>${
        this.pointed ?? [when, result].filter(Boolean).join(", ")
      }</span></div>`;
  }
}

/** Entries for a regression: the shades of the samples, and the distance of the lines if it has some. */
function valueEntries(map: Pick<DecisionMap, "samples"> | undefined, hasLines: boolean) {
  if (!map) return nothing;
  const range = valueRange(map);
  const { step } = levelsOf(range);
  const shade = (kind: number, value: number) => {
    const { d } = sampleLook(0, 8, 5, 5);
    return html`<span><svg viewBox="0 0 10 10">${svg`<path class="sample value" data-class=${kind} d=${d}></path>`}</svg>${number(value)}</span>`;
  };
  return html`${shade(0, range[0])}${shade(SHADES - 1, range[1])}${
    step && hasLines ? html`<span>${texts.aLineEveryX(setting(step))}</span>` : nothing
  }`;
}

customElements.define("stage-map", StageMapView);
