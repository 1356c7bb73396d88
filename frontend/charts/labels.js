/**
 * Places of labels over a plot, and which give way to others.
 * Owns: geometry of labels. Pure. Elements make HTML of it, because only HTML text keeps its size.
 */

/** @typedef {{type: "log"|"linear", range: number[], tickvals?: number[], ticktext?: string[]}} Axis */
/** @typedef {{left: number, top: number, width: number, height: number, beyond: number, x: Axis, y: Axis}} Frame  px, `beyond` right of the plot, and the axes as drawn */

/** Least distance, in px. */
export const APART = 16;
const GLYPH = 18;
const LETTER = 7.2;
/** Capitals and arrows are as wide as the widest letter. */
const WIDE_LETTER = 9.4;
const WIDE = /[A-Z\u2192]/g;

/** @param {number} value @param {Axis} axis */
export const shareOf = (value, { type, range: [low, high] }) => ((type === "log" ? Math.log10(value) : value) - low) / (high - low);

/** @param {Frame} frame @param {number} value */
export const pxAcross = (frame, value) => frame.left + frame.width * shareOf(value, frame.x);

/** @param {Frame} frame @param {number} value */
export const pxDown = (frame, value) => frame.top + frame.height * (1 - shareOf(value, frame.y));

/**
 * Pushes labels apart inside the plot, each as near to its wished place as the others allow.
 * @param {number[]} wished  px
 * @param {number} top  highest middle of a label of one line
 * @param {number} bottom
 * @param {number[]} [lines]  of each label, 1 by default
 * @returns {number[]}  middles, in the same order
 */
export function pushApart(wished, top, bottom, lines = wished.map(() => 1)) {
  const order = wished.map((_, place) => place).sort((a, b) => wished[a] - wished[b]);
  const more = order.map((place) => ((lines[place] - 1) * APART) / 2);
  const apart = (/** @type {number} */ i) => APART + more[i - 1] + more[i];
  const placed = order.map((place, i) => Math.min(bottom - more[i], Math.max(top + more[i], wished[place])));
  for (let i = 1; i < placed.length; i++) placed[i] = Math.max(placed[i], placed[i - 1] + apart(i));
  const last = placed.length - 1;
  if (last >= 0 && placed[last] > bottom - more[last]) {
    placed[last] = bottom - more[last];
    for (let i = last - 1; i >= 0; i--) placed[i] = Math.min(placed[i], placed[i + 1] - apart(i + 1));
  }
  const answer = new Array(wished.length);
  order.forEach((place, i) => (answer[place] = placed[i]));
  return answer;
}

/** @typedef {{run: string, lane: string, step: number, text: string, x: number, tone?: string}} Flag  an edit or, with a tone, a finding; in data units */

/** @typedef {Flag & {left: number, brief: boolean, before: boolean}} PlacedFlag  `before`: the words are left of the line */

/** The part of a flag's words that fits on a phone: the glyph of an edit; "dead" or "3 dead" of a finding. @param {Flag} flag */
export const phoneWords = ({ text, tone }) => (tone ? text.replace(/^(layer \d+|gradients) /, "").replace(/^(\d+) units? /, "$1 ") : "");

/**
 * Flags from left to right. Flags outside are left out; words that would touch the next flag go. Words that would
 * leave the chart turn to the left of their line, and earlier flags give way.
 * @param {Flag[]} flags
 * @param {Frame} frame
 * @returns {PlacedFlag[]}
 */
export function placeFlags(flags, frame) {
  const across = flags
    .map((flag) => ({ ...flag, left: pxAcross(frame, flag.x), brief: false, before: false }))
    .filter(({ left }) => left >= frame.left - 1 && left <= frame.left + frame.width + 1)
    .sort((a, b) => a.left - b.left || a.step - b.step);
  const edge = frame.left + frame.width + frame.beyond;
  const lengthOf = (/** @type {PlacedFlag} */ { text }) => GLYPH + text.length * LETTER + (text.match(WIDE)?.length ?? 0) * (WIDE_LETTER - LETTER);
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

/**
 * @param {PlacedFlag} flag
 * @param {PlacedFlag[]} earlier
 * @param {number} from  left end of the turned words
 * @param {Frame} frame
 * @param {(flag: PlacedFlag) => number} lengthOf
 */
function turn(flag, earlier, from, frame, lengthOf) {
  const isInTheWay = from < frame.left || earlier.some(({ left }) => left + GLYPH / 2 > from);
  if (isInTheWay) Object.assign(flag, { brief: true, before: false });
  else for (const one of earlier) one.brief ||= one.left + lengthOf(one) > from;
}
