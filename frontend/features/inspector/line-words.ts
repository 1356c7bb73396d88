/**
 * Sentences about the lines of a step, its batch, and the live line of the strip.
 * Owns: these words. Pure.
 */

import { namesIn } from "./expressions.ts";
import { integer, number, percent, plural, setting } from "../../core/format.ts";
import {
  firstOdd,
  isAllZero,
  isNowherePositive,
  isOdd,
  valuesBefore,
  numberOf,
  sizeOf,
} from "./sheets.ts";
import type { Scope } from "./sheets.ts";
import type { Entry, Line, Sheet } from "../../core/wire-types.ts";
import type { Run } from "../../core/types.ts";

type Context = { sheet: Sheet; place: number; line: Line; scope: Scope; m: number };

/** "All 4 entries of z2", "All 3,600 entries of z2 (900 samples, 4 units)". */
function allOf(entry: Entry) {
  const size = sizeOf(entry);
  if (size === 1) return `The one entry of ${entry.name}`;
  const of =
    entry.rows !== undefined && entry.shape[0] > 1
      ? ` (${plural(entry.shape[0], "sample")}, ${plural(entry.shape[1], "unit")})`
      : "";
  return `All ${integer(size)} entries of ${entry.name}${of}`;
}

/** "are negative", "is negative or 0". */
const below = (entry: Entry) =>
  `${sizeOf(entry) === 1 ? "is" : "are"} ${entry.negative === sizeOf(entry) ? "negative" : "negative or 0"}`;

/** The first name in an expression whose values are all exactly 0. */
const zeroOf = ({ line, scope }: Context) =>
  [...namesIn(line.expression)].find((name) => name !== line.name && isAllZero(scope.get(name)));

/** "inf 2, nan 1". */
const oddCounts = ({ not_finite: counts = {} }: Entry) =>
  Object.entries(counts)
    .map(([kind, count]) => `${integer(count)} ${kind.replace("-", "−")}`)
    .join(", ");

function oddWords({ sheet, place, line, scope }: Context) {
  const from = [...namesIn(line.expression)].find((name) => isOdd(scope.get(name)));
  if (from) return `${from} is not finite already, and so is ${line.name}: ${oddCounts(line)}.`;
  const first =
    firstOdd(sheet) === place
      ? "This is the first line that is not finite"
      : `${line.name} is not finite`;
  return `${first}: ${oddCounts(line)} of ${integer(sizeOf(line))}. Numbers have become too large for a float.`;
}

/** The line in which an activation uses this one. */
const nextLine = ({ sheet, place, line }: Context) =>
  sheet.lines.slice(place + 1).find(({ expression }) => namesIn(expression).has(line.name));

const isRelu = (line: Line | undefined, z: string) => line?.expression === `np.maximum(${z}, 0)`;

/** relu, with the same words at its argument and at its result. */
function reluWords(z: Entry) {
  const positive = sizeOf(z) - z.zeros - z.negative;
  if (isNowherePositive(z))
    return `${allOf(z)} ${below(z)}: relu returns exactly 0, and no gradient passes.`;
  if (positive === sizeOf(z))
    return `${allOf(z)} ${sizeOf(z) === 1 ? "is" : "are"} positive: relu passes all of them unchanged.`;
  return `relu passes ${integer(positive)} of ${integer(sizeOf(z))} entries of ${z.name} and sets the others to 0.`;
}

const BENDS = [
  {
    sign: "np.tanh(",
    words:
      "tanh squeezes every entry to between −1 and 1; near either end hardly any gradient comes back.",
  },
  {
    sign: "np.logaddexp(0, z",
    words: "softplus: 0 far below 0, unchanged far above, smooth between.",
  },
  {
    sign: "erfc(",
    words: "gelu: each entry times the probability that a standard normal number lies below it.",
  },
  {
    sign: "np.expm1(",
    words: "elu: positive entries stay as they are, negative ones level off at −1.",
  },
  {
    sign: "0.01 * ",
    words: "leaky relu passes positive entries, and a hundredth of negative ones: no unit dies.",
  },
  {
    sign: "1 / (1 + np.exp(-z",
    words:
      "sigmoid squeezes every entry to between 0 and 1; near either end hardly any gradient comes back.",
  },
];

