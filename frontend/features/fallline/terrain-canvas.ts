/**
 * A terrain on a canvas, with its contours.
 * Owns: reading the style sheet's colours, and the canvas.
 */

import { contoursOf, finer, levelsOf, pixelsOf, rangeOf } from "../../charts/terrain.ts";
import { colourOf, magnification } from "../../charts/screen.ts";
import type { Frame } from "./fall-geometry.ts";
import type { Area } from "../../charts/labels.ts";
import type { Heights } from "../../charts/terrain.ts";
import type { Terrain } from "../../core/fall-line.ts";

/** a contour of a power of ten, as pieces (x, y, x, y) in px */
export interface Contour {
  level: number;
  line: number[];
}

/** px of the picture for each of the image, which is stretched; and for each cell of contours */
const COARSER = 1.6;
const CELL = 4;
/** Most pixels across: more would take longer than a frame. */
const WIDEST = 640;
const SHARPEST = 2;

/** Draws the terrain where its region lies in the frame; returns the contours of powers of ten. */
export function drawTerrain(canvas: HTMLCanvasElement, terrain: Terrain, frame: Frame): Contour[] {
  const context = canvas.getContext("2d");
  if (!context) return [];
  const scale = Math.min(SHARPEST, (devicePixelRatio || 1) * magnification(canvas));
  canvas.width = Math.round(frame.width * scale);
  canvas.height = Math.round(frame.height * scale);
  context.scale(scale, scale);
  const [west, east, south, north] = terrain.region;
  const [left, top] = [frame.x(west), frame.y(north)];
  const [width, height] = [frame.x(east) - left, frame.y(south) - top];
  const heights = finer(terrain, Math.round(width / CELL), Math.round(height / CELL));
  const style = getComputedStyle(canvas);
  const image = imageOf(heights, width, height, style);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, left, top, width, height);
  return drawContours(context, heights, { left, top, width, height }, style);
}

function imageOf(heights: Heights, width: number, height: number, style: CSSStyleDeclaration) {
  const shrunk = Math.min(1 / COARSER, WIDEST / width);
  const size = {
    width: Math.max(2, Math.round(width * shrunk)),
    height: Math.max(2, Math.round(height * shrunk)),
  };
  const pixels = pixelsOf(heights, size, {
    low: colourOf(style, "--terrain-lo"),
    high: colourOf(style, "--terrain-hi"),
    sun: Number(style.getPropertyValue("--terrain-sun")),
  });
  const image = document.createElement("canvas");
  image.width = size.width;
  image.height = size.height;
  image.getContext("2d")?.putImageData(new ImageData(pixels, size.width), 0, 0);
  return image;
}

function drawContours(
  context: CanvasRenderingContext2D,
  heights: Heights,
  place: Area,
  style: CSSStyleDeclaration,
): Contour[] {
  const tens: Contour[] = [];
  const [across, up] = [place.width / (heights.columns - 1), place.height / (heights.rows - 1)];
  const levels = levelsOf(rangeOf(heights));
  const contours = contoursOf(
    heights,
    levels.map(({ level }) => level),
  );
  for (const [number, { level, isTen }] of levels.entries()) {
    const line = contours[number].map((value, part) =>
      part % 2 ? place.top + place.height - value * up : place.left + value * across,
    );
    context.strokeStyle = style.getPropertyValue(isTen ? "--contour-10" : "--contour");
    context.lineWidth = isTen ? 1.3 : 0.8;
    context.beginPath();
    for (let k = 0; k < line.length; k += 4) {
      context.moveTo(line[k], line[k + 1]);
      context.lineTo(line[k + 2], line[k + 3]);
    }
    context.stroke();
    if (isTen && line.length) tens.push({ level, line });
  }
  return tens;
}
