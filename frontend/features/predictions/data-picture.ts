/**
 * The data's own picture on the stage. One input: the fit of every run. Two inputs: the map of the
 * run that is looked at, on wide screens of two.
 * Owns: its template, and whether it is in sight. fit-drawing.ts and stage-map.ts draw.
 */

import { html, nothing, svg } from "lit";
import { repeat } from "lit/directives/repeat.js";
import "./stage-map.ts";
import { endMark, fitOf, nameLeft } from "./fit-drawing.ts";
import {
  fitWords,
  lastCurve,
  picturedRuns,
  readCurve,
  whenWords,
} from "../../core/data-picture.ts";
import { isStandardized } from "../../core/data-recipe.ts";
import { lastMap } from "../../core/decision-map.ts";
import { dataPictureOf, WIDE } from "../../core/pictures.ts";
import { pictureOf } from "../../charts/picture.ts";
import { shownRuns, stateOnView } from "../../core/state-on-view.ts";
import { marker } from "../../ui/icons.ts";
import { set } from "../../ui/dom.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import * as texts from "../../words/english.ts";
import type { Fit, Fitted } from "./fit-drawing.ts";
import type { StageMapView } from "./stage-map.ts";
import type { Curve } from "../../core/data-picture.ts";
import type { Json, Run, State } from "../../core/types.ts";

const wide = matchMedia(`(min-width: ${WIDE}px)`);
/** Height of a line of a name, and of half a capital, in px. */
const LINE = 15;
const HALF = 4.5;

/** Curves by their answers, so that each is read once. */
const CURVES: WeakMap<Json, Curve> = new WeakMap();

function curveOf(state: State, run: Run): Curve | null {
  const answer = run.status === "diverged" ? undefined : lastCurve(state, run.name);
  if (!answer) return null;
  const curve = CURVES.get(answer) ?? readCurve(answer);
  CURVES.set(answer, curve);
  return curve;
}

export class DataPicture extends ExperimentElement {
  #size = { width: 0, height: 0 };
  /** Width of a label's letters over the usual. */
  #letter = 1;
  /** Room that the legends of maps take beyond the usual, in px, and what it was measured for. */
  #more = 0;
  #shape = "";
  #letters = 0;
  #pointed: { run: string; words: string } | null = null;

  override shows(state: State) {
    const viewState = stateOnView(state);
    const kind = dataPictureOf(state.experiment);
    if (!kind) return null;
    return [
      kind,
      state.experiment,
      state.view.maps,
      state.samples,
      picturedRuns(state)[0]?.name,
      ...viewState.order.flatMap((name) => [
        viewState.runs[name],
        kind === "fit" ? lastCurve(state, name) : lastMap(state, name),
      ]),
    ];
  }

  override start() {
    this.followSize(this, () => this.#measure());
    this.followTheme();
    let isSeen = false;
    const count = () => {
      const maps = isSeen ? (wide.matches ? 2 : 1) : 0;
      if (maps !== this.state.view.maps) this.app.setView({ maps });
    };
    // out of sight nothing is requested
    const sight = new IntersectionObserver((entries) => {
      isSeen = entries.at(-1)?.isIntersecting ?? false;
      count();
    });
    sight.observe(this);
    this.whenGone(() => sight.disconnect());
    wide.addEventListener("change", count, { signal: this.gone });
  }

  #measure() {
    const { offsetWidth: width, offsetHeight: height } = this;
    this.#size = { width, height };
    this.#letter = Number(getComputedStyle(this).getPropertyValue("--letter")) || 1;
    this.requestUpdate();
  }

  /** Draws itself for the room and the theme of now, before this returns. */
  drawAtOnce() {
    this.#measure();
    this.performUpdate();
    for (const map of this.querySelectorAll<StageMapView>("stage-map")) map.drawAtOnce();
  }

  /**
   * As one SVG.
   * @param around the name of the run of a map; two maps have names of their own
   */
  async picture(around: Element[]): Promise<SVGSVGElement> {
    const pictures = [...this.querySelectorAll("[role]")];
    return pictureOf({
      chart: this,
      title: pictures.map((each) => each.getAttribute("aria-label")).join(" "),
      layers: [this],
      around: pictures.length > 1 ? [] : around,
      isOne: false,
    })();
  }

