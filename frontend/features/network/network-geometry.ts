/**
 * Positions of units and edges in the drawing of a network.
 * Owns: a plane of 292 x 216, or lower where the switch above it has more lines. Pure.
 */

import { boldWidth, tickWidth } from "../../charts/letter-widths.ts";
import { plural } from "../../core/format.ts";
import { MOST_CELLS } from "../../core/run-look.ts";
import * as texts from "../../words/english.ts";

export const WIDTH = 292;
export const HEIGHT = 216;

const FIRST = 22;
/** Place of the first column if names of so many letters stand beside it. */
const firstNamed = (letters: number) => 84 + 6.3 * (letters - LETTERS.beside);
const END = 280;
const LAST = 272;
const TOP = 8;
/** Room for labels below the units. */
const FEET = 34;

/**
 * Height that further lines of the switch above take, by number of runs: the total stays the same.
 */
const LINES = [
  { over: 4, height: 55 },
  { over: 2, height: 30 },
];

/** Height of the drawing below a switch of this many runs. */
export const heightUnder = (runs: number) =>
  HEIGHT - (LINES.find(({ over }) => runs > over)?.height ?? 0);

export interface Column {
  units: number;
  drawn: number; // circles, or groups of units whose edges are drawn together
  isStrip: boolean;
  x: number;
  radius: number; // of a strip half of its width
  half: number; // of a circle its radius, of a group half of its height
  ys: number[]; // middles of the drawn shapes
  cells: { top: number; height: number }[]; // of a strip: one a unit
}

/** px */
const STRIP = { half: 8, mostCells: 64 };
/** With so many hidden layers units are small and have no numbers. */
const MANY_LAYERS = { layers: 6, radius: 8.5 };

/** Distance of two units as a share of the height. */
const pitchOf = (count: number) => (count > 1 ? Math.min(0.8 / 3, 0.92 / (count - 1)) : 0);

const spread = (count: number, tall: number) =>
  Array.from(
    { length: count },
    (_, k) => TOP + tall * (0.5 + pitchOf(count) * (k - (count - 1) / 2)),
  );

function radiusOf(count: number, tall: number, isInput: boolean, isDeep: boolean) {
  const room = count > 1 ? tall * pitchOf(count) * 0.46 : Infinity;
  return Math.min(isDeep ? MANY_LAYERS.radius : isInput ? 9 : 13.5, room);
}

/** A cell for each unit, from the top of the strip to its bottom; of very many only so many. */
function cellsOf(units: number, tall: number) {
  const count = Math.min(units, STRIP.mostCells);
  const height = (0.96 * tall) / count;
  return Array.from({ length: count }, (_, k) => ({ top: TOP + 0.02 * tall + k * height, height }));
}

/** Letters of a line that fit in an input's circle, beside it, and beside it where few columns leave more room. */
const LETTERS = { inside: 3, beside: 11, wide: 18 };
/** Up to this many columns, longer lines have room. */
const FEW_COLUMNS = 4;
/** With more inputs names would touch each other; with more columns there is no room. */
const NAMED = { inputs: 12, columns: 5 };
/** Up to this many inputs, each has room for a name on two lines. */
const TWO_LINES = 6;

/** A name on one line, or on two broken after a word; null where it does not fit. */
function linesOf(name: string, most: number, letters: number): string[] | null {
  if (name.length <= letters) return [name];
  if (most < 2) return null;
  const ends = [...name.matchAll(/[ _=.-]/g)].map(({ index }) => index + 1);
  const fitting = ends.filter((end) => end <= letters + 1 && end < name.length);
  if (!fitting.length) return null;
  // the most even lines
  const end = fitting.reduce((best, each) =>
    Math.abs(2 * each - name.length) < Math.abs(2 * best - name.length) ? each : best,
  );
  const rest = name.slice(end);
  return rest.length > letters ? null : [name.slice(0, end).trimEnd(), rest];
}

/** Names as lines, no longer than the longest needs; null where one does not fit. */
function namesWithin(names: string[], most: number, columns: number) {
  const wide = columns > FEW_COLUMNS ? LETTERS.beside : LETTERS.wide;
  for (let letters = LETTERS.beside; letters <= wide; letters++) {
    const words = names.map((name) => linesOf(name, most, letters));
    if (words.every((lines) => lines !== null)) return { words, letters };
  }
  return null;
}

const areNumbers = (names: string[]) => names.every((name, k) => name === `x${k + 1}`);

const isShort = (names: string[]) => names.every((name) => name.length <= LETTERS.inside);

/**
 * Names of inputs in the drawing, as lines: in the circles if all are short, else beside them;
 * numbers where one has no room, which need a key. With the letters of a line beside the circles, 0
 * without any.
 */
