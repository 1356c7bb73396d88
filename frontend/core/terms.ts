/**
 * The words that explain themselves on the page: name, sentence, formula, their line in a step, and
 * their place in the documentation.
 * Owns: which terms there are; words/english.ts has their texts. Pure.
 */

import { methodName } from "./catalog.ts";
import { CONSTANT_GUESS, FIRST_WEIGHTS } from "./formulas.ts";
import * as texts from "../words/english.ts";
import type { Experiment, Measure } from "./types.ts";

type Text = {
  name: string;
  says: string;
  /** as NumPy */
  formula?: string;
  /** Below the formula. */
  further?: string;
  /** The line of a step that shows it, for the weights W and the layer Z of the card. */
  line?: string;
  /** Other words, to go on with. */
  also?: string[];
  /** Page of the documentation, with its heading. */
  docs: string;
};

const DOCS = {
  losses: "reference/networks.html#losses",
  series: "reference/measurements.html#records-and-series",
  words: "explanation/recipes.html#words",
};

/** Texts by key, in the order of the list of all words. */
const TEXTS = {
  step: {
    name: texts.step,
    says: texts.oneChangeOfAllWeightsAnd,
    formula: "W -= lr * dW",
    line: "update W",
    also: ["epoch"],
    docs: DOCS.words,
  },
  samples_seen: {
    name: texts.samplesSeenLabel,
    says: texts.theSumOfTheBatchSizes,
    formula: texts.formulaOfSamplesSeen,
    also: ["epoch"],
    docs: DOCS.words,
  },
  epoch: {
    name: texts.epoch,
    says: texts.onePassOverTheTrainingSamples,
    formula: "epoch = samples_seen / len(X)",
    docs: DOCS.words,
  },
  learning_rate: {
    name: texts.learningRate,
    says: texts.howFarAStepGoesAlong,
    formula: "W -= lr * dW",
    line: "update W",
    also: ["edge"],
    docs: "reference/methods.html#optimizers",
  },
  batch_size: {
    name: texts.batch,
    says: texts.howManySamplesAStepAverages,
    formula: texts.formulaOfBatch,
    line: "backward dy_pred",
    also: ["noise"],
    docs: "reference/measurements.html#batches",
  },
  mse: {
    name: texts.meanSquaredErrorLabel,
    says: texts.howFarThePredictionsAreFrom,
    formula: "np.mean((y - y_pred)**2)",
    line: "forward loss",
    also: ["half", "baseline"],
    docs: DOCS.losses,
  },
  huber: {
    name: texts.huberLoss,
    says: texts.squaredForSmallErrorsStraightBeyond,
    formula: "c = np.clip(y_pred - y, -delta, delta)\nnp.mean(c * (y_pred - y - c / 2))",
    line: "forward loss",
    also: ["baseline"],
    docs: DOCS.losses,
  },
  binary_cross_entropy: {
    name: texts.binaryCrossEntropyLabel,
    says: texts.minusTheLogarithmOfTheProbability,
    formula: "side = 1 - 2 * y\nnp.mean(np.logaddexp(0, side * y_pred))",
    line: "forward loss",
    also: ["majority"],
    docs: DOCS.losses,
  },
  softmax_cross_entropy: {
    name: texts.softmaxCrossEntropyLabel,
    says: texts.minusTheLogarithmOfTheProbability,
    formula:
      "e = np.exp(y_pred)\np = e / e.sum(axis=1, keepdims=True)\n-np.mean(np.log(p[rows, y]))",
    line: "forward loss",
    also: ["majority"],
    docs: DOCS.losses,
  },
  test_loss: {
    name: texts.onTest,
    says: texts.theSameLossOverSamplesThat,
    formula: "y_pred = predict(X_test)\nloss(y_pred, y_test)",
    docs: "reference/doctor.html#verdict",
  },
  r2: {
    name: texts.r2,
    says: texts.theShareOfTheSpreadIn,
    formula: "1 - np.mean((y - y_pred)**2) / np.var(y)",
    further: texts.itIsOfTheTestSamples,
    line: "forward y_pred",
    docs: DOCS.losses,
  },
  accuracy: {
    name: texts.accuracy,
    says: texts.theShareOfSamplesWhoseClass,
    formula: "np.mean(predicted == y)",
    further: texts.itIsOfTheTestSamples,
    line: "forward y_pred",
    docs: DOCS.losses,
  },
  baseline: {
    name: texts.predictingTheMean,
    says: texts.theLossOfAlwaysSayingThe,
    formula: CONSTANT_GUESS.mse,
    docs: DOCS.losses,
  },
  majority: {
    name: texts.predictingTheMajority,
    says: texts.theLossOfAlwaysGivingEach,
    formula: CONSTANT_GUESS.softmax_cross_entropy,
    docs: DOCS.losses,
  },
  grad_l1: {
    name: texts.sizeOfTheGradient,
    says: texts.allEntriesOfDwWithoutSigns,
    formula: "np.abs(dW).sum()",
    line: "backward dW",
    also: ["zero"],
    docs: DOCS.series,
  },
  grad_l2: {
    name: texts.l2Norm,
    says: texts.theLengthOfDwItsEntries,
    formula: "np.sqrt((dW**2).sum())",
    line: "backward dW",
    also: ["zero"],
    docs: DOCS.series,
  },
  grad_mean: {
    name: texts.meanDw,
    says: texts.theMeanSizeOfAnEntry,
    formula: "np.abs(dW).mean()",
    line: "backward dW",
    also: ["zero"],
    docs: DOCS.series,
  },
  ratio: {
    name: texts.updateOverWeightLabel,
    says: texts.howMuchAStepChangesW,
    formula: texts.formulaOfUpdateOverWeight,
    line: "update W",
    docs: DOCS.series,
  },
  whole: {
    name: texts.wholeGradientRate,
    says: texts.theLengthOfTheGradientOver,
    formula: "np.sqrt(sum((dP**2).sum()))",
    line: "backward dW",
    docs: DOCS.series,
  },
  zero: {
    name: texts.exactlyZeroLabel,
    says: texts.notMerelySmallEveryEntryOf,
    formula: "np.all(dW == 0)",
    line: "backward dW",
    also: ["dead"],
    docs: "reference/networks.html#activations",
  },
  dead: {
    name: texts.deadLabel,
    says: texts.aReluUnitIsDeadIf,
    formula: "np.all(z <= 0, axis=0)",
    line: "forward z",
    also: ["he"],
    docs: "reference/networks.html#activations",
  },
  weights: {
    name: texts.firstWeights,
    says: texts.howTheWeightsAreDrawnBefore,
    formula: FIRST_WEIGHTS.normal,
    further: texts.fromNInputsToKUnits,
    also: ["he"],
    docs: "reference/networks.html#initializers",
  },
  he: {
    name: texts.heInit,
    says: texts.firstWeightsScaledByTheNumber,
    formula: FIRST_WEIGHTS.he,
    docs: "reference/networks.html#initializers",
  },
  edge: {
    name: texts.steepestBend,
    says: texts.howSharplyTheLossCurvesWhere,
    formula: texts.formulaOfSteepestBend,
    also: ["learning_rate"],
    docs: "reference/instruments.html#curvature",
  },
  batch_edge: {
    name: texts.bendOfBatches,
    says: texts.howSharplyTheLossOfA,
    formula: "np.mean([g @ H @ g / (g @ g) for g, H in batches])",
    also: ["edge"],
    docs: "reference/instruments.html#batch_sharpness",
  },
  alpha: {
    name: texts.stepLengthAlpha,
    says: texts.theEndOfAStepInIts,
    formula: texts.formulaOfStepLength,
    docs: "reference/instruments.html#alpha",
  },
  noise: {
    name: texts.noiseScale,
    says: texts.howMuchSingleSamplesDisagreeWith,
    formula: texts.formulaOfNoiseScale,
    also: ["batch_size"],
    docs: "reference/instruments.html#noise",
  },
  spectrum: {
    name: texts.eigenvaluesOfTheHessian,
    says: texts.howTheLossCurvesAlongIts,
    formula: "e = np.linalg.eigvalsh(H)[::-1]\ntrace = e.sum()",
    also: ["edge"],
    docs: "reference/instruments.html#curvature",
  },
  cosine: {
    name: texts.cosineWithTheFullGradient,
    says: texts.howWellABatchAgreesWith,
    formula: "(g @ full) / (norm(g) * norm(full))",
    also: ["batch_size"],
    docs: "reference/instruments.html#gradients",
  },
  layers: {
    name: texts.signalOverNoiseOfEachLayer,
    says: texts.howLargeTheMeanGradientOf,
    formula: texts.formulaOfSignalOverNoise,
    also: ["noise"],
    docs: "reference/instruments.html#noise",
  },
  residuals: {
    name: texts.residuals,
    says: texts.theErrorsOfThePredictionsRmse,
    formula: "r = y - y_pred\nrmse = np.sqrt(np.mean(r**2))\nmae = np.mean(np.abs(r))",
    docs: "reference/instruments.html#metrics",
  },
  metrics: {
    name: texts.scoresOfEachClass,
    says: texts.precisionTheShareOfSamplesPredicted,
    formula: texts.formulaOfScores,
    further: texts.aucHowOftenASampleOf,
    also: ["accuracy"],
    docs: "reference/instruments.html#metrics",
  },
  calibration: {
    name: texts.calibration,
    says: texts.aCalibratedNetworkThatIs80,
    formula: texts.formulaOfExpectedError,
    docs: "reference/instruments.html#calibration",
  },
  "slice-filter": {
    name: texts.lossOverThePathsPlaneFilter,
    says: texts.eachDirectionIsScaledUnitBy,
    formula: "d *= norm(W) / norm(d)  # unit by unit",
    docs: "reference/instruments.html#slice",
  },
  outside: {
    name: texts.outsideThisPlane,
    says: texts.howMuchOfAPathThis,
    formula: "1 - shown @ shown / (path @ path)",
    docs: "reference/instruments.html#fall_line",
  },
  half: {
    name: texts.whyNoFactor2,
    says: texts.theLossShownIsTheMean,
    formula: texts.formulaOfHalf,
    further: texts.withThe2TheSameRate,
    line: "backward dy_pred",
    docs: "reference/methods.html#the-objective-and-the-reported-loss",
  },
} satisfies Record<string, Text>;

