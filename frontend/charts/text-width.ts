/**
 * Widths of names and values as the browser sets them.
 * Owns: the canvas that measures them.
 */

import { boldWidth } from "./letter-widths.ts";

let measuring: CanvasRenderingContext2D | null = null;
/** Read once: reading it again would compute the styles of the page. */
let family = "";

/** Width of a name at this size, in px. Names are bold. */
export function widthOf(name: string, size: number, weight = 600) {
  measuring ??= document.createElement("canvas").getContext("2d");
  if (!measuring) return boldWidth(name);
  family ||= getComputedStyle(document.body).fontFamily;
  measuring.font = `${weight} ${size}px ${family}`;
  return measuring.measureText(name).width;
}
