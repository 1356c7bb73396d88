/**
 * The fall line: terrain of the loss over the plane of the runs' paths, with the paths and runs. A
 * short path has a closer view. A new terrain fades in, and the runs glide to their places.
 * Owns: its canvases and template. terrain.ts, terrain-canvas.ts and fall-geometry.ts have the
 * drawing.
 */

import { html, nothing, svg } from "lit";
import { styleMap } from "lit/directives/style-map.js";
import {
  cutAt,
  dotsOf,
  frameOf,
  glided,
  labelBoxes,
  leadTo,
  latestOf,
  lensCorner,
  lineOf,
  markerBox,
  numberPlace,
  pointsAlong,
  trackOf,
} from "./fall-geometry.ts";
import { drawTerrain } from "./terrain-canvas.ts";
import { symbol } from "../../charts/paths.ts";
import { pictureOf } from "../../charts/picture.ts";
import { briefName, hasCutWord } from "../../core/brief-names.ts";
import { integer, number, tick } from "../../core/format.ts";
import {
  fallenRuns,
  fallLineWords,
  isDrawn,
  lossOf,
  shareWords,
  spotsOnView,
} from "../../core/fall-line.ts";
import { isCut } from "../../core/selectors.ts";
import { shownStep, stateOnView } from "../../core/state-on-view.ts";
import { TERMS } from "../../core/terms.ts";
import { marker } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { termOf } from "../../ui/term.ts";
import * as texts from "../../words/english.ts";
import type { Frame, Track } from "./fall-geometry.ts";
import type { Contour } from "./terrain-canvas.ts";
import type { Area } from "../../charts/labels.ts";
import type { FallLine, Spot } from "../../core/fall-line.ts";
import type { Run, State } from "../../core/types.ts";

/** ms of a new terrain's fade: --t-plane of tokens.css */
const FADE = 240;
/** Side of the closer view, and its distance from the edges, in px. */
const LENS = 184;
const INSET = 10;
const MARK = 14;
const DOT = 2.2;
/** Widths of the latest steps, thinnest and longest first. */
const STROKES = [1.9, 2.6, 3.3];
/** About the widths of a letter of a label and of a capital, in px. */
const LETTER = 7.2;
const CAPITAL = 10;
/** With more runs their names have less room. */
const FEW = 3;
/** Letters of a loss, with the space before it. */
const VALUE = 9;
/** A terrain of fewer columns says so. */
const COARSE = 60;

