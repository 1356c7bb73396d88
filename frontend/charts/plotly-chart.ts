/**
 * <plotly-chart kind="loss|gradients|scatter">: the only module that touches Plotly.
 * Owns: when to draw, the person's zoom, and the element's data attributes (data-points,
 * data-last-step, ...). The
 * kinds' modules build the data. core/types.ts documents its use.
 */

import { rangesToRefine } from "./finer-ranges.ts";
import { createCursorLayer } from "./cursor-layer.ts";
import { createDrawingLayer } from "./drawing-layer.ts";
import { KINDS } from "./kinds.ts";
import { createDrawScheduler } from "./draw-scheduler.ts";
import { pictureOf } from "./picture.ts";
import { loadPlotly, loadTemplate, loadTypeface } from "./resources.ts";
import { createZoomRange, zoomedTo } from "./zoom-range.ts";
import { furthest } from "../core/selectors.ts";
import type { App, Json, State } from "../core/types.ts";
import type { DrawScheduler } from "./draw-scheduler.ts";
import type { Scene } from "./scene.ts";

const CONFIG = {
  displayModeBar: false,
  responsive: false,
  doubleClick: false,
  scrollZoom: false,
  showTips: false,
};
const CALM = 250;
const AGAIN = 3_000;
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
  const stretch = createZoomRange();
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
      override get stretch() {
        return stretch;
      }
    },
  );
}

export class PlotlyChart extends HTMLElement {
  get app(): App {
    throw new Error("not registered");
  }
  get scheduler(): DrawScheduler {
    throw new Error("not registered");
  }
  get stretch(): ReturnType<typeof createZoomRange> {
    throw new Error("not registered");
  }

  #plot = Object.assign(document.createElement("div"), { className: "chart-plot" });
  #ground = createDrawingLayer("chart-ground");
  #marks = createDrawingLayer("chart-marks");
  #labels = Object.assign(document.createElement("div"), { className: "chart-labels" });
  #plotly: any = null;
  #spec: Json | null = null;
  #zoomY: Scene["zoom"]["y"] = null;
  #previous: Scene["previous"] = NONE_BEFORE;
  #previousFor = "";
  #across = "linear";
  #compact = false;
  #room: Scene["room"] = { width: 0, height: 0, left: 0, right: 0 };
  #draws = 0;
  #listening = false;
  #cursor: ReturnType<typeof createCursorLayer> | null = null;
  #stops: (() => void)[] = [];

