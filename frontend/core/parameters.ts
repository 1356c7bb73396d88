/**
 * The range of a catalog parameter in words, and refusals of values outside it.
 * Owns: those words. Pure.
 */

import { integer, setting } from "./format.ts";
import { nameFor } from "./words.ts";
import * as texts from "../words/english.ts";
import type { Parameter } from "./catalog.ts";
import type { Json } from "./wire-types.ts";

/** A larger bound is a guard, not part of a useful range. */
const MODERATE = 100;

const hasType = ({ schema }: Parameter, type: string) => [schema?.type].flat().includes(type);
export const isWhole = (parameter: Parameter) => hasType(parameter, "integer");
/** The value is a list, empty by default. */
export const isList = (parameter: Parameter) => hasType(parameter, "array");
/** Null is a value and switches it off. */
export const canBeOff = (parameter: Parameter) => hasType(parameter, "null");

/** `isAbove`, `isBelow`: the bound itself is excluded. */
export function limitsOf({ schema = {} }: Parameter) {
  return {
    low: schema.exclusiveMinimum ?? schema.minimum ?? -Infinity,
    isAbove: schema.exclusiveMinimum !== undefined,
    high: schema.exclusiveMaximum ?? schema.maximum ?? Infinity,
    isBelow: schema.exclusiveMaximum !== undefined,
  };
}

/** A bound in words: "1,000,000", "0.25". */
const bound = (value: number) => (Number.isInteger(value) ? integer(value) : setting(value));

/** "from 0 to just below 1", "above 0, up to 1,000,000". */
function span(parameter: Parameter) {
  const { low, isAbove, high, isBelow } = limitsOf(parameter);
  const end = isBelow ? texts.justBelowX(bound(high)) : bound(high);
  if (low === -Infinity) return high === Infinity ? texts.anyNumber : texts.upToX(end);
  if (high === Infinity) return isAbove ? texts.aboveX(bound(low)) : texts.xOrMore(bound(low));
  return isAbove ? texts.aboveXUpToY(bound(low), end) : texts.fromXToY(bound(low), end);
}

const isFromTo = (parameter: Parameter) => {
  const { low, isAbove, high } = limitsOf(parameter);
  return low !== -Infinity && high !== Infinity && !isAbove;
};

/** "a whole number from 1 to 12", "above 0, up to 1". */
function rangeOf(parameter: Parameter) {
  const words = span(parameter);
  return isWhole(parameter) ? texts.aWholeNumberXY(isFromTo(parameter) ? " " : ", ", words) : words;
}

/** The subject of a refusal: "A rate", "Clip norm". */
const subjectOf = (name: string) =>
  name === "learning_rate" ? texts.aRate : nameFor("settings", name);

/** Why a value is not allowed, or null. */
export function refusalOf(parameter: Parameter): (value: number) => string | null {
  const { low, isAbove, high, isBelow } = limitsOf(parameter);
  return (value) => {
    const tooLow = isAbove ? value <= low : value < low;
    const tooHigh = isBelow ? value >= high : value > high;
    if (isWhole(parameter))
      return tooLow || tooHigh || !Number.isInteger(value)
        ? `${texts.capital(rangeOf(parameter))}.`
        : null;
    if (!tooLow && !tooHigh) return null;
    if (high <= MODERATE) return `${texts.capital(span(parameter))}.`;
    if (tooHigh) return texts.atMostX(bound(high));
    return isAbove
      ? texts.xIsANumberAboveY(subjectOf(parameter.name), bound(low))
      : texts.xIsYOrMore(subjectOf(parameter.name), bound(low));
  };
}

/** "A whole number from 1 to 512 samples", "Above 0, up to 1,000,000; empty is off". */
export function rangeWords(parameter: Parameter) {
  const unit = parameter.unit ? ` ${parameter.unit}` : "";
  const off = canBeOff(parameter) ? texts.emptyIsOffTail : "";
  return `${texts.capital(rangeOf(parameter))}${unit}${off}`;
}

/** meaning; range and source */
export type Explanation = { says: string; more: string };

/** @param row of a table, or a parameter */
export function explanationOf(row: Json | undefined, range?: string): Explanation {
  const sentence = (text: string | undefined) =>
    text ? `${texts.capital(text).replace(/\.$/, "")}.` : "";
  const source = row?.source ? texts.sourceX(row.source) : "";
  return {
    says: sentence(row?.help),
    more: [range, source].filter(Boolean).map(sentence).join(" "),
  };
}

export const explained = (parameter: Parameter) => explanationOf(parameter, rangeWords(parameter));