const roomForLens = matchMedia("(min-width: 900px) and (min-height: 760px)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

interface DrawnRun {
  run: Run;
  spot: Spot;
  track: Track; // up to the step on view
  later: Track | null;
}

/** Two decimals: the server keeps a terrain for each shape. */
const rounded = (value: number) => Number(value.toFixed(2));

export class FallLineView extends ExperimentElement {
  #size = { width: 0, height: 0 };
  /** Width of a label's letters over the usual. */
  #letter = 1;
  /** The contents of the canvases, by canvas. */
  #drawn: Map<string, unknown[]> = new Map();
  #contours: Contour[] = [];
  #lensContours: Contour[] = [];
  #isFront = true;
  #tracks: Map<string, Track> = new Map();
  #glide: { from: Map<string, Track>; since: number } | null = null;
  #plane: FallLine["planeSteps"] | null = null;
  #theme = "";

  override shows(state: State) {
    const { fallLine, looking, order, runs } = state;
    const { runs: onView } = stateOnView(state);
    return [
      fallLine,
      looking,
      isCut(state),
      ...order.flatMap((name) => [
        runs[name].label,
        runs[name].hidden,
        runs[name].status,
        runs[name].generation,
        lossOf(onView[name]), // as in the table
      ]),
    ];
  }

  override start() {
    const measure = () => this.#measure();
    this.followSize(this, measure);
    this.followTheme();
    roomForLens.addEventListener("change", measure, { signal: this.gone });
  }

  /** Reports the shape of the picture to the requests, or that it is out of sight. */
  #measure() {
    const { offsetWidth: width, offsetHeight: height } = this;
    this.#size = { width, height };
    this.#letter = Number(getComputedStyle(this).getPropertyValue("--letter")) || 1;
    const lens = roomForLens.matches ? rounded(LENS / width) : 0;
    const frame = width > 0 && height > 0 ? { aspect: rounded(width / height), lens } : null;
    const before = this.state.view.fallFrame;
    if (frame?.aspect !== before?.aspect || frame?.lens !== before?.lens)
      this.app.setView({ fallFrame: frame });
    this.requestUpdate();
  }

  /** As one SVG, which has the terrain as an image. */
  async picture(): Promise<SVGSVGElement> {
    const ground = this.querySelector(".fall-ground");
    if (!ground) throw new Error("the terrain is not measured yet");
    const layers = [".terrain.front", ":scope > .fall-paths", ":scope > .fall-labels"].map(
      (layer) => ground.querySelector(layer),
    );
    const over = [".fall-lens", ".fall-outside"].map((layer) => this.querySelector(layer));
    const title = ground.getAttribute("aria-label") ?? "";
    return pictureOf({
      chart: this,
      title,
      layers: [...layers, ...over].filter((layer) => layer !== null),
      around: [],
      isOne: false,
    })();
  }

  override render() {
    const { state } = this;
    const line = state.fallLine;
    const { width, height } = this.#size;
    if (!line || !width || !height)
      return html`<p class="fall-waiting" role="status">
        ${isCut(state) ? texts.theFallLineNeedsTheServer : texts.measuringTheTerrain}
      </p>`;
    const frame = frameOf(line.region, this.#size);
    const runs = this.#runs(state, line, frame);
    const points = runs.flatMap(({ track }) => pointsAlong(track, frame));
    const lens = this.#lens(line, frame, points);
    const lensBox = lens && { left: lens.left, top: lens.top, width: LENS, height: LENS };
    const notes = this.#notes(state, runs, line);
    const legend = legendBox(runs.length, notes, this.#size, this.#letter);
    const boxes = lensBox ? [legend, lensBox] : [legend];
    return html`<div class="fall-ground" role="img" aria-label=${fallLineWords(state)}
        data-step=${Math.max(0, ...runs.map(({ spot }) => spot.step))} data-plane=${line.plane}
        data-plane-steps=${Object.values(line.planeSteps).join(" ")} data-columns=${line.terrain.columns}>
      <canvas class="terrain" data-canvas="a"></canvas><canvas class="terrain" data-canvas="b"></canvas>
      ${picture(runs, frame)}
      ${this.#labels(runs, frame, points, boxes)}
    </div>
    ${lens ? this.#closer(lens, line, state) : nothing}
    ${outsideOf(runs, notes)}`;
  }

  override updated() {
    const { state } = this;
    const line = state.fallLine;
    const theme = document.documentElement.dataset.theme ?? "";
    if (!line || !this.#size.width) return;
    this.#drawGround(line, theme);
    const canvas = this.querySelector<HTMLCanvasElement>(".fall-lens canvas");
    const key = [line.lens, theme, canvas];
    if (canvas && line.lens && isOther(this.#drawn.get("lens"), key)) {
      const frame = frameOf(line.lens.region, { width: LENS, height: LENS });
      this.#lensContours = drawTerrain(canvas, line.lens, frame);
      this.#drawn.set("lens", key);
      this.requestUpdate();
    }
    if (!canvas) this.#drawn.delete("lens");
    this.#theme = theme;
  }

  /** A new terrain is drawn on the other canvas, which fades in over the old one. */
  #drawGround(line: FallLine, theme: string) {
    const { width, height } = this.#size;
    const canvases = this.querySelectorAll<HTMLCanvasElement>("[data-canvas]");
    // the canvases are new once the picture is in sight again
    const key = [line.terrain, line.region, width, height, theme, canvases[0]];
    const name = this.#isFront ? "a" : "b";
    if (!isOther(this.#drawn.get("ground"), key)) return;
    const isNew = this.#drawn.get("ground")?.[0] !== line.terrain && this.#drawn.has("ground");
    const next = isNew ? (name === "a" ? "b" : "a") : name;
    const canvas = [...canvases].find((one) => one.dataset.canvas === next);
    if (!canvas) return;
    this.#contours = drawTerrain(canvas, line.terrain, frameOf(line.region, this.#size));
    this.#drawn.set("ground", key);
    this.#isFront = next === "a";
    for (const one of canvases) {
      one.classList.toggle("front", one === canvas);
      one.classList.toggle("fades", one === canvas && isNew && this.#theme === theme);
    }
    this.requestUpdate(); // the numbers of the contours
  }

  /** The visible runs with their tracks at the step on view, gliding after a change of the plane. */
  #runs(state: State, line: FallLine, frame: Frame): DrawnRun[] {
    const viewState = stateOnView(state);
    const spots = spotsOnView(state);
    if (line.planeSteps !== this.#plane) {
      const isFirst = this.#plane === null;
      this.#plane = line.planeSteps;
      if (!isFirst && !still.matches)
        this.#glide = { from: new Map(this.#tracks), since: performance.now() };
    }
    const share = this.#glide ? (performance.now() - this.#glide.since) / FADE : 1;
    const drawn = shownRuns(state)
      .filter((name) => isDrawn(state, name) && line.traces[name])
      .map((name): DrawnRun => {
        const spot = (spots ?? line.spots)[name] ?? line.spots[name];
        const whole = glided(this.#glide?.from.get(name), trackOf(line.traces[name], frame), share);
        this.#tracks.set(name, whole);
        const isPast = state.looking !== null && spots !== null;
        if (!isPast) return { run: viewState.runs[name], spot, track: whole, later: null };
        const { before, after } = cutAt(whole, spot.step, [frame.x(spot.s), frame.y(spot.t)]);
        return { run: viewState.runs[name], spot, track: before, later: after };
      });
    if (share < 1) requestAnimationFrame(() => this.requestUpdate());
    else this.#glide = null;
    return drawn;
  }

  /** Names and losses beside the runs, "start", and the numbers of the contours. */
  #labels(runs: DrawnRun[], frame: Frame, points: [number, number][], taken: Area[]) {
    const inView = runs.filter(({ track }) => isInside(endOf(track), frame));
    const names = inView.map(({ run }) =>
      this.#brief(run, frame.width / (inView.length > FEW ? 4 : 2)),
    );
    const labels = inView.map(({ run }, k) => `${names[k]} ${number(lossOf(run))}`);
    const places = [
      ...inView.map(({ track }, k) => ({
        ...endOf(track),
        width: this.#letter * widthOf(labels[k]),
      })),
      { x: frame.x(0), y: frame.y(0), width: this.#letter * widthOf(texts.start) },
    ];
    const boxes = labelBoxes(places, frame, points, taken);
    const busy = [...boxes, ...taken, ...places.map((place) => markerBox(place.x, place.y))];
    const numbers = numbersOf(this.#contours, frame, points, busy);
    const ends = inView.map(
      ({ run }, k) => html`<span class="fall-label" data-lane=${run.lane} data-run=${run.name}
        style=${placed(boxes[k].left, boxes[k].top)}>${names[k]} <b>${number(lossOf(run))}</b></span>`,
    );
    const start = boxes[boxes.length - 1];
    const leads = inView.map(({ run, track }, k) => {
      const { x, y } = endOf(track);
      const d = leadTo(x, y, boxes[k]);
      return d && svg`<path class="lead" data-lane=${run.lane} d=${d}></path>`;
    });
    return html`<div class="fall-labels" aria-hidden="true"><svg class="fall-leads"
        viewBox="0 0 ${frame.width} ${frame.height}">${leads}</svg>${numbers}
      <span class="fall-label start" style=${placed(start.left, start.top)}>${texts.start}</span>${ends}</div>`;
  }

  /** A run's name in so many px; its colour alone says more than a part of a word. */
  #brief({ label }: Run, room: number) {
    const { order, runs } = this.state;
    const all = order.map((name) => runs[name].label);
    const brief = briefName(label, all, Math.floor(room / (this.#letter * LETTER)) - VALUE);
    return hasCutWord(brief, label) ? "" : brief;
  }

  #lens({ lens }: FallLine, frame: Frame, points: [number, number][]) {
    const hasRoom = roomForLens.matches && frame.height >= LENS + 2 * INSET;
    if (!lens || !hasRoom || !isAround(this.state, lens)) return null;
    return { ...lens, ...lensCorner(LENS, INSET, frame, points) };
  }

  #closer(
    lens: NonNullable<FallLine["lens"]> & { left: number; top: number },
    line: FallLine,
    state: State,
  ) {
    const frame = frameOf(lens.region, { width: LENS, height: LENS });
    const runs = this.#runsIn(state, line, frame);
    const name = lens.run in state.runs ? this.#brief(state.runs[lens.run], LENS) : lens.run;
    const times = integer(lens.times);
    const words = name ? texts.aroundXYTimesCloser(name, times) : texts.xTimesCloser(times);
    const markers = runs.map(({ track }) => markerBox(endOf(track).x, endOf(track).y));
    const points = runs.flatMap(({ track }) => pointsAlong(track, frame));
    const caption = { left: 0, top: LENS - 30, width: LENS, height: 30 };
    const numbers = numbersOf(this.#lensContours, frame, points, [...markers, caption]);
    return html`<figure class="fall-lens" style=${placed(lens.left, lens.top)}>
      <canvas class="terrain front" aria-hidden="true"></canvas>
      ${picture(runs, frame)}
      <div class="fall-labels" aria-hidden="true">${numbers}</div>
      <figcaption>${words}</figcaption></figure>`;
  }

  /** The runs in the closer view, which does not glide. */
  #runsIn(state: State, line: FallLine, frame: Frame): DrawnRun[] {
    const viewState = stateOnView(state);
    const spots = spotsOnView(state) ?? line.spots;
    return shownRuns(state)
      .filter((name) => isDrawn(state, name) && line.traces[name] && spots[name])
      .map((name) => {
        const spot = spots[name];
        const at: [number, number] = [frame.x(spot.s), frame.y(spot.t)];
        const { before, after } = cutAt(trackOf(line.traces[name], frame), spot.step, at);
        return {
          run: viewState.runs[name],
          spot,
          track: before,
          later: state.looking ? after : null,
        };
      });
  }

  /** What limits the picture, besides the paths outside the plane. */
  #notes(state: State, runs: DrawnRun[], line: FallLine) {
    const waits = state.looking && !spotsOnView(state);
    const frame = frameOf(line.region, this.#size);
    const left = runs.filter(({ track }) => !isInside(endOf(track), frame));
    const step = Math.max(0, ...runs.map(({ spot }) => spot.step));
    const isBehind = !state.looking && isFarBehind(step, shownStep(stateOnView(state)));
    return [
      ...(isBehind ? [texts.pointsOfStepX(integer(step))] : []),
      ...(waits ? [texts.stepXIsOnItsWay(integer(state.looking?.step ?? 0))] : []),
      ...left.map(({ run }) => texts.xLeftTheView(run.label)),
      ...(line.terrain.columns < COARSE
        ? [texts.coarseXTimesYLosses(line.terrain.columns, line.terrain.rows)]
        : []),
    ];
  }
}

/** How much of the paths the plane does not show. */
function outsideOf(runs: DrawnRun[], notes: string[]) {
  if (!runs.length && !notes.length) return nothing;
  return html`<p class="fall-outside"><span>${termOf("outside", TERMS.outside.name)}:</span>${runs.map(
    ({ run, spot }) => html`<span class="share" data-run=${run.name}>${marker(run.lane)}<span
          class="unseen">${run.label}</span>${shareWords(spot.outside)}</span>`,
  )}${notes.map((note) => html`<span class="note">${note}</span>`)}</p>`;
}

/** The closer view is of the last step: at an earlier one its run may stand elsewhere. */
function isAround(state: State, { run, region }: NonNullable<FallLine["lens"]>) {
  const spot = spotsOnView(state)?.[run];
  const [west, east, south, north] = region;
  return !spot || (spot.s >= west && spot.s <= east && spot.t >= south && spot.t <= north);
}

/** Points are late by so much that the losses beside them are of another part of the paths. */
const isFarBehind = (step: number, shown: number) => shown > 16 && 2 * step < shown;

/** The runs in the picture: at step 0 there is the start alone. */
const shownRuns = (state: State) => (shownStep(state) === 0 ? [] : fallenRuns(state));

/** px that the line about the plane needs: for a letter, a run's share, a row, and around its words. */
const LEGEND = { letter: 6.4, run: 70, row: 20, around: 24 };

/** The room of the line about the plane, which wraps where there are many runs or notes. */
function legendBox(
  runs: number,
  notes: string[],
  { width, height }: { width: number; height: number },
  letter: number,
): Area {
  const words = [TERMS.outside.name, ...notes].map(
    (text) => LEGEND.letter * letter * text.length + LEGEND.around,
  );
  const whole = words.reduce((sum, room) => sum + room, LEGEND.run * letter * runs);
  const tall = LEGEND.around + LEGEND.row * Math.ceil(whole / Math.max(1, width - 20));
  return {
    left: 0,
    top: height - tall,
    width: Math.min(width, Math.max(300, whole)),
    height: tall,
  };
}

const isOther = (one: unknown[] | undefined, other: unknown[]) =>
  !one || one.some((value, k) => value !== other[k]);

const placed = (left: number, top: number) =>
  styleMap({ left: `${Math.round(left)}px`, top: `${Math.round(top)}px` });

const widthOf = (text: string) =>
  LETTER * text.length + (CAPITAL - LETTER) * (text.match(/[A-Z]/g)?.length ?? 0);

const endOf = ({ x, y }: Track) => ({ x: x[x.length - 1], y: y[y.length - 1] });

const isInside = ({ x, y }: { x: number; y: number }, { width, height }: Frame) =>
  x >= 0 && y >= 0 && x <= width && y <= height;

/** The paths, the start, and the runs at their places. */
const picture = (runs: DrawnRun[], { width, height, x, y }: Frame) =>
  svg`<svg class="fall-paths" viewBox="0 0 ${width} ${height}" aria-hidden="true">
    ${runs.map((one) => pathsOf(one))}
    <circle class="fall-start" cx=${x(0)} cy=${y(0)} r="5.5"></circle>
    ${runs.map(({ run, track }) => markOf(run, track))}
  </svg>`;

/**
 * The numbers of contours, where there is room.
 * @param busy what they must not touch; each number is added
 */
const numbersOf = (contours: Contour[], frame: Frame, points: [number, number][], busy: Area[]) =>
  contours.flatMap(({ level, line }) => {
    const at = numberPlace(line, frame, points, busy);
    if (!at) return [];
    busy.push({ left: at[0] - 30, top: at[1] - 15, width: 60, height: 30 });
    return [html`<span class="fall-number" style=${placed(at[0], at[1])}>${tick(level)}</span>`];
  });

function pathsOf({ run, track, later }: DrawnRun) {
  const line = lineOf(track);
  const latest = latestOf(track);
  return svg`<g data-lane=${run.lane} data-run=${run.name}>
    ${later ? svg`<path class="later" d=${lineOf(later)}></path>` : nothing}
    <path class="casing" d=${line}></path><path class="way" d=${line}></path>
    ${latest.map(
      (d, k) =>
        svg`<path class="latest" stroke-width=${STROKES[k]} opacity=${0.5 + 0.25 * k} d=${d}></path>`,
    )}<path class="dots" d=${dotsOf(track, DOT)}></path></g>`;
}

function markOf(run: Run, track: Track) {
  const { x, y } = endOf(track);
  const shape = run.status === "diverged" ? "x" : run.lane;
  return svg`<path class="mark" data-lane=${run.lane} data-run=${run.name} d=${symbol(shape, MARK, x, y)}></path>`;
}
