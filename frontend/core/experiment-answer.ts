/**
 * Converts the server's answer about an experiment to the page's shape.
 * Owns: labels, colours and counts from a recipe.
 */

import { answeredFindings } from "./findings.ts";
import { firstMethod, laneFor } from "./lanes.ts";
import type {
  Edit,
  Experiment,
  ExperimentAnswer,
  Lane,
  Recipe,
  Run,
  RunAnswer,
  RunRecipe,
  State,
} from "./types.ts";
import { isWritten, nameFor } from "./words.ts";

/** The label of a run without its own: "GD", "SGD", "RMSProp", "Run 3". The server writes it in the same way. */
export function labelOf(name: string) {
  if (/^(gd|sgd)$/.test(name)) return name.toUpperCase();
  if (isWritten("optimizers", name)) return nameFor("optimizers", name);
  const words = name.replace(/[-_]+/g, " ").trim();
  return words ? words[0].toUpperCase() + words.slice(1) : name;
}

export const shownLabel = ({ name, label }: Pick<RunRecipe, "name" | "label">) =>
  label ?? labelOf(name);

/** A run keeps its lane for life. One of the same name in another experiment need not be the same. */
export function laneOf(recipe: RunRecipe, previous: Record<string, Run>): Lane {
  const { [recipe.name]: known, ...others } = previous;
  if (known && known.label === shownLabel(recipe)) return known.lane;
  return laneFor(
    firstMethod(recipe),
    Object.values(others).map(({ lane }) => lane),
  );
}

/**
 * The newer of two readings of a series, by step. An answer has the loss of the present parameters;
 * the next frame has that before the last step.
 */
export function newest(current: Run["latest"], incoming: Run["latest"] = {}): Run["latest"] {
  const newer = Object.entries(incoming).filter(
    ([name, { step }]) => !current[name] || step >= current[name].step,
  );
  return newer.length ? { ...current, ...Object.fromEntries(newer) } : current;
}

/** Within a generation edits only grow: an answer with fewer is older than the last edit. */
const grownEdits = (incoming: Edit[], previous: Edit[]) =>
  incoming.length < previous.length ? previous : incoming;

const isOvertaken = (incoming: RunAnswer, previous: Run | undefined) =>
  previous !== undefined && incoming.generation < previous.generation;

/**
 * The Doctor's part of an answer. Findings that it lacks are gone, unless the answer is older than
 * the page's last frame or event.
 */
function diagnosisOf(
  { step, findings = [], findings_complete_to: to = 0, verdict, harm }: RunAnswer,
  previous: Run | undefined,
): Pick<Run, "findings" | "findingsCompleteTo" | "verdict" | "harm"> {
  if (
    previous &&
    (step < previous.step || (step === previous.step && to < previous.findingsCompleteTo))
  )
    return previous;
  return {
    findings: answeredFindings(previous?.findings ?? [], findings),
    findingsCompleteTo: to,
    verdict: verdict ?? null,
    harm: harm ?? null,
  };
}

/**
 * Merges an answer. An answer older than the last frame does not move the counter back; one from
 * before a reset is ignored.
 */
function runOf(incoming: RunAnswer, recipe: RunRecipe, previous: Run | undefined, lane: Lane): Run {
  if (previous && isOvertaken(incoming, previous)) return previous;
  const same = previous && previous.generation === incoming.generation;
  const behind = same && previous.step > incoming.step;
  // within a generation a diverged run stays diverged: another answer is older than the event
  const over = same && previous.status === "diverged";
  const diagnosis = diagnosisOf(incoming, same ? previous : undefined);
  return {
    name: incoming.name,
    label: recipe?.label ?? incoming.label ?? labelOf(incoming.name),
    lane,
    hidden: false,
    status: over ? previous.status : incoming.status,
    step: behind ? previous.step : incoming.step,
    epoch: behind ? previous.epoch : incoming.epoch,
    samplesSeen: behind ? previous.samplesSeen : incoming.samples_seen,
    generation: incoming.generation,
    finishedBy: incoming.finished_by ?? null,
    divergedAt: over
      ? previous.divergedAt
      : incoming.status === "diverged"
        ? (incoming.diverged_at ?? incoming.step)
        : null,
    latest: same ? newest(previous.latest, incoming.latest) : incoming.latest,
    settings: previous?.settings ?? {
      optimizer: recipe.optimizer,
      learning_rate: recipe.learning_rate,
      batch_size: recipe.batch_size,
      order: recipe.order,
    },
    edits: grownEdits(recipe?.edits ?? [], same ? previous.edits : []),
    planned: (recipe?.edits ?? []).flatMap(({ at_step }) =>
      at_step > incoming.step ? [at_step] : [],
    ),
    units: same ? previous.units : null,
    predictions: same ? previous.predictions : null,
    weights: same ? previous.weights : null,
    findings: diagnosis.findings,
    findingsCompleteTo: diagnosis.findingsCompleteTo,
    verdict: diagnosis.verdict,
    harm: diagnosis.harm,
    doctor: incoming.doctor,
    restarted: previous?.restarted ?? null,
    isWayBack: previous?.isWayBack ?? false,
    startsLate: false,
  };
}

