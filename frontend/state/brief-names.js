/**
 * Names where there is little room: cut where they are alike, so that what tells them apart stays.
 * Owns: where a name is cut. Pure.
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
