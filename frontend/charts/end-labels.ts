/**
 * Labels at the ends of lines, on one or more lines of text. They stand in the gutter beside the
 * plot. A line that ends early has its label at its end, where it covers least.
 * Owns: that choice, and keeping it from one draw to the next. Pure.
 */

import { hasCutWord, linesWithin } from "../core/brief-names.ts";
import { boldWidth } from "./letter-widths.ts";
import { covered, touch } from "./overlap.ts";
import { APART, pushApart, pxAcross, pxDown, shareOf } from "./labels.ts";
import type { Box, Curve } from "./overlap.ts";
import type { Frame } from "./labels.ts";
import type { LiveValue } from "./live-values.ts";

/** where a run's line ends or leaves the plot, in data units */
export type End = {
  run: string;
  lane: string;
  name: string;
  value: string;
  bad: boolean;
  goesOn: boolean;
  letter?: number | undefined; // as of its frame
  x: number;
  y: number;
  live?: LiveValue | undefined; // what the value follows between two draws
};
/**
 * the name in lines, shortened where necessary; the value stands below it or beside its last line
 */
type Words = { names: string[]; under: boolean };
/** px; `top` is the middle of the label, `most` its room */
type PlacedEnd = End &
  Words & { left: number; top: number; most: number; gutter: boolean; side: string | null };
/** what labels could cover, and where they stood before */
interface Around {
  curves: Curve[];
  uprights: number[]; // vertical lines of edits, px from the left
  level: number | null; // the baseline, px from the top
  sides: Record<string, string>; // by run
  taken?: Box[]; // other labels
}

/** A line that ends this much before the edge, as a share and in px, has its label at its end. */
const ENDS_EARLY = { share: 0.15, px: 64 };
/** Distance between plot and gutter labels. */
const BESIDE = 9;
const AFTER = 6;
const LETTER = 7;
/** A figure of a value: all have the same width. */
const FIGURE = 7.9;
/** Space before and after a label on the plot. */
const PADDING = 6;
/** Letters of most values: a name must not move when a digit comes or goes. */
const ORDINARY = 7;
/** The widest name beside a value on one line, and the least plot that leaves room for it, in px. */
const BESIDE_VALUE = { widest: 98, plot: 380 };
/** Letters of the longest value: "0.000440". */
const LONGEST = 8;
/** Names that stay readable on a plot. */
export const FEW = 3;
/** The gutter of a phone grows for names up to this wide, in px. Wider ones stand on the plot. */
const WIDEST = 60;
/** Lines of a label: two of the name, one of the value. */
const MOST_LINES = 3;
const HALF = 9;
const WORTH_MOVING = 4;
const NOTHING: Around = { curves: [], uprights: [], level: null, sides: {} };

/**
 * Sides of an end: direction of the text, and how far below the end its middle is. In order of
 * preference.
 */
const SIDES = [
  ["right over", 1, -13],
  ["right level", 1, 0],
  ["right under", 1, 13],
  ["left over", -1, -14],
  ["left under", -1, 14],
  ["right high", 1, -30],
  ["right low", 1, 30],
  ["left high", -1, -30],
  ["left low", -1, 30],
] as const;

/** Room that a phone's gutter needs beside the plot, in px: of its names that are not too wide. */
export const gutterFor = (names: string[], letter = 1) =>
  BESIDE + letter * Math.max(0, ...names.map(boldWidth).filter((wide) => wide <= WIDEST));

/**
 * Room beside a low plot of many runs, in px: a name, or its most telling words, and its value on one
 * line. As before where each label has room for two lines, or the plot would be too narrow.
 */
export function gutterOfMany(
  names: string[],
  right: number,
  { wide, tall, letter = 1 }: { wide: number; tall: number; letter?: number | undefined },
) {
  if (names.length <= FEW || 2 * APART * names.length <= tall) return right;
  const widest = Math.min(BESIDE_VALUE.widest, Math.max(...names.map(boldWidth)));
  const needed = BESIDE + letter * (widest + FIGURE * (LONGEST + 0.6));
  return wide - needed < BESIDE_VALUE.plot ? right : Math.max(right, needed);
}

/** @param limit no data beyond here, so a line that reaches it does not end early */
export function placeEnds(
  given: End[],
  frame: Frame,
  limit: number | null = null,
  around: Around = NOTHING,
): PlacedEnd[] {
  const { letter = 1 } = frame;
  const ends = letter === 1 ? given : given.map((end) => ({ ...end, letter }));
  const inside = ends.filter(({ x }) => shareOf(x, frame.x) > -0.001);
  const [top, bottom] = [frame.top + 6, frame.top + frame.height - 6];
  const full = limit === null ? 1 : Math.min(1, shareOf(limit, frame.x));
  const before = Math.min(ENDS_EARLY.share * full, ENDS_EARLY.px / frame.width);
  const all = ends.map(({ name }) => name);
  const room = (frame.beyond - BESIDE) / letter;
  // the gutter of a phone: a few names are read on the plot, rather than cut beside it
  const isCut = (end: End) =>
    end.value === "" &&
    inside.length <= FEW &&
    isShortened({ ...end, ...wordsOf(end, all, room, MOST_LINES) });
  const isEarly = (end: End) => full - shareOf(end.x, frame.x) > before || isCut(end);
  const gutter = gutterLabels(
    inside.filter((end) => !isEarly(end)),
    all,
    room,
    bottom - top + APART,
  );
  const heights = pushApart(
    gutter.map(({ y }) => pxDown(frame, y)),
    top,
    bottom,
    gutter.map(linesOf),
  );
  const boxes = [...(around.taken ?? [])];
  return [
    ...gutter.map((end, i) => ({
      ...end,
      left: frame.left + frame.width + BESIDE,
      top: heights[i],
      most: frame.beyond - BESIDE,
      gutter: true,
      side: null,
    })),
    ...inside.filter(isEarly).map((end) => {
      const placed = placeEarly(end, frame, around, boxes);
      boxes.push(boxOf(placed));
      return { ...placed, ...wordsOf(end, all, placed.most / letter, 1) };
    }),
  ];
}

