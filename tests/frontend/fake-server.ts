// A server's answers by hand, small enough to read.

import type { ExperimentAnswer, Finding, RunAnswer, RunRecipe } from "../../frontend/core/types.ts";
import type { RunAtBeat } from "../../frontend/core/run-look.ts";
import type { RunStatus } from "../../frontend/core/wire-types.ts";

/** Columns as lists, which tests change in place. */
export type Lists = {
  generation: number;
  first: number[];
  last: number[];
  samples_seen: number[];
  seconds: number[];
  series: Record<string, Record<"min" | "max" | "mean" | "last" | "count", (number | null)[]>>;
};

export const catalog = {
  optimizers: [
    { name: "sgd", parameters: [] },
    { name: "momentum", parameters: [{ name: "momentum", default: 0.9 }] },
    { name: "nesterov", parameters: [{ name: "momentum", default: 0.9 }] },
    {
      name: "adam",
      parameters: [
        { name: "beta1", default: 0.9 },
        { name: "beta2", default: 0.999 },
        { name: "epsilon", default: 1e-8 },
      ],
    },
  ],
  schedules: [
    { name: "constant", parameters: [] },
    {
      name: "cosine",
      parameters: [
        { name: "steps", default: 1000 },
        { name: "least", default: 0.01 },
      ],
    },
    { name: "inverse_time", parameters: [{ name: "steps", default: 1000 }] },
  ],
  run_settings: [
    { name: "learning_rate", default: 0.1 },
    { name: "batch_size", default: 1 },
    { name: "l1", default: 0 },
    { name: "l2", default: 0 },
    { name: "clip_norm", default: null, when_on: 1 },
    { name: "clip_value", default: null, when_on: 1 },
  ],
};

/** of the answer, of every run, and of the data */
export type Differences = Partial<ExperimentAnswer> & {
  status?: RunStatus;
  step?: number;
  generation?: number;
  test_fraction?: number;
};

/** The notebook's experiment at step 0, with changes to every run or to the counts. */
export function answer({
  id = "e1",
  status = "paused",
  step = 0,
  generation = 0,
  test_fraction: share = 0.25,
  ...more
}: Differences = {}): ExperimentAnswer {
  const run = (name: string, batch: number | null): RunRecipe => ({
    name,
    optimizer: "sgd",
    learning_rate: 0.1,
    batch_size: batch,
    order: "shuffle",
    seed: 0,
    edits: [],
  });
  const runAnswer = (name: string): RunAnswer => ({
    name,
    label: null,
    status,
    step,
    epoch: step,
    samples_seen: step * 900,
    generation,
    diverged_at: null,
    latest: step ? {} : { train_loss: { step: 0, value: 12.3 } },
  });
  const layer = { units: 4, activation: "relu" };
  return {
    id,
    recipe: {
      data: {
        name: "log_linear",
        samples: 1200,
        features: 5,
        noise: 0,
        test_fraction: share,
        seed: 4,
      },
      network: {
        layers: [layer, layer],
        output: "identity",
        weights: "normal",
        biases: "normal",
        seed: 0,
      },
      loss: "mse",
      runs: [run("gd", null), run("sgd", 1)],
    },
    kernel: "numpy",
    runs: [runAnswer("gd"), runAnswer("sgd")],
    train_samples: 900,
    test_samples: 300,
    baseline: { train: 0.0436, test: 0.047 },
    initial_loss: 12.3,
    ...more,
  };
}

/** The same with two classes over this many inputs. */
export function classified(features = 2): ExperimentAnswer {
  const { recipe, ...more } = answer();
  return {
    ...more,
    recipe: { ...recipe, data: { ...recipe.data, features } },
    classes: ["no", "yes"],
  };
}

/** Columns of steps first ... last, one bucket a step; the loss is 1 / (1 + step). */
export function columns(first: number, last: number, generation = 0): Lists {
  const steps = Array.from({ length: last - first + 1 }, (_, k) => first + k);
  const loss = steps.map((step) => 1 / (1 + step));
  return {
    generation,
    first: steps,
    last: steps,
    samples_seen: steps.map((step) => 900 * (step + 1)),
    seconds: steps.map((step) => (step + 1) * 1e-4),
    series: {
      train_loss: { min: loss, max: loss, mean: loss, last: loss, count: steps.map(() => 1) },
    },
  };
}

