/**
 * Places of labels over a plot, and which give way to others.
 * Owns: geometry of labels. Pure. Elements make HTML of it, because only HTML text keeps its size.
 */

import * as texts from "../words/english.ts";

export type Axis = {
  type: "log" | "linear";
  range: number[];
  tickvals?: number[];
  ticktext?: string[];
};
/** px */
export type Area = { left: number; top: number; width: number; height: number };
/** `beyond` is px right of the plot; the axes as drawn */
export type Frame = Area & {
  beyond: number;
  letter?: number; // width of the labels' letters over the usual; 1 unless presenting
  x: Axis;
  y: Axis;
};

/** Least distance, in px. */
export const APART = 16;
const GLYPH = 18;
/** Width of a clause's number, in px. */
const NUMBER = 21;
const LETTER = 7.2;
/** Capitals and arrows are as wide as the widest letter. */
const WIDE_LETTER = 9.4;
const WIDE = /[A-Z\u2192]/g;

export const shareOf = (value: number, { type, range: [low, high] }: Axis) =>
  ((type === "log" ? Math.log10(value) : value) - low) / (high - low);

export const pxAcross = (frame: Frame, value: number) =>
  frame.left + frame.width * shareOf(value, frame.x);

/** The place on the horizontal axis of px across, as its range is given: decades on a log axis. */
export const axisAt = ({ left, width, x: { range } }: Frame, px: number) =>
  range[0] + ((px - left) / width) * (range[1] - range[0]);

/** The px across of such a place. */
export const pxOnAxis = ({ left, width, x: { range } }: Frame, place: number) =>
  left + (width * (place - range[0])) / (range[1] - range[0]);

export const pxDown = (frame: Frame, value: number) =>
  frame.top + frame.height * (1 - shareOf(value, frame.y));

/**
 * Pushes labels apart inside the plot, each as near to its wished place as the others allow.
 * @param wished px
 * @param top highest middle of a label of one line
 * @param lines of each label, 1 by default
 * @returns middles, in the same order
 */
export function pushApart(
  wished: number[],
  top: number,
  bottom: number,
  lines: number[] = wished.map(() => 1),
): number[] {
  const order = wished.map((_, place) => place).sort((a, b) => wished[a] - wished[b]);
  const more = order.map((place) => ((lines[place] - 1) * APART) / 2);
  const apart = (i: number) => APART + more[i - 1] + more[i];
  const placed = order.map((place, i) =>
    Math.min(bottom - more[i], Math.max(top + more[i], wished[place])),
  );
  for (let i = 1; i < placed.length; i++) placed[i] = Math.max(placed[i], placed[i - 1] + apart(i));
  const last = placed.length - 1;
  if (last >= 0 && placed[last] > bottom - more[last]) {
    placed[last] = bottom - more[last];
    for (let i = last - 1; i >= 0; i--)
      placed[i] = Math.min(placed[i], placed[i + 1] - apart(i + 1));
  }
  const answer = new Array(wished.length);
  order.forEach((place, i) => (answer[place] = placed[i]));
  return answer;
}

/** an edit or, with a tone, a finding; in data units */
export type Flag = {
  run: string;
  lane: string;
  step: number;
  text: string;
  x: number;
  tone?: string;
  place?: number; // of a clause of what happened: its number is all that is shown
};

/** `before`: the words are left of the line */
type PlacedFlag = Flag & { left: number; brief: boolean; before: boolean };

/**
 * The part of a flag's words that fits on a phone: the glyph of an edit; "dead" or "3 dead" of a
 * finding.
 */
export const phoneWords = ({ text, tone }: Flag) => (tone ? texts.briefMark(text) : "");

/**
 * Flags from left to right. Flags outside are left out; words that would touch the next flag go.
 * Words that would leave the chart turn to the left of their line, and earlier flags give way.
 */
export function placeFlags(flags: Flag[], frame: Frame): PlacedFlag[] {
  const across = flags
    .map((flag) => ({ ...flag, left: pxAcross(frame, flag.x), brief: false, before: false }))
    .filter(({ left }) => left >= frame.left - 1 && left <= frame.left + frame.width + 1)
    .sort((a, b) => a.left - b.left || a.step - b.step);
  let least = -Infinity; // numbers of clauses at one step stand side by side
  for (const flag of across.filter(({ place }) => place)) {
    flag.left = Math.max(flag.left, least);
    least = flag.left + NUMBER;
  }
  const edge = frame.left + frame.width + frame.beyond;
  const lengthOf = ({ text, place }: PlacedFlag) =>
    place
      ? 0
      : GLYPH +
        (frame.letter ?? 1) *
          (text.length * LETTER + (text.match(WIDE)?.length ?? 0) * (WIDE_LETTER - LETTER));
  across.forEach((flag, i) => {
    const next = across[i + 1]?.left ?? Infinity;
    flag.brief = next - flag.left < lengthOf(flag);
    flag.before = !flag.brief && flag.left + lengthOf(flag) > edge;
  });
  across.forEach((flag, i) => {
    if (flag.before) turn(flag, across.slice(0, i), flag.left - lengthOf(flag), frame, lengthOf);
  });
  return across;
}

/** @param from left end of the turned words */
function turn(
  flag: PlacedFlag,
  earlier: PlacedFlag[],
  from: number,
  frame: Frame,
  lengthOf: (flag: PlacedFlag) => number,
) {
  const isInTheWay = from < frame.left || earlier.some(({ left }) => left + GLYPH / 2 > from);
  if (isInTheWay) Object.assign(flag, { brief: true, before: false });
  else for (const one of earlier) one.brief ||= one.left + lengthOf(one) > from;
}
