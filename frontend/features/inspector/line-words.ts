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
import * as texts from "../../words/english.ts";
import type { Scope } from "./sheets.ts";
import type { Entry, Line, Sheet } from "../../core/wire-types.ts";
import type { Run } from "../../core/types.ts";

type Context = { sheet: Sheet; place: number; line: Line; scope: Scope; m: number };

/** "All 4 entries of z2", "All 3,600 entries of z2 (900 samples, 4 units)". */
function allOf(entry: Entry) {
  const size = sizeOf(entry);
  if (size === 1) return texts.theOneEntryOfX(entry.name);
  const of =
    entry.rows !== undefined && entry.shape[0] > 1
      ? ` (${plural(entry.shape[0], "sample")}, ${plural(entry.shape[1], "unit")})`
      : "";
  return texts.allXEntriesOfYZ(integer(size), entry.name, of);
}

/** "are negative", "is negative or 0". */
const below = (entry: Entry) =>
  `${sizeOf(entry) === 1 ? texts.is : texts.are} ${entry.negative === sizeOf(entry) ? texts.negative : texts.negativeOr0}`;

/** The number of an entry that is one. */
const numberIn = (entry: Entry | undefined) => number(Number(entry?.values));

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
  if (from) return texts.xIsNotFiniteAlreadyAnd(from, line.name, oddCounts(line));
  const first =
    firstOdd(sheet) === place ? texts.thisIsTheFirstLineThat : texts.xIsNotFinite(line.name);
  return texts.xYOfZNumbersHave(first, oddCounts(line), integer(sizeOf(line)));
}

/** The line in which an activation uses this one. */
const nextLine = ({ sheet, place, line }: Context) =>
  sheet.lines.slice(place + 1).find(({ expression }) => namesIn(expression).has(line.name));

const isRelu = (line: Line | undefined, z: string) => line?.expression === `np.maximum(${z}, 0)`;

/** relu, with the same words at its argument and at its result. */
function reluWords(z: Entry) {
  const positive = sizeOf(z) - z.zeros - z.negative;
  if (isNowherePositive(z)) return texts.xYReluReturnsExactly0(allOf(z), below(z));
  if (positive === sizeOf(z))
    return texts.xYPositiveReluPassesAll(allOf(z), sizeOf(z) === 1 ? texts.is : texts.are);
  return texts.reluPassesXOfYEntries(integer(positive), integer(sizeOf(z)), z.name);
}

const BENDS = [
  {
    sign: "np.tanh(",
    words: texts.tanhSqueezesEveryEntryToBetween,
  },
  {
    sign: "np.logaddexp(0, z",
    words: texts.softplus0FarBelow0Unchanged,
  },
  {
    sign: "erfc(",
    words: texts.geluEachEntryTimesTheProbability,
  },
  {
    sign: "np.expm1(",
    words: texts.eluPositiveEntriesStayAsThey,
  },
  {
    sign: "0.01 * ",
    words: texts.leakyReluPassesPositiveEntriesAnd,
  },
  {
    sign: "1 / (1 + np.exp(-z",
    words: texts.sigmoidSqueezesEveryEntryToBetween,
  },
];

function bendWords({ line, scope }: Context) {
  const [z] = namesIn(line.expression);
  const entry = scope.get(z);
  if (entry && isRelu(line, z)) return reluWords(entry);
  const bend = BENDS.find(({ sign }) => line.expression.includes(sign));
  return bend?.words ?? texts.theLayerIsLinearXIs(line.name, z);
}

/** Line of a loss that takes a logit: the side on which it speaks for the other class. */
const LOGIT_LINE = "wrong";

/** Predictions beside the true values. */
function predictionWords({ sheet, line, scope, m }: Context) {
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
  const isLogit = sheet.lines.some(({ name }) => name === LOGIT_LINE);
  if (isLogit)
    return many
      ? texts.logitsAbove0SpeaksForClass
      : texts.aLogitOfXYAnd(
          number(here),
          here > 0 ? texts.above0SpeaksForClass1 : texts.below0SpeaksForClass0,
          number(there),
        );
  const gap = here - there;
  const sentence = many
    ? texts.onAverageTheNetworkPredictsX(number(here), number(there))
    : texts.theNetworkPredictsXAndY(number(here), number(there));
  return gap === 0
    ? `${sentence}.`
    : texts.xYTooZ(sentence, number(Math.abs(gap)), gap > 0 ? texts.high : texts.low);
}