/** A new finding: its first evidence is its evidence. */
const asNew = (finding: Omit<Finding, "seen_at" | "first_evidence">): Finding => ({
  seen_at: finding.found_at,
  first_evidence: finding.evidence,
  ...finding,
});

/** The Doctor's finding of a dead layer, with changes. */
export const dead = (changes: Partial<Finding> = {}) =>
  asNew({
    id: "dead_layer-2@214",
    rule: "dead_layer",
    severity: "problem",
    subject: { layer: 2 },
    since_step: 214,
    until_step: null,
    found_at: 230,
    title: "SGD: layer 2 is dead.",
    evidence: "4 of 4 units output 0 for all 900 samples since step 214.",
    mark: "layer 2 dead",
    why: { text: "relu lets nothing through.", code: "dz2 = da2 * (z2 > 0)" },
    remedies: [
      {
        label: "Fork, He init",
        hint: "a fork from step 214",
        command: {
          do: "add_run",
          fork_of: "sgd",
          at_step: 214,
          redraw: { layers: [2], weights: "he" },
        },
      },
      {
        label: "Rewind, lower rate",
        hint: "a fork from step 200 with rate 0.006",
        command: { do: "add_run", fork_of: "sgd", at_step: 200, learning_rate: 0.006 },
      },
    ],
    ...changes,
  });

/** The finding of a healthy run. */
export const healthy = (changes: Partial<Finding> = {}) =>
  asNew({
    id: "healthy@400",
    rule: "healthy",
    severity: "info",
    subject: {},
    since_step: 400,
    until_step: null,
    found_at: 400,
    title: "GD is learning.",
    evidence: "Train loss fell 69 % in the last 400 steps.",
    mark: "learning",
    why: null,
    remedies: [],
    ...changes,
  });

/** The finding of a high rate. */
export const edge = (changes: Partial<Finding> = {}) =>
  asNew({
    id: "rate_at_edge@100",
    rule: "rate_at_edge",
    severity: "warning",
    subject: {},
    since_step: 100,
    until_step: null,
    found_at: 110,
    title: "GD: the rate is at the edge.",
    evidence: "The loss rose in 48 of the last 100 steps.",
    mark: "rate at the edge",
    why: null,
    remedies: [
      {
        label: "Halve the rate",
        hint: "rate 0.05",
        command: { do: "edit", run: "gd", learning_rate: 0.05 },
      },
    ],
    ...changes,
  });

/** The event of a finding. */
export const findingEvent = (run: string, finding: Finding, generation = 0) => ({
  type: "event",
  event: "finding",
  run,
  step: finding.found_at,
  generation,
  finding,
});

/** A beat at a step: looks at runs, by name. */
export const beatAt = (
  step: number,
  looks: Record<string, RunAtBeat["looks"]>,
  generation = 0,
) => ({
  type: "beat",
  runs: Object.fromEntries(
    Object.entries(looks).map(([name, look]): [string, RunAtBeat] => [
      name,
      {
        shown: {
          generation,
          status: "paused",
          step,
          epoch: step,
          samplesSeen: 900 * step,
          latest: {},
          verdict: null,
          harm: null,
          findingsCompleteTo: step,
          doctor: undefined,
          news: [],
        },
        looks: look,
      },
    ]),
  ),
});

/** Somebody has pressed play. */
export const play = {
  type: "event",
  event: "playback",
  run: null,
  playing: true,
  speed: 60,
  pace: "steps",
};

/** A frame of one run. */
export const frameOf = (run: string, changes: Record<string, unknown>) => ({
  type: "frame",
  runs: {
    [run]: {
      status: "playing",
      step: 1,
      epoch: 1,
      samples_seen: 900,
      generation: 0,
      latest: {},
      ...changes,
    },
  },
});
