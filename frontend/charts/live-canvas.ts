/**
 * The one canvas over the plots, for what moves at the screen's rate: the newest stretch of each
 * line, its marker, and the cursor's line.
 * Owns: its size, the places of charts on it, and one paint a frame. live-lines.ts has the points.
 */

import { markAt } from "./live-lines.ts";
import { magnification } from "./screen.ts";
import { symbol } from "./paths.ts";
import type { LiveLine } from "./live-lines.ts";

/** A chart on the canvas; it paints in its own px. */
interface Part {
  host: HTMLElement;
  paint: (context: CanvasRenderingContext2D) => void;
}

export function createLiveCanvas(canvas: HTMLCanvasElement) {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  /** Each chart's corner on the canvas; null while it has no size. */
  const parts: Map<Part, { left: number; top: number } | null> = new Map();
  let density = 1;
  let isPlanned = false;
  const stage = canvas.parentElement as HTMLElement;
  const sizes = new ResizeObserver(measure);
  sizes.observe(stage);

  /**
   * Measures on resize only: measuring in a paint would force a layout. The canvas is as high as the
   * charts: the browser copies all of it in each frame.
   */
  function measure() {
    const scale = magnification(stage);
    density = window.devicePixelRatio * scale;
    const ground = stage.getBoundingClientRect();
    const boxes = [...parts.keys()]
      .map((part) => ({ part, box: part.host.getBoundingClientRect() }))
      .filter(({ box }) => box.width);
    const over = Math.floor((Math.min(...boxes.map(({ box }) => box.top)) - ground.top) / scale);
    // a part of a pixel below the charts would make the stage scroll
    const under = Math.floor(
      (Math.max(...boxes.map(({ box }) => box.bottom)) - ground.top) / scale,
    );
    const [top, height] = boxes.length ? [over, under - over] : [0, 0];
    Object.assign(canvas.style, { top: `${top}px`, height: `${height}px` });
    canvas.width = Math.round(stage.clientWidth * density);
    canvas.height = Math.round(height * density);
    for (const part of parts.keys()) parts.set(part, null);
    for (const { part, box } of boxes)
      parts.set(part, {
        left: (box.left - ground.left) / scale,
        top: (box.top - ground.top) / scale - top,
      });
    paint();
  }

  function paint() {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (const [part, at] of parts) {
      if (!at) continue;
      context.setTransform(density, 0, 0, density, density * at.left, density * at.top);
      part.paint(context);
    }
  }

  return {
    /** Paints at once, as with a draw of Plotly: both show the same moment. */
    paint,
    /** Paints in the next frame; several requests give one paint. */
    request() {
      if (isPlanned) return;
      isPlanned = true;
      requestAnimationFrame(() => ((isPlanned = false), paint()));
    },
    join(part: Part): () => void {
      parts.set(part, null);
      sizes.observe(part.host);
      return () => {
        parts.delete(part);
        sizes.unobserve(part.host);
        paint();
      };
    },
  };
}

export type LiveCanvas = ReturnType<typeof createLiveCanvas>;

/** @param points px */
export function paintLine(
  context: CanvasRenderingContext2D,
  line: LiveLine,
  points: [number, number][],
) {
  const { frame, stroke, mark } = line;
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.width, frame.height);
  context.clip();
  context.beginPath();
  for (const [left, top] of points) context.lineTo(left, top);
  Object.assign(context, { strokeStyle: stroke.color, lineWidth: stroke.width, lineJoin: "round" });
  context.setLineDash(stroke.dash);
  context.stroke();
  context.restore();
  const place = markAt(line, points);
  if (!mark || !place) return;
  const path = pathOf(mark.shape, mark.size);
  Object.assign(context, { strokeStyle: mark.edge, lineWidth: mark.width, fillStyle: mark.fill });
  context.translate(...place);
  context.stroke(path);
  context.fill(path);
  context.translate(-place[0], -place[1]);
}

/** A marker around 0; parsing its text again in each paint would cost more than its drawing. */
function pathOf(shape: string, size: number) {
  const key = `${shape} ${size}`;
  const path = paths.get(key) ?? new Path2D(symbol(shape, size, 0, 0));
  paths.set(key, path);
  return path;
}
const paths: Map<string, Path2D> = new Map();