const isShortened = ({ name, names }: End & Words) => names.join(" ") !== name;

const isCutInAWord = ({ name, names }: End & Words) => hasCutWord(names.join(" "), name);

const linesOf = ({ names, under }: Words) => names.length + (under ? 1 : 0);

/**
 * The labels beside the plot. Each name is on as many lines as it needs; on fewer if all labels
 * together are too high. Values are left out only where a word of a name would be cut beside them.
 * @param most px across
 * @param tall px down
 */
function gutterLabels(gutter: End[], all: string[], most: number, tall: number) {
  const inLines = (lines: number, ends = gutter) =>
    ends.map((end) => ({ ...end, ...wordsOf(end, all, most, lines) }));
  for (let lines = MOST_LINES; lines > 1; lines--) {
    const labels = inLines(lines);
    if (APART * labels.reduce((sum, each) => sum + linesOf(each), 0) <= tall) return labels;
  }
  const labels = inLines(1);
  if (!labels.some(isShortened)) return labels;
  const bare = inLines(
    1,
    gutter.map(({ live: _, ...end }) => ({ ...end, value: "" })),
  );
  const isBetter = labels.some(isCutInAWord) && !bare.some(isCutInAWord);
  return isBetter ? bare : labels;
}

/**
 * @param most px
 * @param lines at most
 */
function wordsOf({ name, value }: End, all: string[], most: number, lines: number): Words {
  const isAlone = value === "";
  const beside = isAlone ? 0 : FIGURE * (Math.max(value.length, lines > 1 ? ORDINARY : 0) + 0.6);
  if (boldWidth(name) <= most - beside) return { names: [name], under: false };
  const under = !isAlone && lines > 1;
  const room = under ? most : most - beside;
  return { names: linesWithin(name, all, room, under ? lines - 1 : lines, boldWidth), under };
}

/** The box that a label covers. */
export function boxOf(placed: PlacedEnd): Box {
  const { left, top, most } = placed;
  const half = HALF + ((linesOf(placed) - 1) * APART) / 2;
  return {
    left,
    right: left + Math.min(most, lengthOf(placed)),
    top: top - half,
    bottom: top + half,
  };
}

const lengthOf = ({ name, value, letter = 1 }: End) =>
  letter * (Math.max(LETTER * (name.length + 1), boldWidth(name)) + LETTER * value.length) +
  PADDING;

/**
 * A label at the end of a line inside the plot. It never covers another label or leaves the plot;
 * where many lines end together, labels stack above or below.
 */
function placeEarly(end: End, frame: Frame, around: Around, boxes: Box[]): PlacedEnd {
  const [x, y] = [pxAcross(frame, end.x), pxDown(frame, end.y)];
  const wished = lengthOf(end);
  const [highest, lowest] = [frame.top + 6, frame.top + frame.height - 6];
  const placeAt = (side: string, way: number, middle: number, under: number) => {
    const room = way > 0 ? frame.left + frame.width - x - AFTER : x - frame.left - AFTER;
    const left = way > 0 ? x + AFTER + (under ? 0 : 2) : x - AFTER - Math.min(wished, room);
    return {
      ...end,
      names: [end.name],
      under: false,
      left,
      top: Math.max(highest, Math.min(lowest, middle)),
      most: room,
      gutter: false,
      side,
    };
  };
  const beside = (box: Box) =>
    [
      ["high", box.top - HALF],
      ["low", box.bottom + HALF],
    ] as [string, number][];
  const places = [
    ...SIDES.map(([side, way, under]) => placeAt(side, way, y + under, under)),
    ...boxes
      .flatMap(beside)
      .flatMap(([side, middle]) => [
        placeAt(`right ${side}`, 1, middle, 1),
        placeAt(`left ${side}`, -1, middle, 1),
      ]),
  ];
  const readable = places.filter(({ most }) => most >= Math.min(wished, frame.width / 2 - AFTER));
  const free = readable.filter((place) => !boxes.some((other) => touch(boxOf(place), other)));
  const costs = (free.length ? free : readable).map((place) => ({
    place,
    cost: costOf(place, wished, around),
  }));
  const best = costs.reduce((a, b) => (b.cost < a.cost ? b : a));
  const stays = costs.find(({ place }) => place.side === around.sides[end.run]);
  return (stays && stays.cost < best.cost + WORTH_MOVING ? stays : best).place;
}

function costOf(place: PlacedEnd, wished: number, { curves, uprights, level }: Around) {
  const box = boxOf(place);
  const cut = Math.max(0, wished - place.most) / LETTER;
  const edits = uprights.filter((left) => left > box.left - 2 && left < box.right + 2).length;
  const isOnLevel = level !== null && level > box.top && level < box.bottom ? 2 : 0;
  const isFar = /high|low/.test(place.side ?? "") ? 2 : 0;
  return covered(curves, box) + (cut ? 6 + cut : 0) + 3 * edits + isOnLevel + isFar;
}