/**
 * @param again the same experiment; otherwise only looks are kept
 * @param lanes by run, if they are known from before
 */
export function runsOf(
  answer: ExperimentAnswer,
  previous: Record<string, Run>,
  again: boolean,
  lanes: Record<string, Lane> = {},
) {
  const staying = Object.fromEntries(
    answer.runs.filter(({ name }) => previous[name]).map(({ name }) => [name, previous[name]]),
  );
  const hasStarted = Object.values(previous).some(({ step }) => step > 0);
  const runs: Record<string, Run> = {};
  answer.runs.forEach((incoming) => {
    const recipe = answer.recipe.runs.find(({ name }) => name === incoming.name) as RunRecipe;
    const oldRun = again && staying[incoming.name];
    const lane = oldRun
      ? oldRun.lane
      : (lanes[incoming.name] ?? laneOf(recipe, { ...staying, ...runs }));
    runs[incoming.name] = {
      ...runOf(incoming, recipe, again ? staying[incoming.name] : undefined, lane),
      hidden: staying[incoming.name]?.hidden ?? false,
      // an answer may bring an added run before its event
      startsLate: oldRun ? oldRun.startsLate : again && hasStarted,
    };
  });
  return runs;
}

/** Keeps the page's recipes of runs that were reset after the answer was sent. */
export function withNewerRecipes(
  answer: ExperimentAnswer,
  { runs, experiment }: State,
): ExperimentAnswer {
  const overtaken = new Set(
    answer.runs
      .filter((incoming) => isOvertaken(incoming, runs[incoming.name]))
      .map(({ name }) => name),
  );
  if (!overtaken.size || !experiment) return answer;
  const current = Object.fromEntries(experiment.recipe.runs.map((recipe) => [recipe.name, recipe]));
  const recipes = answer.recipe.runs.map((recipe) =>
    overtaken.has(recipe.name) ? (current[recipe.name] ?? recipe) : recipe,
  );
  return { ...answer, recipe: { ...answer.recipe, runs: recipes } };
}

/** Units of every layer, inputs first. */
export function layerSizes(recipe: Recipe, outputs = 1) {
  return [recipe.data.features ?? 2, ...recipe.network.layers.map(({ units }) => units), outputs];
}

export function splitOf(recipe: Recipe) {
  const { samples, test_fraction: share = 0 } = recipe.data;
  const test = roundHalfEven(samples * share);
  return { train: samples - test, test };
}

/** Rounds as the server does: halves go to the even neighbour. */
function roundHalfEven(value: number) {
  const whole = Math.floor(value);
  if (value - whole !== 0.5) return Math.round(value);
  return whole % 2 === 0 ? whole : whole + 1;
}

export function experimentOf(
  answer: ExperimentAnswer,
  previous: Experiment | null,
  token?: string | null,
): Experiment {
  const outputs = answer.outputs ?? 1;
  const sizes = layerSizes(answer.recipe, outputs);
  const shapes = sizes.slice(1).map((units, k) => [sizes[k], units] as [number, number]);
  const split = splitOf(answer.recipe);
  const { train_samples: train = split.train, test_samples: test = split.test, baseline } = answer;
  return {
    id: answer.id,
    token: token === undefined ? (previous?.token ?? null) : token,
    recipe: answer.recipe,
    kernel: answer.kernel,
    baseline: baseline ? { train: baseline.train, test: baseline.test ?? null } : null,
    trainSamples: train,
    testSamples: test,
    initialLoss: answer.initial_loss ?? startOf(answer) ?? previous?.initialLoss ?? null,
    features: sizes[0],
    inputs: answer.inputs ?? Array.from({ length: sizes[0] }, (_, k) => `x${k + 1}`),
    outputs,
    classes: answer.classes ?? [],
    score: answer.score ?? "r2",
    weights: shapes.map((_, k) => `W${k + 1}`),
    shapes: Object.fromEntries(shapes.map((shape, k) => [`W${k + 1}`, shape])),
    parameters: shapes.reduce((sum, [rows, columns]) => sum + (rows + 1) * columns, 0),
  };
}

/** The loss at step 0, if a run still stands there. */
function startOf(answer: ExperimentAnswer) {
  for (const { latest } of answer.runs)
    if (latest?.train_loss?.step === 0) return latest.train_loss.value;
  return null;
}
