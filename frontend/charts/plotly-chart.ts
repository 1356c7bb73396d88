/**
 * <plotly-chart kind="loss|gradients|scatter">: a chart, drawn by Plotly, the canvas and the page.
 * Owns: when to draw, the person's zoom, and the element's data attributes (data-points,
 * data-last-step, ...). The kinds' modules build the data. core/types.ts documents its use.
 *
 * While runs play, Plotly draws four times a second, one plot a frame, and the canvas shows newer
 * steps. Else Plotly draws everything.
 */

import { rangesToRefine } from "./finer-ranges.ts";
import { createCursorLayer } from "./cursor-layer.ts";
import { KINDS } from "./kinds.ts";
import { createDrawScheduler } from "./draw-scheduler.ts";
import { createLiveCanvas, paintLine } from "./live-canvas.ts";
import { createLineGlides, createTails, tailOf } from "./live-lines.ts";
import { createLiveValues } from "./live-values.ts";
import { pictureOf } from "./picture.ts";
import { createPlot } from "./plot.ts";
import { loadPlotly, loadTemplate, loadTypeface } from "./resources.ts";
import { zoomedRange, zoomedTo } from "./horizontal.ts";
import { axisOf } from "./scene.ts";
import { furthest } from "../core/selectors.ts";
import { stateOnView, stepOnView } from "../core/state-on-view.ts";
import type { App, Json, State } from "../core/types.ts";
import type { DrawScheduler } from "./draw-scheduler.ts";
import type { LiveCanvas } from "./live-canvas.ts";
import type { LiveLine } from "./live-lines.ts";
import type { Plot, PlotFigure } from "./plot.ts";
import type { Scene } from "./scene.ts";

/**
 * Least time between draws, in ms: with reduced motion, and while the canvas draws the newest
 * steps.
 */
const CALM = 250;
const LIVE = 250;
const AGAIN = 3_000;
const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");
/** A label that the pointer rests on. */
const HELD = ".chart-label.zero:hover";
const NONE_BEFORE: Scene["previous"] = { y: null, corner: null };

const token = (name: string, otherwise: number) =>
  parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name)) || otherwise;

/** Resolves when the controls work: a script of this size must not load before them. */
function usable(store: App["store"]): Promise<void> {
  const isOpen = () => store.get().connection.status !== "connecting";
  return new Promise((go) => {
    if (isOpen()) return go();
    const stop = store.watch(
      ({ connection }) => connection.status,
      () => isOpen() && (stop(), go()),
    );
  });
}

export function registerPlotlyChart(app: App) {
  const scheduler = createDrawScheduler({
    requestFrame: (run) => requestAnimationFrame(run),
    later: (run, ms) => setTimeout(run, ms),
    now: () => performance.now(),
    hidden: () => document.hidden,
    slowed: (isSlow) => app.store.dispatch({ type: "slowed", isSlow }),
  });
  const canvas = createLiveCanvas(document.querySelector("canvas.live-lines") as HTMLCanvasElement);
  document.addEventListener("visibilitychange", () => document.hidden || scheduler.wake());
  customElements.define(
    "plotly-chart",
    class extends PlotlyChart {
      override get app() {
        return app;
      }
      override get scheduler() {
        return scheduler;
      }
      override get canvas() {
        return canvas;
      }
    },
  );
}

export abstract class PlotlyChart extends HTMLElement {
  abstract get app(): App;
  abstract get scheduler(): DrawScheduler;
  abstract get canvas(): LiveCanvas;

  #plots: Plot[] = [];
  /** Plots of the present moment that are not drawn yet. */
  #rest: (() => void)[] = [];
  /** The lines that the canvas continues, by plot. */
  #live: LiveLine[][] = [];
  #isFull = false; // a line has reached the end of the axis
  #before = 0; // px from the furthest marker to the end of the axis
  #margin = 0; // right of the plot, in px
  #isPrinted = false;
  #labels = Object.assign(document.createElement("div"), { className: "chart-labels" });
  /** The labels beside the plot, which follow the furthest marker. */
  #ends = Object.assign(document.createElement("div"), { className: "chart-ends" });
  #values = createLiveValues();
  #tails = createTails();
  #glides = createLineGlides();
  #plotly: any = null;
  #spec: Json | null = null;
  #zoomY: Scene["zoom"]["y"] = null;
  #previous: Scene["previous"] = NONE_BEFORE;
  #previousFor = "";
  #across = "linear";
  #compact = false;
  #room: Scene["room"] = { width: 0, height: 0, left: 0, right: 0 };
  #draws = 0;
  #cursor: ReturnType<typeof createCursorLayer> | null = null;
  #stops: (() => void)[] = [];

