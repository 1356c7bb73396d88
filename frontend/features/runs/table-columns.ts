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

/** The run's shape and the arrow of its switch, beside a name on a phone, in px. */
const PHONE_BESIDE = { ordinary: 37, narrow: 31 };
/** A name wider than this does not fit on two lines of a phone beside a state on one line, in px. */
const LONG = 100;
/** Low windows with two columns: gap, numbers, and edges of the page, in px. */
const LOW = { gap: 24, numbers: 300, edges: 32 };
/** The same in narrow ones: what half a page leaves of a name's room, and the least room, in px. */
const LOW_NARROW = { page: 720, beside: 250, least: 74 };

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

/** Room of a name in one column, beside the switch and the fewest numbers, in px. */
export const nameRoom = (width: number, hasSwitch: boolean, isPenalized: boolean) =>
  width - NUMBERS.main - SHAPE - (hasSwitch ? SWITCH : 0) - (isPenalized ? MINIMIZED : 0);

/** Room of a line of a name on a phone, in px, of the width of the name's cell. */
export const phoneRoom = (cell: number, isNarrow: boolean) =>
  cell - (isNarrow ? PHONE_BESIDE.narrow : PHONE_BESIDE.ordinary);

/** The same in a low window, where the runs stand in two columns, of the width of the table. */
export function lowRoom(width: number) {
  const page = width + LOW.edges;
  const { beside, least } = LOW_NARROW;
  return page > LOW_NARROW.page
    ? (width - LOW.gap) / 2 - LOW.numbers
    : Math.max(least, page / 2 - beside);
}

/** On a phone states break onto two lines where names are this wide, in px. */
export const areLong = (names: number[]) => Math.max(0, ...names) > LONG;
