/**
 * Positions of units and edges in the drawing of a network.
 * Owns: a plane of 292 x 216, or lower where the switch above it has more lines. Pure.
 */

import { MOST_CELLS } from "../../core/run-look.ts";

export const WIDTH = 292;
export const HEIGHT = 216;

const FIRST = 22;
/** Place of the first column if its names stand beside it. */
const FIRST_NAMED = 84;
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
  drawn: number; // circles or cells
  isStrip: boolean;
  x: number;
  radius: number;
  half: number; // half of its height
  ys: number[];
}

/** Distance of two units as a share of the height. */
const pitchOf = (count: number) => (count > 1 ? Math.min(0.8 / 3, 0.92 / (count - 1)) : 0);

const spread = (count: number, tall: number) =>
  Array.from(
    { length: count },
    (_, k) => TOP + tall * (0.5 + pitchOf(count) * (k - (count - 1) / 2)),
  );

function radiusOf(count: number, tall: number, isInput: boolean, isStrip: boolean) {
  const room = count > 1 ? tall * pitchOf(count) * 0.46 : Infinity;
  return isStrip ? 5 : Math.min(isInput ? 9 : 13.5, room);
}

/** Letters of a name that fit in an input's circle, and beside it. */
const LETTERS = { inside: 3, beside: 11 };
/** With more inputs names would touch each other; with more columns there is no room. */
const NAMED = { inputs: 12, columns: 5 };

/**
 * Names of inputs in the drawing: in the circles if all are short, else beside them, shortened to
 * fit; numbers where there is no room.
 */
export function inputWords(names: string[], columns: number) {
  if (names.every((name) => name.length <= LETTERS.inside)) return { beside: false, words: names };
  if (names.length > NAMED.inputs || columns > NAMED.columns)
    return { beside: false, words: names.map((_, k) => `x${k + 1}`) };
  return {
    beside: true,
    words: names.map((name) =>
      name.length > LETTERS.beside ? `${name.slice(0, LETTERS.beside - 1)}…` : name,
    ),
  };
}

/**
 * @param sizes units of every layer, inputs first
 * @param named names stand beside the inputs
 */
export function columnsOf(sizes: number[], named = false, height = HEIGHT): Column[] {
  const tall = height - TOP - FEET;
  const begin = named ? FIRST_NAMED : FIRST;
  return sizes.map((units, place) => {
    const isStrip = units > MOST_CELLS;
    const drawn = Math.min(units, MOST_CELLS);
    const x = Math.min(begin + ((END - begin) * place) / (sizes.length - 1), LAST);
    const radius = radiusOf(drawn, tall, place === 0, isStrip);
    return {
      units,
      drawn,
      isStrip,
      x,
      radius,
      half: isStrip ? Math.min(radius, tall * pitchOf(drawn) * 0.47) : radius,
      ys: spread(drawn, tall),
    };
  });
}

/** px between columns from which "16 of 64 dead" and "16 dead" fit. */
const ROOM = { sentence: 80, word: 50 };

/** True if each column has room for a word below it. */
export const isRoomy = (pitch: number) => pitch >= ROOM.word;

/**
 * The label below a hidden layer. If a word does not fit it is the number of dead units.
 * @param pitch px between columns
 */
export function footWords(dead: number, units: number, pitch: number) {
  if (!isRoomy(pitch)) return dead ? String(dead) : "";
  if (pitch < ROOM.sentence) return dead ? `${dead} dead` : `${units} alive`;
  return dead ? `${dead} of ${units} dead` : `${units} alive`;
}

/** The cell that counts a unit of a strip. */
export const cellOf = ({ units, drawn }: Column, unit: number) =>
  Math.floor((unit * drawn) / units);

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