  get #kind() {
    return KINDS[this.getAttribute("kind") ?? "loss"];
  }

  connectedCallback() {
    this.dataset.state ??= "waiting";
    this.setAttribute("role", "img");
    this.#labels.onclick = ({ target }) => this.#follow(target as Element);
    this.#labels.setAttribute("aria-hidden", "true");
    const { canvas } = this;
    this.#cursor = this.#kind.isRead
      ? createCursorLayer(this, this.getAttribute("kind") ?? "", canvas.request)
      : null;
    this.#compose();
    const turn = this.scheduler.join(
      () => this.#draw(),
      () => this.#interval,
      this.#kind.isFirst,
    );
    const now = () => turn.request(true);
    // what was built for another room, or another experiment, is not drawn any more
    const anew = () => void (this.#rest = []);
    const sizes = new ResizeObserver(() => (this.#measure(), anew(), now()));
    sizes.observe(this);
    const theme = new MutationObserver(now);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const fit = () => this.#fit(now);
    this.addEventListener("fit", fit);
    const { store } = this.app;
    this.#stops = [
      turn.leave,
      () => this.#cursor?.stop(),
      () => sizes.disconnect(),
      () => theme.disconnect(),
      () => this.removeEventListener("fit", fit),
      this.#kind.isRead
        ? canvas.join({ host: this, paint: (context) => this.#paint(context) })
        : () => {},
      store.watch(
        (state) => state.frames,
        () => {
          if (this.#live.some(({ length }) => length)) canvas.request();
          if (this.#isFull) turn.request();
        },
      ),
      store.watch(this.#kind.follows, (_, { playback }) => turn.request(!playback.playing)),
      store.watch(
        (state) => [state.beat, state.looking, stepOnView(state)],
        (_, state) => this.#kind.isRead && this.#showStep(state),
      ),
      store.watch((state) => state.experiment?.id, anew),
      store.watch((state) => [state.view, state.experiment?.id, state.pending], now),
      store.watch(
        ({ order, runs }) => order.flatMap((name) => [runs[name].status, runs[name].hidden]),
        now,
      ),
      store.watch(
        ({ view, experiment, order, runs }) => [
          view.x,
          experiment?.id,
          Math.min(...order.map((name) => runs[name].generation)),
        ],
        () => this.#turned(),
      ),
      store.watch(
        (state) => state.view.y,
        () => (this.#zoomY = null),
      ),
    ];
    void usable(store).then(() => this.#load(now));
  }

  disconnectedCallback() {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    for (const plot of this.#plots) plot.purge();
    this.#plots = [];
    this.#rest = [];
    this.#live = [];
    this.#draws = 0;
  }

  #compose() {
    this.replaceChildren(
      ...this.#plots.flatMap(({ ground, curves, marks }) => [ground, curves, marks]),
      this.#labels,
      ...(this.#cursor?.elements ?? []),
    );
  }

  /** The canvas shows the newest steps: not with reduced motion, a zoom, or the past on view. */
  get #isLive() {
    const { playback, looking, view } = this.app.store.get();
    return (
      this.#kind.isRead &&
      !REDUCED.matches &&
      !this.#isPrinted &&
      playback.playing &&
      !looking &&
      !view.zoom
    );
  }

  /** ms between two draws. */
  get #interval() {
    const { every, isFirst } = this.#kind;
    if (isFirst) return every; // the beat is calm enough
    if (REDUCED.matches) return Math.max(CALM, every);
    return this.#isLive && !this.#isFull ? Math.max(LIVE, every) : every;
  }

  async #load(ready: () => void) {
    try {
      [this.#plotly, this.#spec] = await Promise.all([
        loadPlotly(),
        loadTemplate(),
        loadTypeface(),
      ]);
      ready();
    } catch {
      this.dataset.state = "failed";
      setTimeout(() => this.isConnected && this.#load(ready), AGAIN);
    }
  }

  /**
   * The present chart as one SVG with labels, marks and the words around it.
   * @param isOne one of several in a row
   */
  async picture(around: Element[], isOne: boolean): Promise<SVGSVGElement> {
    this.#drawAll(false);
    const plotted = Promise.all(this.#plots.map((plot) => plot.picture()));
    const finish = pictureOf({
      chart: this,
      title: this.getAttribute("aria-label") ?? "",
      layers: [
        ...this.#plots.map(({ ground }) => ground),
        null,
        ...this.#plots.map(({ marks }) => marks),
        this.#labels,
      ],
      around,
      isOne,
    });
    return finish(await plotted);
  }

  /** Draws for paper at once, in the room it has there; afterwards for the screen again. */
  print(isPrinted: boolean) {
    this.#isPrinted = isPrinted;
    this.#measure();
    if (isPrinted) this.#drawAll(false);
  }

  /** Forgets the vertical zoom when the axis changes or a run restarts. */
  #turned() {
    this.#zoomY = null;
    this.#cursor?.leave();
  }

  #fit(redraw: () => void) {
    this.app.setView({ zoom: null });
    this.#zoomY = null;
    this.#previous = NONE_BEFORE;
    redraw();
  }

  /** Measures on resize only: measuring in a draw would force a layout. */
  #measure() {
    this.#compact = !this.#isPrinted && matchMedia("(max-width: 720px)").matches;
    const [left, right] = [token("--plot-l", 44), token("--plot-r", 112)];
    const letter = token("--letter", 1);
    this.#room = { width: this.clientWidth, height: this.clientHeight, left, right, letter };
  }

  #scene(isLive: boolean): Scene {
    const { store, series } = this.app;
    const state = store.get();
    const theme = document.documentElement.dataset.theme === "dark" ? "dark" : "light";
    const scene: Scene = {
      state,
      series,
      look: { spec: this.#spec as Json, theme, compact: this.#compact },
      room: this.#room,
      zoom: { x: null, y: this.#zoomY },
      previous: { ...this.#previousOf(state), isHeld: this.querySelector(HELD) !== null },
      isLive,
    };
    const zoom = this.#kind.isRead ? state.view.zoom : null;
    return zoom
      ? { ...scene, zoom: { x: zoomedRange(zoom, axisOf(scene)), y: this.#zoomY } }
      : scene;
  }

  /**
   * The vertical range only grows, until the experiment, the axis or a reset of all runs starts it
   * again.
   */
  #previousOf({ experiment, order, runs, view }: State) {
    const key = [
      experiment?.id,
      view.y,
      Math.min(...order.map((name) => runs[name].generation)),
    ].join(" ");
    if (key !== this.#previousFor) this.#previous = NONE_BEFORE;
    this.#previousFor = key;
    return this.#previous;
  }

  /**
   * Draws the next plot. True if others of the same moment follow: one plot a frame. While runs
   * play, the moment is built in a frame of its own: both together block keys for too long.
   */
  #draw(isLive = this.#isLive): boolean {
    if (this.#rest.length) this.#rest.shift()?.();
    else {
      this.#begin(isLive);
      if (!isLive) this.#rest.shift()?.();
    }
    return this.#rest.length > 0;
  }

  /** @param isLive whether the canvas goes on from there */
  #drawAll(isLive = this.#isLive) {
    this.#rest = [];
    while (this.#draw(isLive));
  }

  /** Builds the present moment; its plots are drawn one after the other. */
  #begin(isLive: boolean) {
    const { figure: name, build } = this.#kind;
    const scene =
      this.#room.width > 60 && this.#room.height > 40 && this.#spec && this.#plotly
        ? this.#scene(isLive)
        : null;
    const figure = name ? scene?.state.figures[name] : true;
    // the present figure belongs to the experiment before
    if (scene?.state.experiment && !figure) this.dataset.state = "waiting";
    if (!scene || !figure || !scene.state.experiment) {
      this.#live = [];
      return this.canvas.request();
    }
    const built = build(figure, scene);
    const { y, corner, sides, reached } = built;
    const plots: PlotFigure[] = built.plots ?? [built];
    const { xaxis } = plots[0].layout;
    this.#across = xaxis.type;
    if (this.#kind.isRead) this.app.lookCloser(rangesToRefine(scene));
    this.#previous = {
      y: scene.zoom.x || scene.zoom.y ? this.#previous.y : y,
      corner,
      sides,
      reached,
    };
    this.#keep(plots.length);
    const whole = { left: 0, top: 0, width: scene.room.width, height: scene.room.height };
    this.#rest = plots.map((plot, k) => () => {
      this.#plots[k].draw(plot, whole);
      this.#live[k] = plot.live ?? [];
      if (k === plots.length - 1) this.#finish(built, plots, scene);
      if (this.#kind.isRead) this.canvas.paint();
    });
  }

  #keep(count: number) {
    if (this.#plots.length === count) return;
    for (const plot of this.#plots.splice(count)) plot.purge();
    this.#live.splice(count);
    const fit = () => this.dispatchEvent(new CustomEvent("fit"));
    // keeps the person's zoom here, because ranges that follow the data undo Plotly's own
    while (this.#plots.length < count)
      this.#plots.push(createPlot(this.#plotly, (change) => this.#zoomed(change), fit));
    this.#compose();
  }

  /** @param built the chart, now drawn */
  #finish({ labels, readable }: Json, plots: PlotFigure[], scene: Scene) {
    this.#draws++;
    this.#place(labels, plots[0].layout, scene);
    this.#cursor?.follow(readable, scene);
    this.#report(
      plots.flatMap(({ data }) => data),
      scene.state,
    );
  }

  #paint(context: CanvasRenderingContext2D) {
    const { store, series } = this.app;
    const [now, state] = [performance.now(), store.get()];
    this.#isFull = false;
    let before = Infinity;
    let isThere = true;
    for (const line of this.#live.flat()) {
      const { left, width } = line.frame;
      const all = this.#tails.of(line, state.frames, () =>
        tailOf(line, series.of(line.run), state),
      );
      this.#isFull ||= (all.at(-1)?.[0] ?? left) > left + width;
      const points = this.#glides.shown(line, all, now);
      isThere &&= points === all;
      paintLine(context, line, points);
      const tip = points.at(-1)?.[0] ?? left;
      if (line.mark) before = Math.min(before, Math.max(0, left + width - tip));
    }
    this.#moveEnds(Number.isFinite(before) ? before : 0);
    this.#showStep(state);
    this.#cursor?.paint(context);
    if (!isThere) this.canvas.request();
  }

  /**
   * The labels at the ends of lines follow the furthest marker, as one layer: no label is painted anew.
   * @param before px from it to the end of the axis
   */
  #moveEnds(before: number) {
    if (Math.round(before) === this.#before) return;
    this.#before = Math.round(before);
    this.#ends.style.translate = `${-this.#before}px`;
  }

  /** In words, what the chart shows at the step on view. */
  #describe(present: State) {
    const summary = this.#kind.summary(stateOnView(present));
    if (this.getAttribute("aria-label") !== summary) this.setAttribute("aria-label", summary);
  }

  /** Labels change at the beat, before Plotly draws it. */
  #showStep(present: State) {
    this.#values.update(stateOnView(present));
    const step = String(stepOnView(present));
    if (!this.#draws) return;
    if (this.dataset.step !== step) this.dataset.step = step;
    this.#describe(present);
  }

  #zoomed(change: Json) {
    const [x, y] = [zoomedTo(change, "x"), zoomedTo(change, "y")];
    if (!x && !y) return;
    this.#zoomY = y ?? this.#zoomY;
    if (x)
      this.app.setView({
        zoom: this.#across === "log" ? [10 ** x[0], 10 ** x[1]] : x,
      });
    this.#drawAll();
  }

  /** A mark leads to its step. The timeline has the same marks for the keyboard. */
  #follow(target: Element) {
    const step = target.closest<HTMLElement>("[data-step]")?.dataset.step;
    if (step) this.app.lookAt(Number(step));
  }

  #place(labels: Json, { margin, xaxis, yaxis }: Json, { room, look }: Scene) {
    const frame = {
      left: margin.l,
      top: margin.t,
      width: room.width - margin.l - margin.r,
      height: room.height - margin.t - margin.b,
      beyond: margin.r,
      letter: room.letter ?? 1,
      x: xaxis,
      y: yaxis,
    };
    if (this.#kind.figure === "loss") this.#publishMargin(margin.r);
    this.#values.clear();
    const { follow } = this.#values;
    const all = this.#kind.labels(labels, frame, look.compact, follow);
    const isBeside = (label: Element) => label.matches(".end:not(.early)");
    this.#ends.replaceChildren(...all.filter(isBeside));
    this.#labels.replaceChildren(...all.filter((label) => !isBeside(label)), this.#ends);
  }

  /** Below it the timeline ends where the plot ends, also where names need a wider margin. */
  #publishMargin(right: number) {
    if (right === this.#margin) return;
    this.#margin = right;
    document.documentElement.style.setProperty("--loss-r", `${right}px`);
  }

  #report(data: Json[], state: State) {
    const points = data.reduce((most, { x, meta }) => Math.max(most, meta?.points ?? x.length), 0);
    Object.assign(this.dataset, {
      state: "drawn",
      points,
      traces: data.length,
      draws: this.#draws,
      lastStep: furthest(state),
      step: this.#kind.stepOf(state),
    });
    this.#describe(state);
    this.dispatchEvent(new CustomEvent("drawn", { bubbles: true, detail: state }));
  }
}
