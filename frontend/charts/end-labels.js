/**
 * Where the words at a line's end stand: in the gutter beside the plot, or, where a line ends early, around its end where
 * least is in the way; and in how many lines.
 * Owns: that choice, and that it does not change at every draw. Pure.
 */

import { nameLines } from "../state/brief-names.js";
import { covered, touch } from "./in-the-way.js";
import { APART, pushApart, pxAcross, pxDown, shareOf } from "./labels.js";

/** @typedef {import("./labels.js").Frame} Frame */
/** @typedef {import("./in-the-way.js").Box} Box */
/** @typedef {{run: string, lane: string, name: string, value: string, bad: boolean, goesOn: boolean, x: number, y: number}} End  where a run's line ends, in the data's units; or leaves what is seen */
/** @typedef {{names: string[], under: boolean}} Words  the name by lines, cut where it has to be; the value stands under it, or beside its last line */
/** @typedef {End & Words & {left: number, top: number, most: number, gutter: boolean, side: string|null}} PlacedEnd  px; `top` is the middle of the words, `most` their room */
/**
 * @typedef {object} Around  what may be in the way of words in the plot, and where they stood before
 * @property {import("./in-the-way.js").Curve[]} curves
 * @property {number[]} uprights   px from the left: edits
 * @property {number|null} level   px from above: the baseline
 * @property {Record<string, string>} sides  by run
 */

/** A run that ends before this share of the width has its label at its end, not in the gutter. */
const ENDS_EARLY = 0.85;
/** From a plot to the words beside it. */
const BESIDE = 9;
const AFTER = 6;
const LETTER = 7;
/** Before and after words that stand on the plot. */
const PADDING = 6;
/** Of a letter of a name, in px: they are bold. What is left of one that is cut begins with capitals, and its sign is wide. */
const BOLD = { whole: 7.4, cut: 8.8 };
/** Most values have so many letters: a name does not go up and down with each digit that comes and goes. */
const ORDINARY = 7;
/** Of a label: a name on two, and its value. */
const MOST_LINES = 3;
const HALF = 9;
const WORTH_MOVING = 4;
/** @type {Around} */
const NOTHING = { curves: [], uprights: [], level: null, sides: {} };

/** Sides of an end: which way the words go, and how far their middle is under it. In this order where all are alike. */
const SIDES = /** @type {const} */ ([
  ["right over", 1, -13], ["right level", 1, 0], ["right under", 1, 13], ["left over", -1, -14], ["left under", -1, 14],
  ["right high", 1, -30], ["right low", 1, 30], ["left high", -1, -30], ["left low", -1, 30],
]);

/**
 * @param {End[]} ends
 * @param {Frame} frame
 * @param {number|null} [known]  nothing is known beyond here, so that a line which comes so far does not end early
 * @param {Around} [around]
 * @returns {PlacedEnd[]}
 */
export function placeEnds(ends, frame, known = null, around = NOTHING) {
  const inside = ends.filter(({ x }) => shareOf(x, frame.x) > -0.001);
  const [top, bottom] = [frame.top + 6, frame.top + frame.height - 6];
  const full = known === null ? 1 : Math.min(1, shareOf(known, frame.x));
  const isEarly = (/** @type {End} */ end) => shareOf(end.x, frame.x) < ENDS_EARLY * full;
  const gutter = inside.filter((end) => !isEarly(end));
  const all = ends.map(({ name }) => name);
  const words = gutterWords(gutter, all, frame.beyond - BESIDE, bottom - top + APART);
  const heights = pushApart(gutter.map(({ y }) => pxDown(frame, y)), top, bottom, words.map(linesOf));
  /** @type {Box[]} */
  const taken = [];
  return [
    ...gutter.map((end, i) => ({ ...end, ...words[i], left: frame.left + frame.width + BESIDE, top: heights[i], most: frame.beyond - BESIDE, gutter: true, side: null })),
    ...inside.filter(isEarly).map((end) => {
      const placed = placeEarly(end, frame, around, taken);
      taken.push(boxOf(placed));
      return { ...placed, ...wordsOf(end, all, placed.most, 1) };
    }),
  ];
}

/** @param {Words} words */
const linesOf = ({ names, under }) => names.length + (under ? 1 : 0);

/**
 * Words in as many lines as names need to be read whole; in fewer where all of them together are too high.
 * @param {End[]} gutter
 * @param {string[]} all
 * @param {number} most   px across
 * @param {number} tall   px down
 */
