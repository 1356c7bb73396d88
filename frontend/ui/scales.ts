/**
 * Positions of a slider as numbers: logarithmic rates, powers of two, Adam's numbers near 1.
 * Owns: position <-> value, both ways. Pure.
 */

import { isWhole, limitsOf } from "../core/parameters.ts";
import type { Parameter } from "../core/catalog.ts";

export interface Scale {
  positions: number; // positions are 0 .. positions
  page: number; // positions for Page Up and Page Down
  valueAt: (position: number) => number;
  positionOf: (value: number) => number; // not rounded, within 0 .. positions
}

const within = (value: number, highest: number) => Math.min(highest, Math.max(0, value));
const rounded = (value: number, digits: number) => Number(value.toPrecision(digits));

const A_DECADE = 60;

/** Sixty positions a decade; the last one is `highest` itself. */
export function logScale(lowest: number, highest: number): Scale {
  const decades = Math.log10(highest / lowest);
  const positions = Math.round(decades * A_DECADE);
  return {
    positions,
    page: A_DECADE,
    valueAt: (position) =>
      position >= positions ? highest : rounded(lowest * 10 ** (position / A_DECADE), 3),
    positionOf: (value) => within(Math.log10(value / lowest) * A_DECADE, positions),
  };
}

export function evenScale(lowest: number, highest: number, step: number): Scale {
  const positions = Math.round((highest - lowest) / step);
  return {
    positions,
    page: Math.max(1, Math.round(positions / 10)),
    valueAt: (position) => rounded(lowest + position * step, 6),
    positionOf: (value) => within((value - lowest) / step, positions),
  };
}

/** 2, 4, 8, ... up to `highest`. */
export function powersOfTwo(highest: number): Scale {
  const positions = Math.max(1, Math.floor(Math.log2(highest)) - 1);
  return {
    positions,
    page: 2,
    valueAt: (position) => 2 ** Math.round(position + 1),
    positionOf: (value) => within(Math.log2(value) - 1, positions),
  };
}

/** Numbers just below 1, by their distance from it: 0, 0.9, 0.99, 0.999, ... */
export function ninesScale(nines: number): Scale {
  const perNine = 20;
  return {
    positions: nines * perNine,
    page: perNine,
    valueAt: (position) => rounded(1 - rounded(10 ** (-position / perNine), 2), 6),
    positionOf: (value) =>
      within(-Math.log10(1 - Math.min(value, 1 - 1e-9)) * perNine, nines * perNine),
  };
}

/** 0, then sixty positions a decade from `lowest`, for settings that may be off. */
export function logScaleFromZero(lowest: number, highest: number): Scale {
  const { positions, page, valueAt, positionOf } = logScale(lowest, highest);
  return {
    positions: positions + 1,
    page,
    valueAt: (position) => (position < 1 ? 0 : valueAt(position - 1)),
    positionOf: (value) => (value <= 0 ? 0 : positionOf(value) + 1),
  };
}

/** Useful ranges where the allowed range is far wider. */
const USUAL: Record<string, Scale> = {
  learning_rate: logScale(1e-5, 4),
  batch_size: powersOfTwo(512),
};
/** A larger bound is a guard: the slider stops two decades above the default. */
const FAR = 100;

/**
 * The scale of a parameter's slider, from its range: linear for shares, by nines near 1, by decades
 * for sizes.
 */
export function scaleOf(parameter: Parameter): Scale {
  if (USUAL[parameter.name]) return USUAL[parameter.name];
  const { low, isAbove, high, isBelow } = limitsOf(parameter);
  const usual = Math.abs(parameter.default ?? parameter.when_on ?? 1) || 1;
  if (low === 0 && high === 1 && isBelow)
    return usual >= 0.99 ? ninesScale(5) : evenScale(0, 0.99, 0.01);
  if (high > FAR || low === -Infinity)
    return (isAbove || low > 0 ? logScale : logScaleFromZero)(
      usual / 1000,
      Math.min(high, usual * FAR),
    );
  if (isWhole(parameter)) return evenScale(low, high, 1);
  const step = (high - low) / 100;
  return evenScale(isAbove ? low + step : low, high, step);
}

/** The last position of the speed slider: as fast as possible. */
export const SPEED = logScale(1, 1000);
const FASTEST = SPEED.positions + 1;

export const speedAt = (position: number): number | "max" =>
  position >= FASTEST ? "max" : Math.max(1, rounded(SPEED.valueAt(position), 2));
export const positionOfSpeed = (speed: number | "max") =>
  speed === "max" || speed > 1000 ? FASTEST : SPEED.positionOf(speed);

const STOPS = [1, 2, 5, 10, 20, 30, 60, 100, 200, 500, 1000, "max"] as (number | "max")[];

/** The next round speed, for one key press. */
export function nextSpeed(speed: number | "max", direction: 1 | -1): number | "max" {
  const size = (stop: number | "max") => (stop === "max" ? Infinity : stop);
  const stops = direction > 0 ? STOPS : [...STOPS].reverse();
  return stops.find((stop) => (size(stop) - size(speed)) * direction > 0) ?? stops.at(-1) ?? speed;
}
