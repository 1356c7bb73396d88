/**
 * Ticks of the horizontal axis that fit: no label touches the next or leaves its panel.
 * Owns: which ticks, their labels, and what a round number is. Pure.
 */

import { tickWidth } from "./letter-widths.ts";

/** as Plotly expects it: logarithms on a log axis */
type Across = { type: "log" | "linear"; range: number[] };
/**
 * panel width in px, how far a label may stick out on each side, maximum number of ticks, and least
 * distance in data units
 */
type Room = { width: number; before: number; after: number; most: number; least?: number };

/** Least gap between two labels, in px. */
const APART = 12;
const STEPS = [1, 2, 5];
/** Significant digits of brief labels. */
const BRIEF_DIGITS = 3;
const THOUSANDS: [number, string][] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

const FORMATS: Map<string, Intl.NumberFormat> = new Map();

/**
 * @param digits at most, after the decimal point
 * @param least at least
 */
function written(value: number, digits: number, least = digits) {
  if (value === 0) return "0";
  const key = `${least} ${digits}`;
  let format = FORMATS.get(key);
  if (!format)
    FORMATS.set(
      key,
      (format = new Intl.NumberFormat("en-US", {
        minimumFractionDigits: least,
        maximumFractionDigits: digits,
      })),
    );
  return format.format(value);
}

/** "20k", "1.5M"; small numbers stay as they are. */
function brief(value: number) {
  const [unit, letter] = THOUSANDS.find(([least]) => value >= least) ?? [1, ""];
  return `${Number((value / unit).toPrecision(BRIEF_DIGITS))}${letter}`;
}

/** True if brief labels can distinguish places this far apart: 4,282 and 4,284 are both "4.28k". */
const fitsBriefly = (largest: number, size: number) =>
  size >= 10 ** (Math.floor(Math.log10(largest) + 1e-9) + 1 - BRIEF_DIGITS) * (1 - 1e-9);

/** Smaller numbers are written as powers of ten. */
const SMALL = 1e-3;

/** "5e\u22127", with enough digits to distinguish neighbouring ticks. */
function powerOfTen(value: number, size: number) {
  if (value === 0) return "0";
  const digits = Math.max(
    0,
    Math.min(20, Math.floor(Math.log10(value) + 1e-9) - Math.floor(Math.log10(size) + 1e-9) + 1),
  );
  const [number, exponent] = value.toExponential(digits).split("e");
  return `${Number(number)}e\u2212${Math.abs(Number(exponent))}`;
}

/** The smallest round step of at least this size, and its decimals. */
function roundSize(least: number) {
  const exponent = Math.floor(Math.log10(least));
  const size =
    [...STEPS, 10].map((step) => step * 10 ** exponent).find((round) => round >= least) ??
    10 ** (exponent + 1);
  return { size, digits: Math.min(20, Math.max(0, -Math.floor(Math.log10(size) + 1e-9))) };
}

/**
 * Round ticks of a linear axis whose labels always have room.
 * @param most number of ticks
 * @param isBrief "2k" for "2,000"
 */
export function roundTicks(
  [low, high]: number[],
  most: number,
  isBrief: boolean,
): { tickvals?: number[]; ticktext?: string[] } {
  if (!(high > low && high - low < Infinity)) return {};
  const { size, digits } = roundSize((high - low) / most);
  const tickvals = [];
  for (let k = Math.ceil(low / size); k * size <= high; k++) tickvals.push(k * size || 0);
  return {
    tickvals,
    ticktext: tickvals.map((value) =>
      (isBrief ? brief(value) : written(value, digits, 0)).replace("-", "\u2212"),
    ),
  };
}

/** Limits on the number of ticks. Halves (2.5) are used only where no rounder step fits. */
const FEW = { least: 3, most: 5 };