export function inputWords(
  names: string[],
  columns: number,
): { letters: number; words: string[][]; hasKey: boolean } {
  // numbers alone say nothing
  if (areNumbers(names)) return { letters: 0, words: names.map(() => [""]), hasKey: false };
  if (isShort(names)) return { letters: 0, words: names.map((name) => [name]), hasKey: false };
  const hasRoom = names.length <= NAMED.inputs && columns <= NAMED.columns;
  const named = hasRoom && namesWithin(names, names.length > TWO_LINES ? 1 : 2, columns);
  return named
    ? { ...named, hasKey: false }
    : { letters: 0, words: names.map((_, k) => [`x${k + 1}`]), hasKey: true };
}

/**
 * @param sizes units of every layer, inputs first
 * @param letters of the lines beside the inputs
 */
export function columnsOf(sizes: number[], letters = 0, height = HEIGHT): Column[] {
  const tall = height - TOP - FEET;
  const begin = letters ? firstNamed(letters) : FIRST;
  const isDeep = sizes.length - 2 >= MANY_LAYERS.layers;
  return sizes.map((units, place) => {
    const isStrip = units > MOST_CELLS;
    const drawn = Math.min(units, MOST_CELLS);
    const x = Math.min(begin + ((END - begin) * place) / (sizes.length - 1), LAST);
    const radius = isStrip ? STRIP.half : radiusOf(drawn, tall, place === 0, isDeep);
    return {
      units,
      drawn,
      isStrip,
      x,
      radius,
      half: isStrip ? Math.min(radius, tall * pitchOf(drawn) * 0.47) : radius,
      ys: spread(drawn, tall),
      cells: isStrip ? cellsOf(units, tall) : [],
    };
  });
}

/** px between columns from which "16 dead" fits, and from which words are larger where the drawing is small. */
const ROOM = { word: 50, larger: 60 };

/** px in the drawing: the largest size of its words, where it is drawn smallest; network.css sets it. */
const LARGEST = 13.6;

/** px: letters of a known width, half of a number's height at the rim of its circle, and half of the rim. */
const VALUE = { size: 11, half: 3.4, rim: 0.7 };

/** The largest size of a number's letters that do not cross the rim of its circle, in px. */
export function sizeWithin(text: string, radius: number) {
  const room = 2 * Math.sqrt((radius - VALUE.rim) ** 2 - VALUE.half ** 2);
  return (VALUE.size * room) / tickWidth(text);
}

/** The label below the inputs, with the count of a strip. */
export const inputFoot = ({ isStrip, units }: Pick<Column, "isStrip" | "units">) =>
  isStrip ? plural(units, "input") : texts.inputWord;

/** True if each column has room for a word below it. */
export const isRoomy = (pitch: number) => pitch >= ROOM.word;

/** True if words may be no larger where the drawing is small. */
export const isTight = (pitch: number) => pitch < ROOM.larger;

const fits = (words: string, pitch: number) => (boldWidth(words) * LARGEST) / 13 <= pitch;

/**
 * The label below a hidden layer. If a word does not fit it is the number of dead units.
 * @param pitch px between columns
 */
export function footWords(dead: number, units: number, pitch: number) {
  if (!isRoomy(pitch)) return dead ? String(dead) : "";
  const whole = units > MOST_CELLS ? texts.xUnits(units) : texts.xAlive(units);
  if (!dead) return whole;
  const sentence = texts.xOfYDead(dead, units);
  return fits(sentence, pitch) ? sentence : texts.xDead(dead);
}

/** The part of `count` equal parts that a unit belongs to. */
export const partOf = (unit: number, units: number, count: number) =>
  Math.floor((unit * count) / units);

/** A layer with more edges than this shows only its largest ones. */
const EDGES = { most: 60, share: 0.3 };

/** The least share of the largest weight whose edge is drawn; 0 where all are. */
export function leastShown(shares: number[]) {
  if (shares.length <= EDGES.most) return 0;
  const sizes = shares.map(Math.abs).sort((a, b) => b - a);
  return sizes[Math.floor(EDGES.share * sizes.length) - 1];
}

/** The activation that looks darkest: nearly 0 looks empty. */
const DARKEST = 0.4;

/** How dark units are, 0 to 1: relative to the largest of their layer. */
export function shadesOf(means: number[]) {
  const most = Math.max(DARKEST, ...means.map(Math.abs).filter(Number.isFinite));
  return means.map((mean) => (Number.isFinite(mean) ? Math.abs(mean) / most : 0));
}

export function edgePath(from: Column, i: number, to: Column, k: number) {
  const [x0, x1] = [from.x + from.radius, to.x - to.radius];
  const middle = (from.x + to.x) / 2;
  const [y0, y1] = [from.ys[i].toFixed(1), to.ys[k].toFixed(1)];
  return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
}

/**
 * Width and opacity of an edge by its weight's share of the layer's largest.
 * @param share 0..1
 */
export const strokeOf = (share: number, touchesDead: boolean) => ({
  width: (0.5 + 4.2 * share).toFixed(2),
  opacity: ((touchesDead ? 0.38 : 0.86) * (0.35 + 0.65 * share)).toFixed(2),
});
