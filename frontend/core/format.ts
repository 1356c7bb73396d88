/**
 * Formats numbers: 3 significant digits, commas, a true minus, 1e-4 below 0.0001.
 * Owns: formats; words/english.ts has the formats of whole numbers and counts.
 */

import { integer } from "../words/english.ts";

export { every, integer, listed, plural } from "../words/english.ts";

const MINUS = "\u2212";

const trueMinus = (text: string) => text.replaceAll("-", MINUS);

function powerOfTen(value: number) {
  const [digits, exponent] = value.toExponential(2).split("e");
  return `${digits}e${Number(exponent)}`;
}

/** A measured number: "0.0439", "12.3", "1,284", "1.90e7", "0", "–" for null. */
export function number(value: number | null | undefined) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e5) return trueMinus(powerOfTen(value));
  if (size >= 999.5) return trueMinus(integer(value));
  return trueMinus(value.toPrecision(3));
}

/** A measured number in little room, with this many digits: "0.043", "4.3e−4", "12k". */
export function short(value: number | null | undefined, digits: number) {
  if (value === null || value === undefined || !Number.isFinite(value) || value === 0)
    return number(value);
  const size = Math.abs(value);
  const [scaled, unit] = size >= 999.5 && size < 999_500 ? [value / 1000, "k"] : [value, ""];
  if (size < 0.01 || size >= 999_500)
    return trueMinus(value.toExponential(digits - 1).replace("+", ""));
  return (
    trueMinus(
      Math.abs(scaled) >= 10 ** digits ? String(Math.round(scaled)) : scaled.toPrecision(digits),
    ) + unit
  );
}

/** A counter in little room: "12,345", "123.4 k", "1.23 M". */
export function counter(value: number) {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e5) return `${(value / 1e3).toFixed(1)} k`;
  return integer(value);
}

/** Epochs, without decimals if whole. */
export const epochs = (value: number) =>
  Number.isInteger(value) || value >= 1000 ? integer(value) : value.toFixed(2);

/** R² and accuracy: two decimals, never "-0.00". */
export function score(value: number | null | undefined) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value <= -100) return number(value);
  const text = value.toFixed(2);
  return trueMinus(text === "-0.00" ? "0.00" : text);
}

/** A setting as typed, not rounded: "0.03", "1e-5", "1,000", "1e6". */
export function setting(value: number) {
  const rounded = Number(value.toPrecision(6));
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e6))
    return trueMinus(rounded.toExponential()).replace("+", "");
  const [whole, ...decimals] = String(rounded).split(".");
  return [integer(Number(whole)), ...decimals].join(".");
}

/** @param share 0..1 */
export const percent = (share: number) => `${Math.round(share * 100)} %`;

/** A tick at a power of ten: "0.01", "1,000", "1e−4". */
export function tick(exponent: number) {
  if (exponent <= -4 || exponent >= 6) return trueMinus(`1e${exponent}`);
  return exponent < 0 ? (10 ** exponent).toFixed(-exponent) : integer(10 ** exponent);
}

/** Letters of a tick that fit beside a chart on a phone. */
const BRIEF = 5;

/** A whole power of ten: "1e4". */
const briefTick = (value: number) =>
  Number.isInteger(Number(Math.log10(value).toFixed(9)))
    ? trueMinus(`1e${Math.round(Math.log10(value))}`)
    : short(value, 3);

/** Ticks in little room: "10,000" becomes "1e4", other numbers keep three digits. */
export const briefTicks = (values: number[] | undefined, texts: string[] | undefined) =>
  texts?.map((text, k) => (text.length > BRIEF && values ? briefTick(values[k]) : text));
