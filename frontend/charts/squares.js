/**
 * Places of the squares, one a run. All use the room of two, so that a fork moves nothing below.
 * Owns: squares in a row, their size, and the room around them. Pure.
 */

/** @typedef {{columns: number, rows: number, isSmall: boolean}} Arrangement */
/**
 * @typedef {object} Cell  px
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {{left: number, top: number, width: number}} title
 * @property {{left: number, top: number}|null} apart  place of a score outside the title
 * @property {boolean} isLow  no tick labels below
 * @property {boolean} isInner  no tick labels beside it: a neighbour has the same
 * @property {boolean} isRoomy  has room for axis names
 */

/** Squares in a row: from the third on they are small. A phone puts two in each row. */
const FEW = 2;
const MOST = 4;

/** @param {number} count  of runs @param {boolean} isPhone @returns {Arrangement} */
export function arrangementOf(count, isPhone) {
  const columns = isPhone ? FEW : Math.max(FEW, Math.min(MOST, count));
  return { columns, rows: Math.max(1, Math.ceil(count / columns)), isSmall: columns > FEW };
}

const TITLE = 18;
/** Height of a name's line, and of a score's. */
const LINE = 16;
/** Room for tick labels, left of a plot and below it. */
const LEFT = 22;
const BOTTOM = 20;
const GAP = 14;
const SMALL_GAP = 8;
/** Distance of two titles of small squares, which the run's shape also separates. */
const BETWEEN = 6;
/** Room below small squares in two rows, which have no tick labels there. */
const FOOT = 4;
/** From this size in px, the words "predicted" and "true" leave most of a square to its points. */
const ROOMY = 100;
const LEAST = 20;

/** @typedef {{width: number, height: number}} Room  px */

/** @param {number} count @param {Room} room @param {boolean} isPhone @returns {Cell[]} */
export function cellsOf(count, room, isPhone) {
  const arrangement = arrangementOf(count, isPhone);
  const cellAt = arrangement.isSmall ? smallCells(arrangement, room) : largeCells(arrangement, room);
  return Array.from({ length: count }, (_, k) => cellAt(k % arrangement.columns, Math.floor(k / arrangement.columns)));
}

/** @param {Arrangement} arrangement @param {Room} room @returns {(column: number, row: number) => Cell} */
function largeCells({ rows }, room) {
  const width = (room.width - GAP) / FEW - LEFT;
  const height = Math.max(LEAST, room.height / rows - TITLE - BOTTOM);
  return (column, row) => {
    const [left, top] = [LEFT + column * (LEFT + width + GAP), row * (room.height / rows) + TITLE];
    const title = { left: left - LEFT, top: top - TITLE, width: width + LEFT };
    return { left, top, width, height, title, apart: null, isLow: false, isInner: false, isRoomy: true };
  };
}

/** The score stands below the name, or with two rows inside the square. @param {Arrangement} arrangement @param {Room} room @returns {(column: number, row: number) => Cell} */
function smallCells({ columns, rows }, room) {
  const [over, under] = rows > 1 ? [TITLE, FOOT] : [2 * LINE, BOTTOM];
  const across = (room.width - LEFT - (columns - 1) * SMALL_GAP) / columns;
  const size = Math.max(LEAST, Math.min(across, room.height / rows - over - under));
  // titles use all of a wide room
  const pitch = (room.width - LEFT + SMALL_GAP) / columns;
  return (column, row) => {
    const [left, top] = [LEFT + column * pitch, row * (room.height / rows) + over];
    const title = { left, top: top - over, width: Math.min(pitch - BETWEEN, room.width - left) };
    const apart = { left, top: rows > 1 ? top + 1 : top - LINE };
    return { left, top, width: size, height: size, title, apart, isLow: rows > 1, isInner: column > 0, isRoomy: size >= ROOMY };
  };
}

/** Width of a bold letter over a map, and of the run's shape before it, in px. */
const LETTER = 7.5;
const SHAPE = 14;

/**
 * How many letters of a run's name fit above its map.
 * @param {Arrangement} arrangement
 * @param {number} width  px, of all maps side by side
 */
export function lettersOver({ columns, isSmall }, width) {
  return isSmall ? Math.max(4, Math.floor(((width + SMALL_GAP) / columns - SMALL_GAP - SHAPE) / LETTER)) : Infinity;
}