function bendWords({ line, scope }: Context) {
  const [z] = namesIn(line.expression);
  const entry = scope.get(z);
  if (entry && isRelu(line, z)) return reluWords(entry);
  const bend = BENDS.find(({ sign }) => line.expression.includes(sign));
  return bend?.words ?? `The layer is linear: ${line.name} is ${z}, as it is.`;
}

/** Predictions beside the true values. */
function predictionWords({ line, scope, m }: Context) {
  const y = scope.get("y");
  const [there, here] = [y?.mean?.[0], line.mean?.[0]];
  if (
    line.shape[1] !== 1 ||
    there === undefined ||
    there === null ||
    here === undefined ||
    here === null
  )
    return null;
  const many = m > 1;
  const isLogit =
    line.name === "y_pred" &&
    (there === 0 || there === 1 || (y && y.zeros + sumOfOnes(y) === sizeOf(y)));
  if (isLogit)
    return many
      ? "Logits: above 0 speaks for class 1, below for class 0."
      : `A logit of ${number(here)}: ${here > 0 ? "above 0 speaks for class 1" : "below 0 speaks for class 0"}, and y is ${number(there)}.`;
  const gap = here - there;
  const sentence = many
    ? `On average the network predicts ${number(here)}, and y is ${number(there)}`
    : `The network predicts ${number(here)}, and y is ${number(there)}`;
  return gap === 0
    ? `${sentence}.`
    : `${sentence}: ${number(Math.abs(gap))} too ${gap > 0 ? "high" : "low"}.`;
}

/** How many entries are exactly 1, if all are here. */
const sumOfOnes = (y: Entry) =>
  y.rows === y.shape[0] && Array.isArray(y.values)
    ? y.values.flat().filter((value) => value === 1).length
    : 0;

/** Weighted inputs and a bias. */
function affineWords(context: Context) {
  const { line, scope } = context;
  const names = [...namesIn(line.expression)];
  if (isAllZero(scope.get(names[0])))
    return `${names[0]} is exactly 0, so ${line.name} is ${names[2]}${context.m > 1 ? " for every sample" : ""}, whatever the inputs are.`;
  if (isRelu(nextLine(context), line.name)) return reluWords(line);
  return (
    (line.name === "y_pred" && predictionWords(context)) ||
    "Each unit weighs its inputs and adds its bias."
  );
}

function slopeWords({ line, scope }: Context) {
  const [, z] = /\((z\d+) > 0\)/.exec(line.expression) ?? [];
  const entry = z === undefined ? undefined : scope.get(z);
  if (entry && isNowherePositive(entry))
    return `No entry of ${z} is above 0, so (${z} > 0) is 0 everywhere: ${line.name} is exactly 0, and with it every gradient behind.`;
  if (entry)
    return `The gradient passes where ${z} is above 0: at ${integer(sizeOf(entry) - entry.zeros - entry.negative)} of ${integer(sizeOf(entry))} entries.`;
  if (/^d\w+$/.test(line.expression))
    return `The layer is linear, so ${line.name} is ${line.expression}.`;
  return "The gradient, times the slope of the activation at each entry.";
}

/** "row 2, column 3"; empty if there is only one entry. */
const whereWords = (at: { row: number; column: number }, entry: Entry) =>
  sizeOf(entry) === 1 ? "" : ` at row ${integer(at.row + 1)}, column ${integer(at.column + 1)}`;

function weightGradientWords({ line }: Context) {
  const { largest_at: at } = line;
  if (!at) return null;
  const zeros = line.zeros
    ? ` ${integer(line.zeros)} of its ${integer(sizeOf(line))} entries ${line.zeros === 1 ? "is" : "are"} exactly 0.`
    : "";
  return `The steepest slope in ${line.name.slice(1)} is ${number(at.value)}${whereWords(at, line)}.${zeros}`;
}