  override render() {
    const kind = dataPictureOf(this.experiment);
    set(this, { "data-kind": kind });
    if (!kind || !this.#size.width) return nothing;
    return kind === "fit" ? this.#fit() : this.#maps();
  }

  override updated() {
    const maps = [...this.querySelectorAll<StageMapView>("stage-map")];
    void Promise.all(maps.map((map) => map.updateComplete)).then(() => this.#roomForLegends(maps));
  }

  /** Legends of many or long names have their room: the stage grows by what is missing. */
  #roomForLegends(maps: StageMapView[]) {
    if (!this.isConnected) return;
    const { width, height } = this.#size;
    const shape = [this.experiment.id, width, innerHeight, maps.length].join();
    if (shape !== this.#shape || !height || !maps.length) this.#giveRoom(0);
    this.#shape = shape;
    // as many letters are as high as before, and what the pointer reads must move nothing
    const legends = [...this.querySelectorAll("stage-map .legend")];
    const letters = Math.max(0, ...legends.map(({ textContent }) => textContent.length));
    if (!height || this.#pointed || letters <= this.#letters) return;
    this.#letters = letters;
    const { bottom } = this.getBoundingClientRect();
    const over = legends.map((legend) => legend.getBoundingClientRect().bottom - bottom);
    this.#giveRoom(this.#more + Math.max(0, Math.ceil(Math.max(...over))));
  }

  #giveRoom(more: number) {
    if (more === 0) this.#letters = 0;
    if (more === this.#more) return;
    this.#more = more;
    const stage = this.closest(".stage") as HTMLElement;
    stage.style.setProperty("--more-legend", `${more}px`);
    // where the stage scrolls for it, the loss beside it stays in sight
    const below = Math.min(more, stage.scrollHeight - stage.clientHeight);
    stage.style.setProperty("--below-loss", `${below}px`);
  }

  #fit() {
    const { state } = this;
    if (state.samples?.experiment !== this.experiment.id) return nothing;
    const viewState = stateOnView(state);
    const fitted: Fitted[] = shownRuns(viewState).map((run) => ({
      run,
      curve: curveOf(state, run),
    }));
    const size = { width: this.#size.width, height: this.#size.height - LEGEND };
    const fit = fitOf(state.samples, fitted, size, this.#letter);
    const steps = fit.curves.map(({ step }) => step);
    const isLate = fit.curves.map(({ run, step }) => whenWords(run, step)).find(Boolean);
    const off = shownRuns(viewState).filter(({ name }) => fit.off.includes(name));
    return html`<div class="fit" role="img" aria-label=${fitWords(state, fit.off)}
        data-step=${steps.length ? Math.max(...steps) : nothing}>
      <div class="legend" aria-hidden="true"
        ><span>${dot("train")}${texts.train}</span>${this.experiment.testSamples ? html`<span>${dot("test")}${texts.test}</span>` : nothing}
        ${off.map((run) => html`<span class="bad" data-run=${run.name}>${marker(run.lane)}${texts.xOffTheAxis(run.label)}</span>`)}
        ${isLate ? html`<span class="result">${isLate}</span>` : nothing}</div>
      ${drawing(fit, size)}</div>`;
  }

  #maps() {
    const { state } = this;
    const viewState = stateOnView(state);
    const runs = picturedRuns(viewState);
    const point = (run: string) => (words: string | null) => {
      this.#pointed = words === null ? null : { run, words };
      this.requestUpdate();
    };
    const map = (run: Run) => html`<stage-map .run=${run} .view=${viewState}
      .answer=${lastMap(state, run.name)} .isScaled=${isStandardized(state.experiment, "inputs")}
      .pointed=${this.#pointed?.run === run.name ? this.#pointed.words : null} .point=${point(run.name)}
      .theme=${document.documentElement.dataset.theme ?? ""}></stage-map>`;
    const letters = this.experiment.classes.join("").length;
    return html`<div class="maps" data-many=${runs.length > 1 ? runs.length : nothing}
      ?data-tall=${letters > SHORT || runs.length > 1}
      >${repeat(runs, ({ name }) => name, map)}</div>`;
  }
}

/** Letters of all classes up to which the legend has one line. */
const SHORT = 24;
/** Height of the fit's legend, in px. */
const LEGEND = 26;

const dot = (name: string) =>
  html`<svg viewBox="0 0 10 10"><circle class="sample ${name}" cx="5" cy="5" r="3"></circle></svg>`;

function drawing({ frame, grid, axis, words, dots, curves }: Fit, size: Json) {
  const { left, top, width, height } = frame;
  return svg`<svg class="fit-plot" viewBox="0 0 ${size.width} ${size.height}" aria-hidden="true">
    <path class="fit-grid" d=${grid}></path><path class="fit-axis" d=${axis}></path>
    ${words.map((word) => svg`<text class=${word.name} x=${word.left} y=${word.top}>${word.text}</text>`)}
    <path class="sample train" d=${dots.train}></path><path class="sample test" d=${dots.test}></path>
    <svg x=${left} y=${top} width=${width} height=${height} viewBox="${left} ${top} ${width} ${height}">
      ${curves.map(
        ({ run, d }) => svg`<path class="casing" d=${d}></path>
          <path class="curve" data-lane=${run.lane} data-run=${run.name} d=${d}></path>`,
      )}</svg>
    ${curves.map(({ run, end }) => (end ? nameOf(run, end) : nothing))}</svg>`;
}

function nameOf(run: Run, { left, top, lines }: { left: number; top: number; lines: string[] }) {
  const first = top + HALF - ((lines.length - 1) * LINE) / 2;
  return svg`<g data-lane=${run.lane} data-run=${run.name}>
    <path class="mark" d=${endMark(run, left, top)}></path>
    ${lines.map((line, k) => svg`<text class="name" x=${nameLeft(left)} y=${first + k * LINE}>${line}</text>`)}</g>`;
}
