/**
 * Places of the squares, one a run. All use the room of two, so that a fork moves nothing below.
 * Owns: squares in a row, their size, and the room around them. Pure.
 */

import type { Area } from "./labels.ts";

type Arrangement = { columns: number; rows: number; isSmall: boolean };
export interface Cell extends Area {
  title: Omit<Area, "height">;
  apart: Pick<Area, "left" | "top"> | null; // place of a score outside the title
  isLow: boolean; // no tick labels below
  isInner: boolean; // no tick labels beside it: a neighbour has the same
  isRoomy: boolean; // has room for axis names
}

/** Squares in a row: from the third on they are small. A phone puts two in each row. */
const FEW = 2;
const MOST = 4;

/** @param count of runs */
export function arrangementOf(count: number, isPhone: boolean): Arrangement {
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
/** The last name of a row may stand this much out of the squares, in px. */
const BEYOND = 4;
/** Room below small squares in two rows, which have no tick labels there. */
const FOOT = 4;
/** From this size in px, the words "predicted" and "true" leave most of a square to its points. */
const ROOMY = 100;
const LEAST = 20;

type Room = Pick<Area, "width" | "height">;

export function cellsOf(count: number, room: Room, isPhone: boolean): Cell[] {
  const arrangement = arrangementOf(count, isPhone);
  const cellAt = arrangement.isSmall
    ? smallCells(arrangement, room)
    : largeCells(arrangement, room);
  return Array.from({ length: count }, (_, k) =>
    cellAt(k % arrangement.columns, Math.floor(k / arrangement.columns)),
  );
}

function largeCells({ rows }: Arrangement, room: Room): (column: number, row: number) => Cell {
  const width = (room.width - GAP) / FEW - LEFT;
  const height = Math.max(LEAST, room.height / rows - TITLE - BOTTOM);
  return (column, row) => {
    const [left, top] = [LEFT + column * (LEFT + width + GAP), row * (room.height / rows) + TITLE];
    const title = { left: left - LEFT, top: top - TITLE, width: width + LEFT };
    return {
      left,
      top,
      width,
      height,
      title,
      apart: null,
      isLow: false,
      isInner: false,
      isRoomy: true,
    };
  };
}

/** The score stands below the name, or with two rows inside the square. */
function smallCells(
  { columns, rows }: Arrangement,
  room: Room,
): (column: number, row: number) => Cell {
  const [over, under] = rows > 1 ? [TITLE, FOOT] : [2 * LINE, BOTTOM];
  const across = (room.width - LEFT - (columns - 1) * SMALL_GAP) / columns;
  const size = Math.max(LEAST, Math.min(across, room.height / rows - over - under));
  // titles use all of a wide room
  const pitch = (room.width - LEFT + SMALL_GAP) / columns;
  return (column, row) => {
    const [left, top] = [LEFT + column * pitch, row * (room.height / rows) + over];
    const title = {
      left,
      top: top - over,
      width: Math.min(pitch - BETWEEN, room.width + BEYOND - left),
    };
    const apart = { left, top: rows > 1 ? top + 1 : top - LINE };
    return {
      left,
      top,
      width: size,
      height: size,
      title,
      apart,
      isLow: rows > 1,
      isInner: column > 0,
      isRoomy: size >= ROOMY,
    };
  };
}

/** Width of a bold letter over a map, and of the run's shape before it, in px. */
const LETTER = 7.5;
const SHAPE = 14;

/**
 * How many letters of a run's name fit above its map.
 * @param width px, of all maps side by side
 */
export function lettersOver({ columns, isSmall }: Arrangement, width: number) {
  return isSmall
    ? Math.max(4, Math.floor(((width + SMALL_GAP) / columns - SMALL_GAP - SHAPE) / LETTER))
    : Infinity;
}
