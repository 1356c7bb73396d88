/**
 * A log axis on which exactly 0 has its own place: a shelf below the floor.
 * Owns: floor, shelf and ticks of such an axis. Twin of backend figures/binding.py, number by number.
 * Powers of ten are parsed from text, so that both sides get the same digits.
 */

import { tick } from "../core/format.ts";

const FLOORS = { ratio: -6, loss: 0 } as Record<string, number>;
const TOPS = { ratio: 1, grad_mean: 2, loss: 0 } as Record<string, number>;
const FLOOR = -4;
const TOP = 3;
const LOWEST = -300;
const HIGHEST = 300;

/**
 * Shelf, end of its tint and end of the axis as factors of the floor: 10 ** -0.95, 10 ** -0.35, 10
 * ** -1.4.
 */
const DEPTH = 0.1122018454301963;
const UPPER_EDGE = 0.44668359215096315;
const LOWER_EDGE = 0.039810717055349734;

export const decade = (exponent: number) => Number(`1e${exponent}`);

/**
 * @param least smallest value above 0; Infinity if there is none
 * @param greatest 0 if there is none
 */
export function shelfScale(measure: string, least: number, greatest: number) {
  let floor = FLOORS[measure] ?? FLOOR;
  let top = TOPS[measure] ?? TOP;
  while (least < decade(floor) && floor > LOWEST) floor--;
  while (greatest > decade(top) && top < HIGHEST) top++;
  const base = decade(floor);
  return {
    floor,
    top,
    shelf: base * DEPTH,
    range: [floor - 1.4, top],
    tint: [base * LOWER_EDGE, base * UPPER_EDGE],
    /** Place of a value; `upper` is its bucket's maximum. */
    place: (value: number, upper: number) =>
      value === 0 && upper === 0 ? base * DEPTH : Math.max(value, base),
    ticks() {
      const step = 2 + Math.floor(Math.max(0, top - floor - 8) / 4);
      const values = [base * DEPTH];
      const texts = ["0"];
      for (let exponent = floor; exponent <= top; exponent += step) {
        values.push(decade(exponent));
        texts.push(tick(exponent));
      }
      return { values, texts };
    },
  };
}

export type ShelfScale = ReturnType<typeof shelfScale>;
