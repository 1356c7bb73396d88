/**
 * Names in little room: on two lines, or shortened where they are alike, so that the part that
 * differs stays.
 * Owns: where a name breaks, and where it is shortened. Pure.
 */

/**
 * The beginning and end of a name in this many letters, with an ellipsis between them.
 * @param end letters of its end
 */
function cut(name: string, end: number, most: number) {
  if (name.length <= most) return name;
  const beginning = name.slice(0, Math.max(0, most - 1 - end)).replace(/[ ,;:]+$/, "");
  return `${beginning}…${end ? name.slice(-end).trimStart() : ""}`;
}

/** True if the end starts at a word: half a number is never kept. */
const isWhole = (name: string, end: number) =>
  end === 0 || end >= name.length || name[name.length - end - 1] === " ";

/**
 * "SG…214" beside "SG…200": the shortest end that distinguishes it; otherwise an ordinary "Adam,
 * batc…".
 * @param all the names beside it, including itself
 * @param most letters that fit
 */
export function briefName(name: string, all: string[], most: number) {
  if (name.length <= most) return name;
  const others = all.filter((other) => other !== name);
  // beside "SGD", the beginning of "SGD from 214" says nothing
  const least = others.some((other) => name.startsWith(other)) ? 1 : 0;
  const ends = Array.from({ length: Math.max(1, most) - least }, (_, k) => k + least);
  const telling = ends.filter(
    (end) => !others.some((other) => cut(other, end, most) === cut(name, end, most)),
  );
  return cut(name, telling.find((end) => isWhole(name, end)) ?? telling[0] ?? 0, most);
}

/** Letters that fit on a line: of whole words, and of a shortened name. */
type Room = { whole: number; cut: number };

const inOne = (name: string, all: string[], { whole, cut: most }: Room) =>
  name.length <= whole ? name : briefName(name, all, most);

/**
 * The words that fit on a line, and the rest; null if there is no rest or the first word does not
 * fit.
 */
function brokenAt(name: string, most: number) {
  const end = name.lastIndexOf(" ", most);
  return name.length <= most || end < 1
    ? { first: "", rest: name }
    : { first: name.slice(0, end), rest: name.slice(end + 1) };
}

/**
 * A name on one or two lines: "Adam, batches" over "of 32". Shortened if it does not fit.
 * @param all the names beside it, including itself
 * @param most lines
 */
export function nameLines(name: string, all: string[], room: Room, most: number): string[] {
  const { first, rest } = brokenAt(name, room.whole);
  if (most < 2 || !first) return [inOne(name, all, room)];
  const alike = all
    .map((other) => brokenAt(other, room.whole))
    .filter((other) => other.first === first);
  return [
    first,
    inOne(
      rest,
      alike.map((other) => other.rest),
      room,
    ),
  ];
}
