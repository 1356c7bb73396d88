/**
 * Names where there is little room: over two lines, or cut where they are alike, so that what tells them apart stays.
 * Owns: where a name is broken and where it is cut. Pure.
 */

/**
 * The beginning and the end of a name, of so many letters together, the sign between them being one.
 * @param {string} name
 * @param {number} end   letters of its end
 * @param {number} most
 */
function cut(name, end, most) {
  if (name.length <= most) return name;
  return `${name.slice(0, Math.max(0, most - 1 - end)).trimEnd()}…${end ? name.slice(-end).trimStart() : ""}`;
}

/** Whether an end begins with a word: of a number no half is kept. @param {string} name @param {number} end */
const isWhole = (name, end) => end === 0 || end >= name.length || name[name.length - end - 1] === " ";

/**
 * "SG…214" beside "SG…200": with as little of the end as tells it from the others; an ordinary "Adam, batc…" where the beginning does.
 * @param {string} name
 * @param {string[]} all   the names that stand beside it, itself among them
 * @param {number} most    letters there is room for
 */
export function briefName(name, all, most) {
  if (name.length <= most) return name;
  const others = all.filter((other) => other !== name);
  // beside "SGD", of "SGD from 214" the beginning says nothing
  const least = others.some((other) => name.startsWith(other)) ? 1 : 0;
  const ends = Array.from({ length: Math.max(1, most) - least }, (_, k) => k + least);
  const telling = ends.filter((end) => !others.some((other) => cut(other, end, most) === cut(name, end, most)));
  return cut(name, telling.find((end) => isWhole(name, end)) ?? telling[0] ?? 0, most);
}

/** How many letters a line has room for: of words that are whole, and of what is left of one that is cut. @typedef {{whole: number, cut: number}} Room */

/** @param {string} name @param {string[]} all @param {Room} room */
const inOne = (name, all, { whole, cut: most }) => (name.length <= whole ? name : briefName(name, all, most));

/** The words that a line has room for, and the rest; nothing is a rest, and not even the first word fits where all are. @param {string} name @param {number} most */
function brokenAt(name, most) {
  const end = name.lastIndexOf(" ", most);
  return name.length <= most || end < 1 ? { first: "", rest: name } : { first: name.slice(0, end), rest: name.slice(end + 1) };
}

/**
 * "Adam, batches" over "of 32": a name in at most so many lines, one or two, and cut where they do not hold it.
 * @param {string} name
 * @param {string[]} all   the names that stand beside it, itself among them
 * @param {Room} room
 * @param {number} most    lines
 * @returns {string[]}
 */
export function nameLines(name, all, room, most) {
  const { first, rest } = brokenAt(name, room.whole);
  if (most < 2 || !first) return [inOne(name, all, room)];
  const alike = all.map((other) => brokenAt(other, room.whole)).filter((other) => other.first === first);
  return [first, inOne(rest, alike.map((other) => other.rest), room)];
}
