/**
 * One step of a run as `inspect` answers it: values before each line, results, and the line to look at first.
 * Owns: that structure. Pure.
 */

import { namesIn } from "./expressions.js";

/** @typedef {number|null} Cell  null = not finite */
/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {number[]} shape  empty for a bare number
 * @property {Cell|Cell[][]} values  the columns shown; of the batch `rows` rows from row `first` on, of others the first rows
 * @property {number} zeros  number of entries that are exactly 0
 * @property {number} negative
 * @property {number} largest  largest finite absolute value
 * @property {number} [first]
 * @property {number} [rows]
 * @property {Cell[]} [mean]  over the whole batch
 * @property {{row: number, column: number, value: number}} [largest_at]  in the whole matrix, as everything besides `values`
 * @property {{row: number, column: number, before: number, after: number}} [change]  largest change since the name's last value
 * @property {Partial<Record<"nan"|"inf"|"-inf", number>>} [not_finite]
 * @property {[number, number, "nan"|"inf"|"-inf"][]} [not_finite_at]  row (among those sent), column, kind
 */
/** @typedef {Entry & {part: "forward"|"backward"|"update", expression: string}} Line */
/** @typedef {{step: number, generation: number, batch: number[], functions: Record<string, string>, given: Entry[], lines: Line[]}} Sheet */
/** @typedef {Map<string, Entry>} Scope */

/** @param {Entry} entry */
export const sizeOf = ({ shape }) => shape.reduce((size, length) => size * length, 1);

/** Every entry is exactly 0, not merely small. @param {Entry|undefined} entry */
export const isAllZero = (entry) => entry !== undefined && sizeOf(entry) > 0 && entry.zeros === sizeOf(entry);

/** @param {Entry|undefined} entry */
export const isOdd = (entry) => Object.keys(entry?.not_finite ?? {}).length > 0;

/** No entry is above 0. @param {Entry} entry */
export const isNowherePositive = (entry) => !isOdd(entry) && entry.zeros + entry.negative === sizeOf(entry);

/** The value of each name before a line. @param {Sheet} sheet @param {number} place @returns {Scope} */
export const valuesBefore = ({ given, lines }, place) => new Map([...given, ...lines.slice(0, place)].map((entry) => [entry.name, entry]));

/** A bare number by its name, the last one. @param {Sheet} sheet @param {string} name @returns {number|null} */
export function numberOf({ given, lines }, name) {
  const values = [...given, ...lines].filter((entry) => entry.name === name).at(-1)?.values;
  return typeof values === "number" ? values : null;
}

/**
 * The line where everything became 0: the output of a dead layer, though samples of a small batch may be 0 earlier;
 * else the first result of zeros. -1 if there is none.
 * @param {Sheet} sheet
 * @param {number|null} dead  the layer, from 1
 */
export function firstZero({ lines }, dead) {
  const place = lines.findIndex((line) => line.part === "forward" && line.name === `a${dead}` && isAllZero(line));
  return place >= 0 ? place : lines.findIndex(isAllZero);
}

/** The first line with an infinity or NaN. @param {Sheet} sheet */
export const firstOdd = ({ lines }) => lines.findIndex(isOdd);

/** The key of a line, the same from step to step: "update W2", and "update W2 2" for a second line of that name. @param {Sheet} sheet @param {number} place */
export function keyOf({ lines }, place) {
  const { part, name } = lines[place];
  const before = lines.slice(0, place).filter((line) => line.part === part && line.name === name).length;
  return before ? `${part} ${name} ${before + 1}` : `${part} ${name}`;
}

/** @param {Sheet} sheet @param {string|null} key  -1 if there is no such line */
export const placeOf = (sheet, key) => sheet.lines.findIndex((_, place) => keyOf(sheet, place) === key);

/**
 * The place of the selected line, else of the line where something went wrong.
 * @param {Sheet} sheet
 * @param {string|null} chosen
 * @param {number|null} dead  a dead layer of the run
 */
export function shownPlace(sheet, chosen, dead) {
  const place = placeOf(sheet, chosen);
  if (place >= 0) return place;
  const odd = firstOdd(sheet);
  return Math.max(0, odd >= 0 ? odd : dead === null ? 0 : firstZero(sheet, dead));
}