  get #kind() {
    return KINDS[this.getAttribute("kind") ?? "loss"];
  }

  connectedCallback() {
    this.dataset.state ??= "waiting";
    this.setAttribute("role", "img");
    for (const part of [this.#plot, this.#labels]) part.setAttribute("aria-hidden", "true");
    this.#cursor = this.#kind.isRead
      ? createCursorLayer(this, this.getAttribute("kind") ?? "")
      : null;
    this.replaceChildren(
      this.#ground.element,
      this.#plot,
      this.#marks.element,
      this.#labels,
      ...(this.#cursor?.elements ?? []),
    );
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const turn = this.scheduler.join(
      () => this.#draw(),
      calm ? Math.max(CALM, this.#kind.every) : this.#kind.every,
    );
    const now = () => turn.request(true);
    const sizes = new ResizeObserver(() => (this.#measure(), now()));
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
      store.watch(this.#kind.follows, () => turn.request()),
      store.watch((state) => [state.view, state.experiment?.id, state.pending], now),
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
      this.#kind.isRead ? this.stretch.watch(now) : () => {},
    ];
    void usable(store).then(() => this.#load(now));
  }

  disconnectedCallback() {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    if (this.#draws) this.#plotly?.purge(this.#plot);
    this.#draws = 0;
    this.#listening = false;
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
    const { width, height } = this.#room;
    const plotted = this.#plotly.toImage(this.#plot, { format: "svg", width, height });
    const finish = pictureOf({
      chart: this,
      title: this.getAttribute("aria-label") ?? "",
      layers: [this.#ground.element, null, this.#marks.element, this.#labels],
      around,
      isOne,
    });
    const text = decodeURIComponent((await plotted).replace(/^data:image\/svg\+xml,/, ""));
    return finish(
      document.importNode(
        new DOMParser().parseFromString(text, "image/svg+xml").documentElement,
        true,
      ),
    );
  }

  /** Forgets the zoom when the axis changes or a run restarts. */
  #turned() {
    this.stretch.choose(null);
    this.#zoomY = null;
    this.#cursor?.leave();
  }

  #fit(redraw: () => void) {
    this.stretch.choose(null);
    this.#zoomY = null;
    this.#previous = NONE_BEFORE;
    redraw();
  }

  /** Measures on resize only: measuring in a draw would force a layout. */
  #measure() {
    this.#compact = matchMedia("(max-width: 720px)").matches;
    const [left, right] = this.#compact
      ? [38, 48]
      : [token("--plot-l", 46), token("--plot-r", 104)];
    this.#room = { width: this.clientWidth, height: this.clientHeight, left, right };
  }

  #scene(): Scene {
    const { store, series } = this.app;
    const state = store.get();
    const theme = document.documentElement.dataset.theme === "dark" ? "dark" : "light";
    return {
      state,
      series,
      look: { spec: this.#spec as Json, theme, compact: this.#compact },
      room: this.#room,
      zoom: { x: this.#kind.isRead ? (this.stretch.chosen?.range ?? null) : null, y: this.#zoomY },
      previous: this.#previousOf(state),
    };
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

  #draw() {
    const { figure: name, build } = this.#kind;
    const scene =
      this.#room.width > 60 && this.#room.height > 40 && this.#spec && this.#plotly
        ? this.#scene()
        : null;
    const figure = name ? scene?.state.figures[name] : true;
    // the present figure belongs to the experiment before
    if (scene?.state.experiment && !figure) this.dataset.state = "waiting";
    if (!scene || !figure || !scene.state.experiment) return;
    const { data, layout, ground, words, marks, labels, readable, y, corner, sides } = build(
      figure,
      scene,
    );
    // a zoom is dropped when its axis changes between linear and log
    if (scene.zoom.x && this.stretch.chosen?.type !== layout.xaxis.type)
      return this.stretch.choose(null);
    this.#across = layout.xaxis.type;
    if (this.#kind.isRead) this.app.lookCloser(rangesToRefine(scene));
    this.#previous = { y: scene.zoom.y ? this.#previous.y : y, corner, sides };
    const { width, height } = scene.room;
    // passed once: Plotly would compare a configuration in every draw
    const config = this.#draws ? undefined : CONFIG;
    this.#plotly.react(
      this.#plot,
      data,
      { ...layout, width, height, datarevision: ++this.#draws, uirevision: this.localName },
      config,
    );
    this.#listen();
    this.#ground.show(ground, words);
    this.#marks.show(marks);
    this.#place(labels, layout, scene);
    this.#cursor?.follow(readable, scene);
    this.#report(data, scene.state);
  }

  /** Keeps the person's zoom here, because ranges that follow the data undo Plotly's own. */
  #listen() {
    if (this.#listening) return;
    this.#listening = true;
    const plot = this.#plot as any;
    plot.on("plotly_relayout", (change: Json) => this.#zoomed(change));
    plot.on("plotly_doubleclick", () => this.dispatchEvent(new CustomEvent("fit")));
  }

  #zoomed(change: Json) {
    const [x, y] = [zoomedTo(change, "x"), zoomedTo(change, "y")];
    if (!x && !y) return;
    this.#zoomY = y ?? this.#zoomY;
    if (x) this.stretch.choose({ range: x, type: this.#across });
    this.#draw();
  }

  #place(labels: Json, { margin, xaxis, yaxis }: Json, { room, look }: Scene) {
    const frame = {
      left: margin.l,
      top: margin.t,
      width: room.width - margin.l - margin.r,
      height: room.height - margin.t - margin.b,
      beyond: margin.r,
      x: xaxis,
      y: yaxis,
    };
    this.#labels.replaceChildren(...this.#kind.labels(labels, frame, look.compact));
  }

  #report(data: Json[], state: State) {
    const points = data.reduce((most, { x, meta }) => Math.max(most, meta?.points ?? x.length), 0);
    Object.assign(this.dataset, {
      state: "drawn",
      points,
      traces: data.length,
      draws: this.#draws,
      lastStep: furthest(state),
    });
    const summary = this.#kind.summary(state);
    if (this.getAttribute("aria-label") !== summary) this.setAttribute("aria-label", summary);
  }
}
