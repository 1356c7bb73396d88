/**
 * The look of a class in maps: the shape of its samples, and its shade as a colour scale of Plotly.
 * Owns: those shapes and colours. Twin of `decision` in backend figures/planes.py. Pure.
 */

import { symbol } from "./paths.ts";
import { surface } from "./figure-style.ts";
import type { Look } from "./figure-style.ts";

/** Neighbours differ most. One fewer than colours: both together distinguish 30 classes. */
const SHAPES = ["a", "d", "b", "c", "x"];
/** Factors that make shapes look equal in size. */
const SIZES: Record<string, number> = { a: 1, b: 0.9, c: 0.84, d: 1.08 };

/** @param place of a class */
export function classShape(place: number, size: number, left: number, top: number) {
  const shape = SHAPES[place % SHAPES.length];
  // a triangle's visual centre lies below its circle's
  return symbol(shape, size * (SIZES[shape] ?? 1), left, shape === "d" ? top + size * 0.09 : top);
}

/** Shapes are filled and hollow in turn. */
export const isFilled = (place: number) => place % 2 === 0;

/** Share of a class's colour in its shade, the rest is paper: colours of several classes are strong. */
const PALE = 0.42;

/** A class's shade, as numbers 0..255. */
export const shadeOf = (colour: number[], paper: number[]) =>
  colour.map((part, k) => Math.round(paper[k] + PALE * (part - paper[k])));

const bytesOf = (colour: string) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

function pale(colour: string, paper: string) {
  const shade = shadeOf(bytesOf(colour), bytesOf(paper));
  return `#${shade.map((part) => part.toString(16).padStart(2, "0")).join("")}`.toUpperCase();
}

/** Two classes from side to side over paper, of more a band each. */
export function classScale(look: Look, count: number): [number, string][] {
  const paper = surface(look, "paper");
  const { sides, classes } = look.spec.fallline;
  if (count === 2) {
    const [first, second] = sides[look.theme];
    return [
      [0, first],
      [0.5, paper],
      [1, second],
    ];
  }
  const colours: string[] = classes[look.theme];
  return Array.from({ length: count }, (_, k) => pale(colours[k % colours.length], paper)).flatMap(
    (shade, k): [number, string][] => [
      [k / count, shade],
      [(k + 1) / count, shade],
    ],
  );
}
