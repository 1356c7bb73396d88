/**
 * Chooses one or two columns for the rows of many runs, and the numbers that have room beside names.
 * Owns: that choice. Pure; run-table.css has the same widths.
 */

/** From this many runs rows are low, and in two columns where every name fits. */
export const MANY = 4;

/** Widths in px, each with its distance: the gap between the columns, and a row's numbers. */
const GAP = 40;
const NUMBERS = { main: 258, samples: 320, all: 440 };
/** The same for a run's shape, its switch, and the value that it minimizes. */
const SHAPE = 18;
const SWITCH = 180;
const MINIMIZED = 140;

/** A row's name, in px, and what stands beside it. */
export interface Row {
  name: number;
  isPenalized: boolean;
}
/**
 * - `isBrief`: samples seen and the test loss leave the rows
 * - `hasSamples`: samples seen stay in brief rows, in less room, as runs differ in samples a step
 */
export type Columns = { isTwo: boolean; isBrief: boolean; hasSamples: boolean };

/** The head of the samples seen leaves so much of its column free, in px. */
const SPARE = 14;
/** Room over the names of one of two columns with samples seen, in px. */
export const headRoom = (width: number) => (width - GAP) / 2 - NUMBERS.samples + SPARE;

/** @param width px of the table */
export function columnsOf(
  rows: Row[],
  width: number,
  hasSwitch: boolean,
  isUnequal = false,
): Columns {
  const beside = SHAPE + (hasSwitch ? SWITCH : 0);
  const needs = rows.map(({ name, isPenalized }) => name + beside + (isPenalized ? MINIMIZED : 0));
  const most = Math.max(0, ...needs);
  const half = (width - GAP) / 2 - most;
  const isTwo = rows.length >= MANY && half >= NUMBERS.main;
  const room = isTwo ? half : width - most;
  const isBrief = room < NUMBERS.all;
  return { isTwo, isBrief, hasSamples: isBrief && isUnequal && room >= NUMBERS.samples };
}