/** Weighted inputs and a bias. */
function affineWords(context: Context) {
  const { line, scope } = context;
  const names = [...namesIn(line.expression)];
  if (isAllZero(scope.get(names[0])))
    return texts.xIsExactly0SoY(
      names[0],
      line.name,
      names[2],
      context.m > 1 ? texts.forEverySampleTail : "",
    );
  if (isRelu(nextLine(context), line.name)) return reluWords(line);
  return (line.name === "y_pred" && predictionWords(context)) || texts.eachUnitWeighsItsInputsAnd;
}

function slopeWords({ line, scope }: Context) {
  const [, z] = /\((z\d+) > 0\)/.exec(line.expression) ?? [];
  const entry = z === undefined ? undefined : scope.get(z);
  if (entry && isNowherePositive(entry)) return texts.noEntryOfXIsAbove(z, z, line.name);
  if (entry)
    return texts.theGradientPassesWhereXIs(
      z,
      integer(sizeOf(entry) - entry.zeros - entry.negative),
      integer(sizeOf(entry)),
    );
  if (/^d\w+$/.test(line.expression)) return texts.theLayerIsLinearSoX(line.name, line.expression);
  return texts.theGradientTimesTheSlopeOf;
}

/** "row 2, column 3"; empty if there is only one entry. */
const whereWords = (at: { row: number; column: number }, entry: Entry) =>
  sizeOf(entry) === 1 ? "" : texts.atRowXColumnYTail(integer(at.row + 1), integer(at.column + 1));

function weightGradientWords({ line }: Context) {
  const { largest_at: at } = line;
  if (!at) return null;
  const zeros = line.zeros
    ? texts.xOfItsYEntriesZTail(
        integer(line.zeros),
        integer(sizeOf(line)),
        line.zeros === 1 ? texts.is : texts.are,
      )
    : "";
  return texts.theSteepestSlopeInXIs(
    line.name.slice(1),
    number(at.value),
    whereWords(at, line),
    zeros,
  );
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
      ? texts.dXIsExactly0So(line.name, line.name)
      : texts.theChangeIsTooSmallFor(line.name);
  const only = isAllZero(gradient) ? texts.dXIsExactly0What(line.name, line.name) : "";
  return texts.xTheLargestChangeIsY(
    only,
    number(at.after - at.before),
    whereWords(at, line),
    setting(at.before),
    setting(at.after),
  );
}

function memoryWords({ sheet, line, scope }: Context) {
  const [, kind] = /^(velocity|mean|square|change_square|largest)_/.exec(line.name) ?? [];
  const zero = zeroOf({ sheet, place: 0, line, scope, m: 0 });
  const added = zero ? texts.xIsExactly0SoItTail(zero) : "";
  const names = namesIn(line.expression);
  if (kind === "velocity")
    return texts.theEarlierChangesTimesXPlus(
      setting(numberOf(sheet, "momentum") ?? 0),
      names.has("dampening") ? texts.aShareOf : "",
      names.has("epsilon") ? texts.overItsUsualSizeTail : "",
      added,
    );
  if (kind === "mean") {
    const decay = ["decay", "beta2", "beta1"].find((name) => names.has(name)) ?? "";
    return texts.aRunningMeanOfTheGradient(integer(1 / (1 - (numberOf(sheet, decay) ?? 0))), added);
  }
  if (kind === "change_square") return texts.aRunningMeanOfTheSquared(added);
  if (kind === "largest")
    return names.has("beta2")
      ? texts.theLargestSizeOfTheGradient(added)
      : texts.theLargestMeanOfTheSquared;
  return texts.aRunningMeanOfTheSquaredGradientEntry(added);
}

/** Lines of `radam`: whether a step is divided at this length of the mean of squares. */
const isDivided = ({ sheet }: Context) => (numberOf(sheet, "length") ?? 0) > 5;

