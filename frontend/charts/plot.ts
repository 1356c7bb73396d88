/**
 * One plot of a chart: the ground, Plotly's curves on it, and marks above.
 * Owns: its elements, and every call of Plotly. No other module calls it.
 */

import { createDrawingLayer } from "./drawing-layer.ts";
import type { Json } from "../core/types.ts";
import type { Word } from "./axes.ts";
import type { Area } from "./labels.ts";
import type { LiveLine } from "./live-lines.ts";
import type { Path } from "./paths.ts";

export interface PlotFigure {
  data: Json[];
  layout: Json;
  box?: Area; // without one, the whole chart
  ground: Path[];
  words: Word[];
  marks: Path[];
  live?: LiveLine[];
  isForHover?: boolean; // Plotly draws nothing of it and answers the pointer only
}

const CONFIG = {
  displayModeBar: false,
  responsive: false,
  doubleClick: false,
  scrollZoom: false,
  showTips: false,
};

/**
 * @param zoomed called with Plotly's change of ranges
 * @param fit called on a double click
 */
export function createPlot(plotly: any, zoomed: (change: Json) => void, fit: () => void) {
  const ground = createDrawingLayer("chart-ground");
  const marks = createDrawingLayer("chart-marks");
  const curves: any = Object.assign(document.createElement("div"), { className: "chart-plot" });
  curves.setAttribute("aria-hidden", "true");
  let draws = 0;
  let box: Area = { left: 0, top: 0, width: 0, height: 0 };
  /** The pointer is over the plot. */
  let isOver = false;
  /** A draw of Plotly that waits for the pointer. */
  let waiting: (() => void) | null = null;
  curves.addEventListener("pointerenter", () => {
    isOver = true;
    waiting?.();
  });
  curves.addEventListener("pointerleave", () => (isOver = false));
  // a finger scrolls the page: Plotly would hold it, and move the curves out of the picture
  curves.addEventListener("touchstart", (event: Event) => event.stopPropagation(), {
    capture: true,
    passive: true,
  });

  function react(data: Json[], layout: Json) {
    waiting = null;
    // passed once: Plotly would compare a configuration in every draw
    const config = draws ? undefined : CONFIG;
    const fixed = { datarevision: ++draws, uirevision: "plotly-chart" };
    plotly.react(curves, data, { ...layout, ...fixed }, config);
    if (draws > 1) return;
    curves.on("plotly_relayout", zoomed);
    curves.on("plotly_doubleclick", fit);
  }

  return {
    ground: ground.element,
    curves: curves as HTMLElement,
    marks: marks.element,
    /** @param whole the chart's own box */
    draw(figure: PlotFigure, whole: Area) {
      const { data, ground: below, words, marks: above, box: own, isForHover } = figure;
      box = own ?? whole;
      const { width, height } = box;
      Object.assign(curves.style, {
        left: `${box.left}px`,
        top: `${box.top}px`,
        width: `${width}px`,
        height: `${height}px`,
      });
      const layout = { ...figure.layout, width, height };
      if (isForHover && draws && !isOver) waiting = () => react(data, layout);
      else react(data, layout);
      ground.show(below, words);
      marks.show(above);
    },
    /** The curves as SVG, at their place in the chart. */
    async picture() {
      waiting?.();
      const { left, top, width, height } = box;
      const address: string = await plotly.toImage(curves, { format: "svg", width, height });
      const text = decodeURIComponent(address.replace(/^data:image\/svg\+xml,/, ""));
      const { documentElement } = new DOMParser().parseFromString(text, "image/svg+xml");
      return { left, top, element: document.importNode(documentElement, true) };
    },
    purge: () => draws && plotly.purge(curves),
  };
}

export type Plot = ReturnType<typeof createPlot>;
