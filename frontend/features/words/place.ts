/**
 * The place of a card: beside its word, never over the word's row.
 * Owns: that geometry. Pure.
 */

export type Box = { left: number; right: number; top: number; bottom: number };
export type Size = { width: number; height: number };
type Place = { left: number; top: number; most: number };

/** px between row and card, and between card and edge. */
const GAP = 6;
const EDGE = 8;

/**
 * The place of a card at the word, in the column of its row: below the row, else above it. If it
 * fits in neither, it is less tall, where more room is. A rail is narrower than a card: the card is
 * beside the rail's row if it fits there.
 * @param row what the card must not cover
 * @param rail around the row
 * @param window without the bars that stay
 * @returns left and top, and the greatest height
 */
export function placeOf(
  word: Box,
  row: Box,
  { width, height }: Size,
  window: Size,
  rail: Box | null = null,
): Place {
  const within = (value: number, size: number, room: number) =>
    Math.max(EDGE, Math.min(value, room - size - EDGE));
  if (rail) {
    const most = window.height - 2 * EDGE;
    const top = within(row.top, Math.min(height, most), window.height);
    if (rail.right + GAP + width + EDGE <= window.width)
      return { left: rail.right + GAP, top, most };
    if (rail.left - GAP - width - EDGE >= 0) return { left: rail.left - GAP - width, top, most };
  }
  // in the column of its row
  const [first, last] = [Math.min(row.top, word.top), Math.max(row.bottom, word.bottom)];
  const column = Math.max(row.left, row.right - width);
  const left = within(Math.min(word.left, column), width, window.width);
  const below = window.height - EDGE - last - GAP;
  const above = first - GAP - EDGE;
  if (height <= below || below >= above) return { left, top: last + GAP, most: Math.max(0, below) };
  return { left, top: Math.max(EDGE, first - GAP - height), most: Math.max(0, above) };
}