export type TermKey = keyof typeof TEXTS;
export type Term = Omit<Text, "also"> & { also?: TermKey[] };
export const TERMS = TEXTS as Record<TermKey, Term>;

export const isTerm = (key: string): key is TermKey => key in TEXTS;

/** The words of the page around the terms. */
export const CARD_TEXTS = {
  inNumpy: texts.seeItInNumpy,
  all: texts.allWords,
  more: texts.readMore,
  also: texts.seeAlso,
  state: texts.state,
  now: texts.now,
};

/** The term of an experiment's loss. */
export function lossTerm({ recipe: { loss } }: Experiment): TermKey {
  const name = methodName(loss);
  return isTerm(name) ? name : "mse";
}

/** Measures of a gradient: as buttons and menus name them, and as a formula in short. */
export const MEASURE_TEXTS: Record<Measure, { text: string; sign: string }> = {
  grad_l1: { text: texts.sizeOfTheGradient, sign: "Σ|dW|" },
  grad_l2: { text: texts.l2Norm, sign: "√ΣdW²" },
  grad_mean: { text: texts.meanDwWord, sign: "Σ|dW| ÷ n" },
  ratio: { text: texts.updateOverWeightWord, sign: "|ΔW| ÷ |W|" },
  whole: { text: texts.wholeRate, sign: "|dP|, lr" },
};

/** Words of sentences that the server writes, by their terms. */
const IN_SENTENCES = Object.entries<RegExp>(
  texts.serverWords satisfies Partial<Record<TermKey, RegExp>>,
);

/** A sentence in pieces: each term once, at its first place. */
export function termsIn(text: string): { text: string; term?: TermKey }[] {
  const matches = IN_SENTENCES.flatMap(([term, pattern]) => {
    const match = pattern.exec(text);
    return match ? [{ at: match.index, text: match[0], term: term as TermKey }] : [];
  }).sort((a, b) => a.at - b.at);
  const pieces: { text: string; term?: TermKey }[] = [];
  let at = 0;
  for (const each of matches) {
    if (each.at < at) continue;
    pieces.push({ text: text.slice(at, each.at) }, { text: each.text, term: each.term });
    at = each.at + each.text.length;
  }
  return [...pieces, { text: text.slice(at) }].filter(({ text: words }) => words);
}