/**
 * Later lines that depend on a line, in order; `isDirect` if they name it.
 * @param {Sheet} sheet
 * @param {number} place
 */
export function dependentsOf({ lines }, place) {
  const { name } = lines[place];
  const touched = new Set([name]);
  let isStill = true;
  const followers = [];
  for (let k = place + 1; k < lines.length; k++) {
    const names = namesIn(lines[k].expression);
    const isDirect = isStill && names.has(name);
    if ([...names].some((each) => touched.has(each))) {
      touched.add(lines[k].name);
      followers.push({ place: k, isDirect });
    } else touched.delete(lines[k].name);
    // from here on the name has another value
    if (lines[k].name === name) isStill = false;
  }
  return followers;
}

/** @param {Sheet} sheet @param {string} name @param {Line["part"]} [part] */
const firstCalled = ({ lines }, name, part) => lines.findIndex((line) => line.name === name && (!part || line.part === part));

/** @param {Sheet} sheet @param {string[]} names  the first of them that exists */
const firstOf = (sheet, names) => names.map((name) => firstCalled(sheet, name)).find((place) => place >= 0) ?? -1;

/** The line of the backward pass that reverses a forward line, or the other way round. @param {Sheet} sheet @param {number} place */
function partnerPlace(sheet, place) {
  const { name, part } = sheet.lines[place];
  const [, kind, digits] = /^(d?[azWb])(\d+)$/.exec(name) ?? ["", name, ""];
  const layer = Number(digits);
  if (part === "forward") return firstOf(sheet, kind === "a" || kind === "z" ? [`dz${layer}`] : ["dy_pred"]);
  if (part === "update") {
    const [parameter] = /[Wb]\d+$/.exec(name) ?? [];
    return parameter === undefined ? -1 : sheet.lines.slice(0, place).map((line) => line.name).lastIndexOf(`d${parameter}`);
  }
  if (kind === "dz") return firstOf(sheet, [`a${layer}`, "y_pred"]);
  if (kind === "dW" || kind === "db") return firstOf(sheet, [`z${layer}`, "y_pred"]);
  if (kind === "da") return firstOf(sheet, [`z${layer + 1}`, "y_pred"]);
  return firstOf(sheet, ["loss"]);
}

/** @type {Record<Line["part"], string>} */
const WAYS = { forward: "on the way back", backward: "on the way there", update: "its gradient" };

/** @param {Sheet} sheet @param {number} place @returns {{place: number, words: string}|null} */
export function partnerOf(sheet, place) {
  const there = partnerPlace(sheet, place);
  return there < 0 ? null : { place: there, words: WAYS[sheet.lines[place].part] };
}

const MOST_FOLLOWING = 4;

/** @param {Line} line */
const isGradient = ({ name, part }) => part === "backward" && /^d[Wb]\d+$/.test(name);

/**
 * Lines that follow from one: the next that names it, dependent weight gradients, and the only remaining gradient if
 * there is one.
 * @param {Sheet} sheet
 * @param {number} place
 * @returns {{place: number, isOnly: boolean}[]}
 */
export function followersOf(sheet, place) {
  const { lines } = sheet;
  const behind = dependentsOf(sheet, place);
  const weights = behind.filter(({ place: k }) => isGradient(lines[k]) && lines[k].name.startsWith("dW")).map(({ place: k }) => k);
  const direct = behind.filter(({ isDirect }) => isDirect).map(({ place: k }) => k).slice(0, weights.length ? 1 : 3);
  const left = lines.flatMap((line, k) => (isGradient(line) && !isAllZero(line) ? [k] : []));
  const only = left.length === 1 && left[0] > place ? left[0] : null;
  const most = MOST_FOLLOWING - (only === null ? 0 : 1);
  const listed = [...new Set([...direct, ...weights])].filter((k) => k !== only).slice(0, most);
  return [...listed.map((k) => ({ place: k, isOnly: false })), ...(only === null ? [] : [{ place: only, isOnly: true }])];
}
