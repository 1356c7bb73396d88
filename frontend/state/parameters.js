/**
 * The range of a catalog parameter in words, and refusals of values outside it.
 * Owns: those words. Pure.
 */

import { integer, setting } from "./format.js";
import { capital, nameFor } from "./words.js";

/** @typedef {import("./catalog.js").Parameter} Parameter */

/** A larger bound is a guard, not part of a useful range. */
const MODERATE = 100;

/** @param {Parameter} parameter @param {string} type */
const hasType = ({ schema }, type) => [schema?.type].flat().includes(type);
/** @param {Parameter} parameter */
export const isWhole = (parameter) => hasType(parameter, "integer");
/** Null is a value and switches it off. @param {Parameter} parameter */
export const canBeOff = (parameter) => hasType(parameter, "null");

/** `isAbove`, `isBelow`: the bound itself is excluded. @param {Parameter} parameter */
export function limitsOf({ schema = {} }) {
  return {
    low: schema.exclusiveMinimum ?? schema.minimum ?? -Infinity, isAbove: schema.exclusiveMinimum !== undefined,
    high: schema.exclusiveMaximum ?? schema.maximum ?? Infinity, isBelow: schema.exclusiveMaximum !== undefined,
  };
}

/** A bound in words: "1,000,000", "0.25". @param {number} value */
const bound = (value) => (Number.isInteger(value) ? integer(value) : setting(value));

/** "from 0 to just below 1", "above 0, up to 1,000,000". @param {Parameter} parameter */
function span(parameter) {
  const { low, isAbove, high, isBelow } = limitsOf(parameter);
  const end = isBelow ? `just below ${bound(high)}` : bound(high);
  if (low === -Infinity) return high === Infinity ? "any number" : `up to ${end}`;
  if (high === Infinity) return isAbove ? `above ${bound(low)}` : `${bound(low)} or more`;
  return isAbove ? `above ${bound(low)}, up to ${end}` : `from ${bound(low)} to ${end}`;
}

/** "a whole number from 1 to 12", "above 0, up to 1". @param {Parameter} parameter */
function rangeOf(parameter) {
  const words = span(parameter);
  return isWhole(parameter) ? `a whole number${/^from \b/.test(words) ? " " : ", "}${words}` : words;
}

/** The subject of a refusal: "A rate", "Clip norm". @param {string} name */
const subjectOf = (name) => (name === "learning_rate" ? "A rate" : nameFor("settings", name));

/** Why a value is not allowed, or null. @param {Parameter} parameter @returns {(value: number) => string|null} */
export function refusalOf(parameter) {
  const { low, isAbove, high, isBelow } = limitsOf(parameter);
  return (value) => {
    const tooLow = isAbove ? value <= low : value < low;
    const tooHigh = isBelow ? value >= high : value > high;
    if (isWhole(parameter)) return tooLow || tooHigh || !Number.isInteger(value) ? `${capital(rangeOf(parameter))}.` : null;
    if (!tooLow && !tooHigh) return null;
    if (high <= MODERATE) return `${capital(span(parameter))}.`;
    if (tooHigh) return `At most ${bound(high)}.`;
    return isAbove ? `${subjectOf(parameter.name)} is a number above ${bound(low)}.` : `${subjectOf(parameter.name)} is ${bound(low)} or more.`;
  };
}

/** "A whole number from 1 to 512 samples", "Above 0, up to 1,000,000; empty is off". @param {Parameter} parameter */
export function rangeWords(parameter) {
  const unit = parameter.unit ? ` ${parameter.unit}` : "";
  const off = canBeOff(parameter) ? "; empty is off" : "";
  return `${capital(rangeOf(parameter))}${unit}${off}`;
}

/** @typedef {{says: string, more: string}} Explanation  meaning; range and source */

/**
 * @param {import("./wire-types.js").Json|undefined} row  of a table, or a parameter
 * @param {string} [range]
 * @returns {Explanation}
 */
export function explanationOf(row, range) {
  const sentence = (/** @type {string|undefined} */ text) => (text ? `${capital(text).replace(/\.$/, "")}.` : "");
  const source = row?.source ? `Source: ${row.source}` : "";
  return { says: sentence(row?.help), more: [range, source].filter(Boolean).map(sentence).join(" ") };
}

/** @param {Parameter} parameter */
export const explained = (parameter) => explanationOf(parameter, rangeWords(parameter));