/** Parameters that an edit draws again at the end of a step. */
const isDrawnAnew = ({ line }: Context) =>
  line.part === "update" && /^(drawn_|np\.zeros_like\()/.test(line.expression);

/** A parameter after the step, beside its value before. */
function changeWords({ line, scope }: Context) {
  const gradient = scope.get(`d${line.name}`);
  const { change: at } = line;
  if (!at) return "";
  if (at.after === at.before)
    return isAllZero(gradient)
      ? `d${line.name} is exactly 0, so ${line.name} stays as it is.`
      : `The change is too small for a float: ${line.name} stays as it is.`;
  const only = isAllZero(gradient)
    ? `d${line.name} is exactly 0; what moves ${line.name} is not its gradient. `
    : "";
  return `${only}The largest change is ${number(at.after - at.before)}${whereWords(at, line)}: ${setting(at.before)} becomes ${setting(at.after)}.`;
}

function memoryWords({ sheet, line, scope }: Context) {
  const [, kind] = /^(velocity|mean|square|change_square|largest)_/.exec(line.name) ?? [];
  const zero = zeroOf({ sheet, place: 0, line, scope, m: 0 });
  const added = zero ? ` ${zero} is exactly 0, so it only decays.` : "";
  const names = namesIn(line.expression);
  if (kind === "velocity")
    return `The earlier changes times ${setting(numberOf(sheet, "momentum") ?? 0)}, plus ${names.has("dampening") ? "a share of " : ""}this gradient${names.has("epsilon") ? " over its usual size" : ""}.${added}`;
  if (kind === "mean") {
    const decay = ["decay", "beta2", "beta1"].find((name) => names.has(name)) ?? "";
    return `A running mean of the gradient, of about the last ${integer(1 / (1 - (numberOf(sheet, decay) ?? 0)))} changes.${added}`;
  }
  if (kind === "change_square")
    return `A running mean of the squared change, before the rate.${added}`;
  if (kind === "largest")
    return names.has("beta2")
      ? `The largest size of the gradient, entry by entry; an old one fades.${added}`
      : "The largest mean of the squared gradient so far, entry by entry.";
  return `A running mean of the squared gradient, entry by entry.${added}`;
}

/** Lines of `radam`: whether a step is divided at this length of the mean of squares. */
const isDivided = ({ sheet }: Context) => (numberOf(sheet, "length") ?? 0) > 5;

function shareWords({ line, scope }: Context) {
  const share = Number(line.values);
  return share < 1
    ? `The gradient is longer than clip_norm allows: it is shortened to ${percent(share)}.`
    : `The gradient is within clip_norm (${number(Number(scope.get("clip_norm")?.values))}): it stays as it is.`;
}

/** Sentences by name of a line, for ordinary values. */
const WORDS: [RegExp, (context: Context) => string | null][] = [
  [
    /^loss$/,
    ({ line, m }) =>
      `The loss of ${m === 1 ? "this one sample" : `these ${integer(m)} samples, on average`}: ${number(line.values as number)}.`,
  ],
  [
    /^objective$/,
    () => "The value that training minimizes: the loss and the penalties on the weights.",
  ],
  [
    /^dy_pred$/,
    ({ line, m }) =>
      m === 1 && sizeOf(line) === 1
        ? `The loss falls when the prediction ${line.negative ? "rises" : "sinks"}.`
        : `Each prediction's share of the slope: ${integer(line.negative)} of ${integer(sizeOf(line))} should rise, the others sink.`,
  ],
  [/^dz\d+$/, slopeWords],
  [
    /^da\d+$/,
    ({ line }) => `How the loss changes with each output of layer ${line.name.slice(2)}.`,
  ],
  [
    /^db\d+$/,
    ({ line, m }) =>
      m === 1
        ? `One sample: ${line.name} is d${line.name.replace("db", "z")} itself.`
        : `d${line.name.replace("db", "z")}, summed over the ${integer(m)} samples.`,
  ],
  [/^dW\d+$/, weightGradientWords],
  [/^(velocity|mean|square|change_square|largest)_/, memoryWords],
  [
    /^change_/,
    () => "The gradient, times the usual size of a change, over the usual size of a gradient.",
  ],
  [
    /^ahead_/,
    () => "The gradient and its mean, weighed as if this step's momentum had already been applied.",
  ],
  [
    /^scaled_/,
    (context) =>
      isDivided(context)
        ? "What each entry is multiplied by: the rectifier over its usual size."
        : "All 1: the mean of squares is still too short to divide by it.",
  ],
  // L-BFGS: all parameters together
  [/^P$/, () => "All parameters in one row; the last line of it is the result of the step."],
  [/^dP$/, () => "The whole gradient in one row."],
  [/^bend$/, () => "How the gradient has changed since the last step."],
  [
    /^product$/,
    ({ line }) =>
      `The curvature along the last change, times its squared length: ${number(Number(line.values))}. ${Number(line.values) > 1e-10 ? "It is positive, so the pair is kept." : "It is not positive, so the pair is left out."}`,
  ],
  [/^steps$/, () => "The last changes of the parameters, the newest below; a row of 0 is none."],
  [/^bends$/, () => "The changes of the gradient that came with them."],
  [/^S$/, () => "The changes that the estimate uses."],
  [/^Y$/, () => "The changes of the gradient that the estimate uses."],
  [/^products$/, () => "Inner products of changes with the gradient's changes since."],
  [/^D$/, () => "The curvatures along the changes, on the diagonal."],
  [/^inverse$/, () => "The inverse of the products; a missing pair counts as 1."],
  [
    /^scale$/,
    ({ line }) =>
      `The inverse curvature of the newest pair: ${number(Number(line.values))}; for all directions that no pair knows.`,
  ],
  [/^shares$/, () => "How much of the gradient each pair explains."],
  [/^rest$/, () => "What no pair explains, scaled."],
  [/^direction$/, () => "Newton's direction: the gradient times the estimated inverse Hessian."],
  [
    /^first$/,
    ({ line }) =>
      Number(line.values) === 1
        ? "1: the step is not shortened."
        : `The first step knows no curvature, so it is shortened: ${number(Number(line.values))}.`,
  ],
  [/^change$/, () => "The change of all parameters."],
  [/^gradient$/, () => "The gradient, kept for the next step."],
  [
    /^lr\d+$/,
    ({ line }) => `The rate of layer ${line.name.slice(2)}: ${number(Number(line.values))}.`,
  ],
  [/^mu$/, ({ line }) => `The momentum of this step: ${number(Number(line.values))}.`],
  [/^mu_next$/, ({ line }) => `The momentum of the next step: ${number(Number(line.values))}.`],
  [
    /^correction$/,
    ({ line }) =>
      `1 minus the product of all momentums so far: ${number(Number(line.values))}. It corrects the start from 0.`,
  ],
  [
    /^longest$/,
    ({ line }) =>
      `The number of samples that the mean of squares has in the end: ${number(Number(line.values))}.`,
  ],
  [
    /^length$/,
    (context) =>
      `The number of samples in the mean of squares so far: ${number(Number(context.line.values))}. ${isDivided(context) ? "More than 5: this step is divided by its root." : "At most 5: this step is not divided by its root."}`,
  ],
  [
    /^variance$/,
    () =>
      "How reliable the mean of squares is, beside one of the longest length; only above a length of 5.",
  ],
  [
    /^rectifier$/,
    ({ line }) =>
      `Shortens divided steps while the mean of squares is young: ${number(Number(line.values))}.`,
  ],
  [/^share$/, shareWords],
  [/^norm$/, () => "How long the gradient is, over all weights and biases."],
  [/^count$/, ({ line }) => `Changes made by this optimizer: ${integer(Number(line.values))}.`],
  [
    /^lr$/,
    ({ line, scope }) =>
      line.expression.includes("np.repeat(")
        ? "The rate of every entry."
        : `The schedule multiplies the rate by ${number(Number(scope.get("factor")?.values))}: ${number(Number(line.values))}.`,
  ],
  [
    /^error$/,
    ({ line }) =>
      `How far each prediction is off: ${integer(line.negative)} of ${integer(sizeOf(line))} are too low.`,
  ],
  [
    /^cut$/,
    ({ scope }) =>
      `Errors beyond delta (${number(Number(scope.get("delta")?.values))}) are cut to it: one that is far off pulls no harder than that.`,
  ],
  [/^e$/, () => "Exponentials, of which softmax takes each one's share in its row."],
  [/^one_hot$/, () => "1 in the column of a sample's class, 0 elsewhere."],
  [/^shifted$/, () => "Minus the largest logit of each row, so that no exponential overflows."],
  [/^p$/, () => "Softmax: the predicted probability of each class; a row adds up to 1."],
  [/^side$/, () => "1 for class 0, −1 for class 1."],
  [
    /^wrong$/,
    ({ line }) =>
      `Above 0 where the logit is on the wrong side: at ${integer(sizeOf(line) - line.negative - line.zeros)} of ${integer(sizeOf(line))}.`,
  ],
];

/** Why a result is exactly 0. */
function zeroWords(context: Context) {
  const { line, scope } = context;
  if (/^dz\d+$/.test(line.name) && !isAllZero(scope.get(`da${line.name.slice(2)}`)))
    return slopeWords(context);
  const zero = zeroOf(context);
  return zero
    ? `${zero} is exactly 0, so ${line.name} is too.`
    : `${allOf(line)} ${sizeOf(line) === 1 ? "is" : "are"} exactly 0.`;
}

/** The forward lines of a layer: `a @ W + b`, then its activation. */
const forwardWords = (context: Context) =>
  context.line.expression.includes(" @ ") ? affineWords(context) : bendWords(context);

/** One sentence, or two. */
export function sentenceOf(sheet: Sheet, place: number) {
  const line = sheet.lines[place];
  const context: Context = {
    sheet,
    place,
    line,
    scope: valuesBefore(sheet, place),
    m: sheet.batch.length,
  };
  if (isOdd(line)) return oddWords(context);
  if (isDrawnAnew(context))
    return `An edit reinitializes this layer at the end of the step: ${line.name} starts ${line.expression.startsWith("drawn_") ? "with new numbers" : "at 0"}.`;
  const isParameter = line.part === "update" && /^[Wb]\d+$/.test(line.name);
  if (isParameter) return changeWords(context);
  if (line.part === "forward" && /^([az]\d+|y_pred)$/.test(line.name)) return forwardWords(context);
  if (line.part === "update" && /^d[Wb]/.test(line.name))
    return `The gradient of ${line.name.slice(1)}, clipped to its bounds.`;
  if (isAllZero(line)) return zeroWords(context);
  return WORDS.find(([name]) => name.test(line.name))?.[1](context) ?? "";
}

/**
 * "batch: sample 125 of 1,200 (300 for tests), m = 1, lr = 0.006". Samples are numbered over the
 * whole data set, tests included.
 */
export function batchWords(
  sheet: Sheet,
  { trainSamples: samples, testSamples }: { trainSamples: number; testSamples: number },
) {
  const { length } = sheet.batch;
  const different = new Set(sheet.batch).size; // fewer if drawn with replacement
  const tests = testSamples ? ` (${integer(testSamples)} for tests)` : "";
  const which =
    length === 1
      ? `sample ${integer(sheet.batch[0])} of ${integer(samples + testSamples)}${tests}`
      : different === samples
        ? `all ${integer(samples)} samples`
        : `${integer(length)} of ${integer(samples)} samples${different < length ? ", some repeated" : ""}`;
  const rate = numberOf(sheet, "lr");
  return `batch: ${which}, m = ${integer(length)}${rate === null ? "" : `, lr = ${setting(rate)}`}`;
}

/**
 * The live line of the strip: the weights of one layer, preferably one that has stopped.
 * @param dead a dead layer
 */
export function liveLine(
  run: Run,
  weights: string[],
  dead: number | null,
): { code: string; words: string } {
  const gradient = (name: string) => run.latest[`grad_l1/${name}`]?.value;
  const stuck = [...weights.slice((dead ?? 1) - 1), ...weights].find(
    (name) => gradient(name) === 0,
  );
  const name = stuck ?? weights[Math.floor((weights.length - 1) / 2)];
  const rate = run.settings.layer_rates?.length ? `lr${name.slice(1)}` : "lr";
  const steps = { sgd: `${rate} * d${name}`, momentum: `${rate} * velocity_${name}` }[
    run.settings.optimizer
  ];
  const code = steps ? `${name} -= ${steps}` : name;
  // only that step would decide which: the change may be finite up to its last line
  if (run.status === "diverged")
    return {
      code,
      words: "stopped: the next step is not finite, or its loss is above a million times the first",
    };
  const isPlain = run.settings.optimizer === "sgd" && !run.settings.l1 && !run.settings.l2;
  if (stuck)
    return { code, words: `d${name} is exactly 0${isPlain ? `, so ${name} stays as it is` : ""}` };
  const ratio = run.latest[`ratio/${name}`]?.value;
  if (ratio === undefined || ratio === null)
    return { code: "", words: "One step, line by line, in NumPy." };
  return { code, words: `changes ${steps ? `${name} ` : ""}by ${number(ratio * 100)} %` };
}