function shareWords({ line, scope }: Context) {
  const share = Number(line.values);
  return share < 1
    ? texts.theGradientIsLongerThanClip(percent(share))
    : texts.theGradientIsWithinClipNorm(numberIn(scope.get("clip_norm")));
}

/** Sentences by name of a line, for ordinary values. */
const WORDS: [RegExp, (context: Context) => string | null][] = [
  [
    /^loss$/,
    ({ line, m }) =>
      texts.theLossOfXY(
        m === 1 ? texts.thisOneSample : texts.theseXSamplesOnAverage(integer(m)),
        number(line.values as number),
      ),
  ],
  [/^objective$/, () => texts.theValueThatTrainingMinimizesThe],
  [
    /^dy_pred$/,
    ({ line, m }) =>
      m === 1 && sizeOf(line) === 1
        ? texts.theLossFallsWhenThePrediction(line.negative ? texts.rises : texts.sinks)
        : texts.eachPredictionsShareOfTheSlope(integer(line.negative), integer(sizeOf(line))),
  ],
  [/^dz\d+$/, slopeWords],
  [/^da\d+$/, ({ line }) => texts.howTheLossChangesWithEach(line.name.slice(2))],
  [
    /^db\d+$/,
    ({ line, m }) =>
      m === 1
        ? texts.oneSampleXIsDY(line.name, line.name.replace("db", "z"))
        : texts.dXSummedOverTheY(line.name.replace("db", "z"), integer(m)),
  ],
  [/^dW\d+$/, weightGradientWords],
  [/^(velocity|mean|square|change_square|largest)_/, memoryWords],
  [/^change_/, () => texts.theGradientTimesTheUsualSize],
  [/^ahead_/, () => texts.theGradientAndItsMeanWeighed],
  [
    /^scaled_/,
    (context) => (isDivided(context) ? texts.theFactorOfEachEntryThe : texts.all1TheMeanOfSquares),
  ],
  // L-BFGS: all parameters together
  [/^P$/, () => texts.allParametersInOneRowThe],
  [/^dP$/, () => texts.theWholeGradientInOneRow],
  [/^bend$/, () => texts.howTheGradientHasChangedSince],
  [
    /^product$/,
    ({ line }) =>
      texts.theCurvatureAlongTheLastChange(
        numberIn(line),
        Number(line.values) > 1e-10 ? texts.itIsPositiveSoThePair : texts.itIsNotPositiveSoThe,
      ),
  ],
  [/^steps$/, () => texts.theLastChangesOfTheParameters],
  [/^bends$/, () => texts.theChangesOfTheGradientThat],
  [/^S$/, () => texts.theChangesThatTheEstimateUses],
  [/^Y$/, () => texts.theChangesOfTheGradientThatSentence],
  [/^products$/, () => texts.innerProductsOfChangesWithThe],
  [/^D$/, () => texts.theCurvaturesAlongTheChangesOn],
  [/^inverse$/, () => texts.theInverseOfTheProductsA],
  [/^scale$/, ({ line }) => texts.theInverseCurvatureOfTheNewest(numberIn(line))],
  [/^shares$/, () => texts.howMuchOfTheGradientEach],
  [/^rest$/, () => texts.thePartThatNoPairExplains],
  [/^direction$/, () => texts.newtonsDirectionTheGradientTimesThe],
  [
    /^first$/,
    ({ line }) =>
      Number(line.values) === 1
        ? texts.stepNotShortened
        : texts.theFirstStepKnowsNoCurvature(numberIn(line)),
  ],
  [/^change$/, () => texts.theChangeOfAllParameters],
  [/^gradient$/, () => texts.theGradientKeptForTheNext],
  [/^lr\d+$/, ({ line }) => texts.theRateOfLayerXY(line.name.slice(2), numberIn(line))],
  [/^mu$/, ({ line }) => texts.theMomentumOfThisStepX(numberIn(line))],
  [/^mu_next$/, ({ line }) => texts.theMomentumOfTheNextStep(numberIn(line))],
  [/^correction$/, ({ line }) => texts.n1MinusTheProductOfAll(numberIn(line))],
  [/^longest$/, ({ line }) => texts.theNumberOfSamplesThatThe(numberIn(line))],
  [
    /^length$/,
    (context) =>
      texts.theNumberOfSamplesInThe(
        numberIn(context.line),
        isDivided(context) ? texts.moreThan5ThisStepIs : texts.atMost5ThisStepIs,
      ),
  ],
  [/^variance$/, () => texts.howReliableTheMeanOfSquares],
  [/^rectifier$/, ({ line }) => texts.shortensDividedStepsWhileTheMean(numberIn(line))],
  [/^share$/, shareWords],
  [/^norm$/, () => texts.howLongTheGradientIsOver],
  [/^count$/, ({ line }) => texts.changesMadeByThisOptimizerX(integer(Number(line.values)))],
  [
    /^lr$/,
    ({ line, scope }) =>
      line.expression.includes("np.repeat(")
        ? texts.theRateOfEveryEntry
        : texts.theScheduleMultipliesTheRateBy(numberIn(scope.get("factor")), numberIn(line)),
  ],
  [
    /^error$/,
    ({ line }) => texts.howFarEachPredictionIsOff(integer(line.negative), integer(sizeOf(line))),
  ],
  [/^cut$/, ({ scope }) => texts.errorsBeyondDeltaAreCutTo(numberIn(scope.get("delta")))],
  [/^e$/, () => texts.exponentialsSoftmaxTakesEachOnes],
  [/^one_hot$/, () => texts.oneInColumnOfClass],
  [/^shifted$/, () => texts.minusTheLargestLogitOfEach],
  [/^p$/, () => texts.softmaxThePredictedProbabilityOfEach],
  [/^side$/, () => texts.signOfClass],
  [
    /^wrong$/,
    ({ line }) =>
      texts.above0WhereTheLogitIs(
        integer(sizeOf(line) - line.negative - line.zeros),
        integer(sizeOf(line)),
      ),
  ],
];