function gutterWords(gutter, all, most, tall) {
  const inLines = (/** @type {number} */ lines) => gutter.map((end) => wordsOf(end, all, most, lines));
  for (let lines = MOST_LINES; lines > 1; lines--) {
    const words = inLines(lines);
    if (APART * words.reduce((sum, each) => sum + linesOf(each), 0) <= tall) return words;
  }
  return inLines(1);
}

/**
 * @param {End} end
 * @param {string[]} all
 * @param {number} most   px
 * @param {number} lines  at most
 * @returns {Words}
 */
function wordsOf({ name, value }, all, most, lines) {
  const isAlone = value === "";
  const beside = isAlone ? 0 : LETTER * (Math.max(value.length, lines > 1 ? ORDINARY : 0) + 0.6);
  if (BOLD.whole * name.length <= most - beside) return { names: [name], under: false };
  const under = !isAlone && lines > 1;
  const room = under ? most : most - beside;
  return { names: nameLines(name, all, { whole: Math.floor(room / BOLD.whole), cut: Math.max(1, Math.floor(room / BOLD.cut)) }, under ? lines - 1 : lines), under };
}

/** What the words of a label cover. @param {PlacedEnd} placed @returns {Box} */
export function boxOf(placed) {
  const { name, value, left, top, most } = placed;
  const half = HALF + ((linesOf(placed) - 1) * APART) / 2;
  return { left, right: left + Math.min(most, lengthOf(name, value)), top: top - half, bottom: top + half };
}

/** @param {string} name @param {string} value */
const lengthOf = (name, value) => LETTER * (name.length + value.length + 1) + PADDING;

/**
 * Beyond the plot stand the labels of the others. No label lies on another, whatever else is in the way, nor where nothing of
 * it is left: where many lines end at one place, over or under those that are there already.
 * @param {End} end
 * @param {Frame} frame
 * @param {Around} around
 * @param {Box[]} taken
 * @returns {PlacedEnd}
 */
function placeEarly(end, frame, around, taken) {
  const [x, y] = [pxAcross(frame, end.x), pxDown(frame, end.y)];
  const wished = lengthOf(end.name, end.value);
  const [highest, lowest] = [frame.top + 6, frame.top + frame.height - 6];
  const placeAt = (/** @type {string} */ side, /** @type {number} */ way, /** @type {number} */ middle, /** @type {number} */ under) => {
    const room = way > 0 ? frame.left + frame.width - x - AFTER : x - frame.left - AFTER;
    const left = way > 0 ? x + AFTER + (under ? 0 : 2) : x - AFTER - Math.min(wished, room);
    return { ...end, names: [end.name], under: false, left, top: Math.max(highest, Math.min(lowest, middle)), most: room, gutter: false, side };
  };
  const beside = (/** @type {Box} */ box) => /** @type {[string, number][]} */ ([["high", box.top - HALF], ["low", box.bottom + HALF]]);
  const places = [
    ...SIDES.map(([side, way, under]) => placeAt(side, way, y + under, under)),
    ...taken.flatMap(beside).flatMap(([side, middle]) => [placeAt(`right ${side}`, 1, middle, 1), placeAt(`left ${side}`, -1, middle, 1)]),
  ];
  const readable = places.filter(({ most }) => most >= Math.min(wished, frame.width / 2 - AFTER));
  const free = readable.filter((place) => !taken.some((other) => touch(boxOf(place), other)));
  const costs = (free.length ? free : readable).map((place) => ({ place, cost: costOf(place, wished, around) }));
  const best = costs.reduce((a, b) => (b.cost < a.cost ? b : a));
  const stays = costs.find(({ place }) => place.side === around.sides[end.run]);
  return (stays && stays.cost < best.cost + WORTH_MOVING ? stays : best).place;
}

/** @param {PlacedEnd} place @param {number} wished @param {Around} around */
function costOf(place, wished, { curves, uprights, level }) {
  const box = boxOf(place);
  const cut = Math.max(0, wished - place.most) / LETTER;
  const edits = uprights.filter((left) => left > box.left - 2 && left < box.right + 2).length;
  const isOnLevel = level !== null && level > box.top && level < box.bottom ? 2 : 0;
  const isFar = /high|low/.test(place.side ?? "") ? 2 : 0;
  return covered(curves, box) + (cut ? 6 + cut : 0) + 3 * edits + isOnLevel + isFar;
}
