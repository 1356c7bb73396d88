/**
 * One step of a run as `inspect` answers it: values before each line, results, and the line to look
 * at first.
 * Owns: that structure. Pure.
 */

import { namesIn } from "./expressions.ts";
import * as texts from "../../words/english.ts";
import type { Entry, Line, Sheet } from "../../core/wire-types.ts";

export type Scope = Map<string, Entry>;

export const sizeOf = ({ shape }: Entry) => shape.reduce((size, length) => size * length, 1);

/** Every entry is exactly 0, not merely small. */
export const isAllZero = (entry: Entry | undefined) =>
  entry !== undefined && sizeOf(entry) > 0 && entry.zeros === sizeOf(entry);

export const isOdd = (entry: Entry | undefined) => Object.keys(entry?.not_finite ?? {}).length > 0;

/** No entry is above 0. */
export const isNowherePositive = (entry: Entry) =>
  !isOdd(entry) && entry.zeros + entry.negative === sizeOf(entry);

/** The value of each name before a line. */
export const valuesBefore = ({ given, lines }: Sheet, place: number): Scope =>
  new Map([...given, ...lines.slice(0, place)].map((entry) => [entry.name, entry]));

/** A bare number by its name, the last one. */
export function numberOf({ given, lines }: Sheet, name: string): number | null {
  const values = [...given, ...lines].filter((entry) => entry.name === name).at(-1)?.values;
  return typeof values === "number" ? values : null;
}

/**
 * The line where everything became 0: the output of a dead layer, else the first result of zeros.
 * -1 if there is none. The dead layer counts, though samples of a small batch may be 0 earlier.
 * @param dead the layer, from 1
 */
export function firstZero({ lines }: Sheet, dead: number | null) {
  const place = lines.findIndex(
    (line) => line.part === "forward" && line.name === `a${dead}` && isAllZero(line),
  );
  return place >= 0 ? place : lines.findIndex(isAllZero);
}

/** The first line with an infinity or NaN. */
export const firstOdd = ({ lines }: Sheet) => lines.findIndex(isOdd);

/**
 * The key of a line, the same from step to step: "update W2", and "update W2 2" for a second line
 * of that name.
 */
export function keyOf({ lines }: Sheet, place: number) {
  const { part, name } = lines[place];
  const before = lines
    .slice(0, place)
    .filter((line) => line.part === part && line.name === name).length;
  return before ? `${part} ${name} ${before + 1}` : `${part} ${name}`;
}

/** @param key -1 if there is no such line */
export const placeOf = (sheet: Sheet, key: string | null) =>
  sheet.lines.findIndex((_, place) => keyOf(sheet, place) === key);

/**
 * The place of the selected line, else of the line where something went wrong.
 * @param dead a dead layer of the run
 */
export function shownPlace(sheet: Sheet, chosen: string | null, dead: number | null) {
  const place = placeOf(sheet, chosen);
  if (place >= 0) return place;
  const odd = firstOdd(sheet);
  return Math.max(0, odd >= 0 ? odd : dead === null ? 0 : firstZero(sheet, dead));
}

/** Later lines that depend on a line, in order; `isDirect` if they name it. */
export function dependentsOf({ lines }: Sheet, place: number) {
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

/** @param names the first of them that exists */
const firstOf = ({ lines }: Sheet, names: string[]) =>
  names.map((name) => lines.findIndex((line) => line.name === name)).find((place) => place >= 0) ??
  -1;

/** The line of the backward pass that reverses a forward line, or the other way round. */
function partnerPlace(sheet: Sheet, place: number) {
  const { name, part } = sheet.lines[place];
  const [, kind, digits] = /^(d?[azWb])(\d+)$/.exec(name) ?? ["", name, ""];
  const layer = Number(digits);
  if (part === "forward")
    return firstOf(sheet, kind === "a" || kind === "z" ? [`dz${layer}`] : ["dy_pred"]);
  if (part === "update") {
    const [parameter] = /[Wb]\d+$/.exec(name) ?? [];
    return parameter === undefined
      ? -1
      : sheet.lines
          .slice(0, place)
          .map((line) => line.name)
          .lastIndexOf(`d${parameter}`);
  }
  if (kind === "dz") return firstOf(sheet, [`a${layer}`, "y_pred"]);
  if (kind === "dW" || kind === "db") return firstOf(sheet, [`z${layer}`, "y_pred"]);
  if (kind === "da") return firstOf(sheet, [`z${layer + 1}`, "y_pred"]);
  return firstOf(sheet, ["loss"]);
}

const WAYS: Record<Line["part"], string> = {
  forward: texts.onTheWayBack,
  backward: texts.onTheWayThere,
  update: texts.itsGradient,
};

export function partnerOf(sheet: Sheet, place: number): { place: number; words: string } | null {
  const there = partnerPlace(sheet, place);
  return there < 0 ? null : { place: there, words: WAYS[sheet.lines[place].part] };
}

const MOST_FOLLOWING = 4;

const isGradient = ({ name, part }: Line) => part === "backward" && /^d[Wb]\d+$/.test(name);

/**
 * Lines that follow from one: the next that names it, dependent weight gradients, and the only
 * remaining gradient if there is one.
 */
export function followersOf(sheet: Sheet, place: number): { place: number; isOnly: boolean }[] {
  const { lines } = sheet;
  const behind = dependentsOf(sheet, place);
  const weights = behind
    .filter(({ place: k }) => isGradient(lines[k]) && lines[k].name.startsWith("dW"))
    .map(({ place: k }) => k);
  const direct = behind
    .filter(({ isDirect }) => isDirect)
    .map(({ place: k }) => k)
    .slice(0, weights.length ? 1 : 3);
  const left = lines.flatMap((line, k) => (isGradient(line) && !isAllZero(line) ? [k] : []));
  const only = left.length === 1 && left[0] > place ? left[0] : null;
  const most = MOST_FOLLOWING - (only === null ? 0 : 1);
  const listed = [...new Set([...direct, ...weights])].filter((k) => k !== only).slice(0, most);
  return [
    ...listed.map((k) => ({ place: k, isOnly: false })),
    ...(only === null ? [] : [{ place: only, isOnly: true }]),
  ];
}
