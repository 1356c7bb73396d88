/**
 * Labels over a plot: where they go, and what gives way when they would touch.
 * Owns: geometry of labels. Pure; the element makes HTML of it, because text keeps its size only there.
 */

/** @typedef {{type: "log"|"linear", range: number[]}} Axis */
/** @typedef {{left: number, top: number, width: number, height: number, x: Axis, y: Axis}} Frame  px, and the axes as drawn */

/** Apart by at least this, in px. */
export const APART = 16;
const GLYPH = 18;
const LETTER = 6.4;
/** A run that ends before this share of the width has its label at its end, not in the gutter. */
const ENDS_EARLY = 0.85;

/** @param {number} value @param {Axis} axis */
export const shareOf = (value, { type, range: [low, high] }) => ((type === "log" ? Math.log10(value) : value) - low) / (high - low);

/** @param {Frame} frame @param {number} value */
export const pxAcross = (frame, value) => frame.left + frame.width * shareOf(value, frame.x);

/** @param {Frame} frame @param {number} value */
export const pxDown = (frame, value) => frame.top + frame.height * (1 - shareOf(value, frame.y));

/**
 * Heights pushed apart, each as near to where it belongs as the others allow, and inside the plot.
 * @param {number[]} wished  px
 * @param {number} top
 * @param {number} bottom
 * @returns {number[]} in the order given
 */
export function pushApart(wished, top, bottom) {
  const order = wished.map((_, place) => place).sort((a, b) => wished[a] - wished[b]);
  const placed = order.map((place) => Math.min(bottom, Math.max(top, wished[place])));
  for (let i = 1; i < placed.length; i++) placed[i] = Math.max(placed[i], placed[i - 1] + APART);
  const over = placed.length ? placed[placed.length - 1] - bottom : 0;
  if (over > 0) {
    placed[placed.length - 1] = bottom;
    for (let i = placed.length - 2; i >= 0; i--) placed[i] = Math.min(placed[i], placed[i + 1] - APART);
  }
  const answer = new Array(wished.length);
  order.forEach((place, i) => (answer[place] = placed[i]));
  return answer;
}

/** @typedef {{run: string, lane: string, name: string, value: string, bad: boolean, x: number, y: number}} End  where a run's line ends, in the data's units */
/** @typedef {End & {left: number, top: number, gutter: boolean}} PlacedEnd */

/**
 * @param {End[]} ends
 * @param {Frame} frame
 * @returns {PlacedEnd[]}
 */
export function placeEnds(ends, frame) {
  const inside = ends.filter(({ x }) => shareOf(x, frame.x) > -0.001);
  const [top, bottom] = [frame.top + 6, frame.top + frame.height - 6];
  const isEarly = (/** @type {End} */ end) => shareOf(end.x, frame.x) < ENDS_EARLY;
  const gutter = inside.filter((end) => !isEarly(end));
  const heights = pushApart(gutter.map(({ y }) => pxDown(frame, y)), top, bottom);
  return [
    ...gutter.map((end, i) => ({ ...end, left: frame.left + frame.width + 9, top: heights[i], gutter: true })),
    ...inside.filter(isEarly).map((end) => ({
      ...end, left: pxAcross(frame, end.x) + 6, top: Math.max(top, Math.min(bottom, pxDown(frame, end.y) - 13)), gutter: false,
    })),
  ];
}

/** @typedef {{run: string, lane: string, step: number, text: string, x: number}} Flag  an edit, in the data's units */

/**
 * Flags from left to right. One whose text would touch the next keeps its glyph only; one outside is left out.
 * @param {Flag[]} flags
 * @param {Frame} frame
 */
export function placeFlags(flags, frame) {
  const across = flags
    .map((flag) => ({ ...flag, left: pxAcross(frame, flag.x), brief: false }))
    .filter(({ left }) => left >= frame.left - 1 && left <= frame.left + frame.width + 1)
    .sort((a, b) => a.left - b.left || a.step - b.step);
  across.forEach((flag, i) => {
    const room = (across[i + 1]?.left ?? Infinity) - flag.left;
    flag.brief = room < GLYPH + flag.text.length * LETTER;
  });
  return across;
}