/** Three to five round ticks of a linear axis with their labels; none for an empty range. */
export function fewTicks([low, high]: number[]) {
  if (!(high > low && high - low < Infinity)) return {};
  const top = Math.floor(Math.log10(high - low));
  const sizes = [[5, 2, 1], [2.5]].flatMap((steps) =>
    [top, top - 1].flatMap((exponent) => steps.map((step) => step * Number(`1e${exponent}`))),
  );
  const placesAt = (size: number) =>
    Math.floor(high / size + 1e-9) - Math.ceil(low / size - 1e-9) + 1;
  const size =
    sizes.find((each) => placesAt(each) >= FEW.least && placesAt(each) <= FEW.most) ?? sizes[0];
  const digits = Math.min(20, Math.max(0, 1 - Math.floor(Math.log10(size) + 1e-9)));
  const largest = Math.max(-low, high);
  // brief labels have three digits at most
  const isLarge = largest >= 1e4 && size >= largest / 100;
  const tickvals = Array.from(
    { length: placesAt(size) },
    (_, k) => (Math.ceil(low / size - 1e-9) + k) * size || 0,
  );
  return {
    tickvals,
    ticktext: tickvals.map((value) =>
      signed(
        value,
        isLarge
          ? brief
          : largest < SMALL
            ? (each) => powerOfTen(each, size)
            : (each) => written(each, digits, 0),
      ),
    ),
  };
}

const signed = (value: number, word: (size: number) => string) =>
  `${value < 0 ? "\u2212" : ""}${word(Math.abs(value))}`;

/**
 * As many round ticks as fit.
 * @param isBrief "2k" for "2,000"
 */
function linearTicks(low: number, high: number, room: Room, isBrief: boolean) {
  const finest = Math.max((high - low) / room.most, room.least ?? 0);
  for (let exponent = Math.floor(Math.log10(finest) + 1e-9); ; exponent++) {
    for (const step of STEPS) {
      const size = step * 10 ** exponent;
      if (size < finest * (1 - 1e-9)) continue;
      const digits = Math.max(0, -exponent);
      const word = (value: number) =>
        isBrief && fitsBriefly(high, size)
          ? brief(Number(value.toFixed(digits)))
          : written(value, digits);
      const widest = Math.max(tickWidth(word(low + size)), tickWidth(word(high)));
      if ((size / (high - low)) * room.width >= widest + APART || size > high - low)
        return placesOf(low, high, size, word);
    }
  }
}

function placesOf(low: number, high: number, size: number, word: (value: number) => string) {
  const ticks = [];
  for (let k = Math.ceil(low / size - 1e-9); k * size <= high * (1 + 1e-9); k++)
    ticks.push({ value: k * size || 0, text: word(k * size || 0) });
  return ticks;
}

/**
 * Powers of ten, with 2 and 5 between them where there is room; every second or third power where
 * there is little.
 * @param low logarithms
 */
function logTicks(low: number, high: number, { width }: Room) {
  const decade = width / (high - low);
  const widest = tickWidth("100M");
  const between = decade * Math.log10(2) >= widest + APART ? STEPS : [1];
  const every = Math.max(1, Math.ceil((widest + APART) / decade));
  const ticks = [];
  for (let exponent = Math.floor(low); exponent <= high; exponent++) {
    if (exponent % every) continue;
    for (const step of between) {
      const value = step * Number(`1e${exponent}`);
      ticks.push({ value, text: exponent < 0 ? written(value, -exponent) : brief(value) });
    }
  }
  return ticks.filter(({ value }) => Math.log10(value) >= low && Math.log10(value) <= high);
}

/** The ticks of an axis. A log axis that shows fewer than two powers of ten gets linear ticks. */
export function acrossTicks(
  { type, range: [low, high] }: Across,
  room: Room,
  isBrief: boolean,
): { tickvals?: number[]; ticktext?: string[] } {
  if (!(high > low && high - low < Infinity && room.width > 0)) return {};
  const powers = type === "log" ? logTicks(low, high, room) : [];
  const all =
    powers.length > 1
      ? powers
      : type === "log"
        ? linearTicks(10 ** low, 10 ** high, room, isBrief)
        : linearTicks(low, high, room, isBrief);
  const ticks = all.filter(({ value, text }) => {
    const across =
      (((type === "log" ? Math.log10(value) : value) - low) / (high - low)) * room.width;
    const half = tickWidth(text) / 2;
    return across - half >= -room.before && across + half <= room.width + room.after;
  });
  return { tickvals: ticks.map(({ value }) => value), ticktext: ticks.map(({ text }) => text) };
}
