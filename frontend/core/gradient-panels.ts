/**
 * The panels of gradients for a measure: one for each layer, or the whole gradient beside the rate.
 * Owns: their names and series. Pure.
 */

import * as texts from "../words/english.ts";
import type { Measure, State } from "./types.ts";

export type Panel = { name: string; series: string };

const WHOLE: Panel[] = [
  { name: texts.allLayers, series: "grad_norm" },
  { name: texts.afterClipping, series: "grad_norm_clipped" },
  { name: texts.rate, series: "learning_rate" },
];

/** Without a bound on the gradient nothing is clipped. */
const isClipped = ({ runs }: State) =>
  Object.values(runs).some(({ latest }) => latest.grad_norm_clipped !== undefined);

export const panelsFor = (measure: Measure, weights: string[]): Panel[] =>
  measure === "whole" ? WHOLE : weights.map((name) => ({ name, series: `${measure}/${name}` }));

export const panelsOf = (state: State) =>
  panelsFor(state.view.measure, state.experiment?.weights ?? []).filter(
    ({ series }) => series !== "grad_norm_clipped" || isClipped(state),
  );

/** With more panels than this, all stand by layer, and one over time. */
export const MOST_PANELS = 4;

/** Place of the panel shown over time. */
export const chosenPlace = (state: State) =>
  Math.max(
    0,
    panelsOf(state).findIndex(({ name }) => name === state.view.layer),
  );