/** Why a result is exactly 0. */
function zeroWords(context: Context) {
  const { line, scope } = context;
  if (/^dz\d+$/.test(line.name) && !isAllZero(scope.get(`da${line.name.slice(2)}`)))
    return slopeWords(context);
  const zero = zeroOf(context);
  return zero
    ? texts.xIsExactly0SoYSentence(zero, line.name)
    : texts.xYExactly0(allOf(line), sizeOf(line) === 1 ? texts.is : texts.are);
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
    return texts.anEditReinitializesThisLayerAt(
      line.name,
      line.expression.startsWith("drawn_") ? texts.withNewNumbers : texts.at0,
    );
  const isParameter = line.part === "update" && /^[Wb]\d+$/.test(line.name);
  if (isParameter) return changeWords(context);
  if (line.part === "forward" && /^([az]\d+|y_pred)$/.test(line.name)) return forwardWords(context);
  if (line.part === "update" && /^d[Wb]/.test(line.name))
    return texts.theGradientOfXClippedTo(line.name.slice(1));
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
  const tests = testSamples ? texts.xForTests(integer(testSamples)) : "";
  const which =
    length === 1
      ? texts.sampleXOfYZ(integer(sheet.batch[0]), integer(samples + testSamples), tests)
      : different === samples
        ? texts.allXSamples(integer(samples))
        : texts.xOfYSamplesZ(
            integer(length),
            integer(samples),
            different < length ? texts.someRepeatedTail : "",
          );
  const rate = numberOf(sheet, "lr");
  return texts.batchOfXMYZ(which, integer(length), rate === null ? "" : `, lr = ${setting(rate)}`);
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
      words: texts.stoppedTheNextStepIsNot,
    };
  const isPlain = run.settings.optimizer === "sgd" && !run.settings.l1 && !run.settings.l2;
  if (stuck)
    return {
      code,
      words: texts.dXIsExactly0Y(name, isPlain ? texts.soXStaysAsItIsTail(name) : ""),
    };
  const ratio = run.latest[`ratio/${name}`]?.value;
  if (ratio === undefined || ratio === null) return { code: "", words: texts.oneStepLineByLineIn };
  return { code, words: texts.changesXByY(steps ? `${name} ` : "", number(ratio * 100)) };
}
