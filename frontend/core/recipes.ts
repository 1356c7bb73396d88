/**
 * Recipes from the page's state: the present one, and changed ones for new experiments.
 * Owns: how changes are merged. Pure.
 */

import { otherData } from "./data-recipe.ts";
import { panelsFor } from "./gradient-panels.ts";
import { keepsLoss, takesLogits } from "./losses.ts";
import { newLabel } from "./run-names.ts";
import { miniBatch } from "./sampling.ts";
import { fromNow } from "./settings.ts";
import * as texts from "../words/english.ts";
import type { LossRecipe } from "./losses.ts";
import type { Json, Measure, Recipe, State } from "./types.ts";

/** runs by name */
export type Changes = {
  data?: Json;
  network?: Json;
  loss?: LossRecipe;
  runs?: Record<string, Json>;
};

/** The recipe with all edits and labels so far: posting it gives the same numbers. */
export function recipeNow({ experiment, runs }: State): Recipe | null {
  if (!experiment) return null;
  const present = experiment.recipe.runs.filter(({ name }) => runs[name]);
  return {
    ...experiment.recipe,
    runs: present.map((run) => ({
      ...run,
      label: runs[run.name].label,
      edits: runs[run.name].edits,
    })),
  };
}

/** The recipe of a new experiment: the changes, and runs with their present settings. */
export function changedRecipe({ experiment, runs, catalog }: State, changes: Changes) {
  const {
    data,
    network,
    loss,
    runs: recipes,
  } = (experiment as NonNullable<typeof experiment>).recipe;
  const samples = otherData(catalog, data, changes.data ?? {});
  const keepsOne = changes.loss !== undefined || keepsLoss(catalog, loss, data, samples);
  // the replacing loss may need logits
  const isBare = !keepsOne || (changes.loss !== undefined && takesLogits(changes.loss));
  return {
    data: samples,
    network: {
      ...drawn(network, changes.network),
      ...(isBare ? { output: "identity" } : {}),
      ...changes.network,
    },
    ...(keepsOne ? { loss: changes.loss ?? loss } : {}),
    runs: recipes
      .filter(({ name }) => runs[name])
      .map((run) => ({ ...fromNow(run, runs[run.name]), ...changes.runs?.[run.name] })),
  };
}

/** A changed network is initialized by its own recipe, not from a file. */
function drawn({ start, ...network }: Recipe["network"], change?: Json): Recipe["network"] {
  return start === undefined || change ? network : { ...network, start };
}

/** Merges two changes; the later wins. Settings of one data set do not apply to another. */
export function joinedChanges(earlier: Changes, later: Changes): Changes {
  const both = (part: "data" | "network" | "runs") =>
    earlier[part] || later[part] ? { [part]: { ...earlier[part], ...later[part] } } : {};
  const data = later.data?.name ? { data: later.data } : both("data");
  return { ...earlier, ...later, ...data, ...both("network"), ...both("runs") };
}

/** The notice of a new experiment. */
export function freshWords({ data, network, loss }: Changes, runs: number) {
  const who =
    runs === 1 ? texts.theRunStarts : runs === 2 ? texts.bothRunsStart : texts.allRunsStart;
  const what = data
    ? texts.newData
    : network?.start
      ? texts.weightsFromAFile
      : network?.layers
        ? texts.newShapeNewWeights
        : network
          ? texts.newWeights
          : loss
            ? texts.aNewLoss
            : texts.anotherOrderOfTheSamples;
  return texts.xYAgainAtStep0(what, who);
}

/**
 * One more run: mini-batches first, then the first run's method; at the lowest rate in use.
 */
export function nextRun(state: State): Json {
  const experiment = state.experiment as NonNullable<typeof state.experiment>;
  const settings = state.order.map((name) => state.runs[name].settings);
  const isMini = ({ optimizer, batch_size: size }: Json) =>
    optimizer === "sgd" && size !== null && size !== 1;
  const body = {
    learning_rate: Math.min(...settings.map((each) => each.learning_rate)),
    batch_size: settings.some(isMini) ? (settings[0]?.batch_size ?? null) : miniBatch(experiment),
  };
  return { label: newLabel(state, { optimizer: "sgd", ...body }), ...body };
}

/** The series of the two charts. Others are not requested: a moment's answer has their values. */
export const seriesFor = (
  { weights, testSamples }: NonNullable<State["experiment"]>,
  measure: Measure,
) => [
  "train_loss",
  ...(testSamples ? ["test_loss"] : []),
  ...panelsFor(measure, weights).map(({ series }) => series),
];
