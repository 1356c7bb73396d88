/**
 * Exports: the server's files, listed in the catalog, and pictures of charts.
 * Owns: their addresses, names and words. Pure.
 */

import { rowsOf } from "../../core/catalog.ts";
import { MAP, showsMap } from "../../core/decision-map.ts";
import { choiceOf, kindOf } from "../../core/instruments.ts";
import { BESIDE, DATA_NAMES, dataPictureOf, shownPicture } from "../../core/pictures.ts";
import { shownStep } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

/** `of` names the run of a file about one run */
export type FileToTake = { name: string; href: string; help: string; of: string };
export type Pictured = { kind: string; text: string };

const PREDICTED = texts.predictedAndTrue;
/** Kinds of pictures that are no charts of Plotly: the data's own one, and the fall line. */
export const DATA = "data";
export const FALL_LINE = "fall-line";

/** All runs together, in the list of runs. */
export const ALL = "";

/**
 * The files of one run or of all.
 * @param run a name, or ALL
 */
export function filesOf({ catalog, experiment, order, runs }: State, run: string): FileToTake[] {
  const query = run === ALL ? "" : `?run=${encodeURIComponent(run)}`;
  return rowsOf(catalog, "exports").map(({ name, help, of_first: ofFirst }) => ({
    name,
    help,
    of: ofFirst && run === ALL && order.length > 1 ? runs[order[0]].label : "",
    href: `api/v1/experiments/${encodeURIComponent(experiment?.id ?? "")}/export/${name}${query}`,
  }));
}

export const choicesOf = ({ order, runs }: State): { value: string; text: string }[] => [
  {
    value: ALL,
    text:
      order.length > 2
        ? texts.allXRuns(order.length)
        : order.length > 1
          ? texts.bothRunsLabel
          : texts.theRun,
  },
  ...(order.length > 1 ? order.map((name) => ({ value: name, text: runs[name].label })) : []),
];

/** The pictures of the stage, which has them in turn, or side by side where it is wide. */
function stagePictures(state: State, width: number): Pictured[] {
  const picture = shownPicture(state, width);
  const data = dataPictureOf(state.experiment);
  const isBeside = picture === "loss" && width >= BESIDE;
  return [
    ...(picture === "loss" || picture === "both" ? [{ kind: "loss", text: texts.loss }] : []),
    ...(data && (isBeside || picture === "data") ? [{ kind: DATA, text: DATA_NAMES[data] }] : []),
    ...(picture === "fall" || picture === "both"
      ? [{ kind: FALL_LINE, text: texts.fallLine }]
      : []),
  ];
}

/**
 * Decision maps can be exported, confusion tables cannot.
 * @param width of the window, px
 */
export const picturesOf = (state: State, width: number): Pictured[] => [
  ...stagePictures(state, width),
  ...(state.view.panel === "instruments"
    ? choiceOf(state).gauges.map((gauge) => ({ kind: kindOf(gauge), text: gauge.name }))
    : [{ kind: "gradients", text: texts.gradient }]),
  ...(showsMap(state)
    ? [{ kind: MAP, text: PREDICTED }]
    : state.experiment?.classes.length
      ? []
      : [{ kind: "scatter", text: PREDICTED }]),
];

export const pictureName = (state: State, kind: string, type: "png" | "svg") =>
  `fallline-${kind === DATA ? dataName(state) : kind}-step-${shownStep(state)}.${type}`;

/** The instrument that measures it. */
function dataName({ experiment }: State) {
  if (dataPictureOf(experiment) === "fit") return "fit";
  return experiment?.classes.length ? "decision" : "surface";
}
