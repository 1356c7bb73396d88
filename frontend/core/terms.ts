/**
 * The words that explain themselves on the page: name, sentence, formula, their line in a step, and
 * their place in the documentation.
 * Owns: these texts, all in this file, so that a translation is one file. Pure.
 */

import { methodName } from "./catalog.ts";
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

/** Texts by key. The order is that of the list of all words. */
const TEXTS = {
  step: {
    name: "Step",
    says: "One change of all weights and biases. Step 0 is the start.",
    formula: "W -= lr * dW",
    line: "update W",
    also: ["epoch"],
    docs: DOCS.words,
  },
  samples_seen: {
    name: "Samples seen",
    says: "The sum of the batch sizes so far: how many gradients of single samples a run has paid for.",
    formula: "samples_seen += m   # the batch size",
    also: ["epoch"],
    docs: DOCS.words,
  },
  epoch: {
    name: "Epoch",
    says: "One pass over the training samples.",
    formula: "epoch = samples_seen / len(X)",
    docs: DOCS.words,
  },
  learning_rate: {
    name: "Learning rate",
    says: "How far a step goes along the gradient. Too low is slow, too high overshoots.",
    formula: "W -= lr * dW",
    line: "update W",
    also: ["edge"],
    docs: "reference/methods.html#optimizers",
  },
  batch_size: {
    name: "Batch",
    says: "How many samples a step averages its gradient over: all is GD, one is SGD.",
    formula: "dy_pred = (y_pred - y) / m   # m samples",
    line: "backward dy_pred",
    also: ["noise"],
    docs: "reference/measurements.html#batches",
  },
  mse: {
    name: "Mean squared error",
    says: "How far the predictions are from y: the distances squared, then averaged.",
    formula: "np.mean((y - y_pred)**2)",
    line: "forward loss",
    also: ["half"],
    docs: DOCS.losses,
  },
  huber: {
    name: "Huber loss",
    says: "Squared for small errors, straight beyond delta: a sample far off pulls no harder than that.",
    formula: "c = np.clip(y_pred - y, -delta, delta)\nnp.mean(c * (y_pred - y - c / 2))",
    line: "forward loss",
    docs: DOCS.losses,
  },
  binary_cross_entropy: {
    name: "Binary cross-entropy",
    says: "Minus the logarithm of the probability given to the true class, averaged.",
    formula: "side = 1 - 2 * y\nnp.mean(np.logaddexp(0, side * y_pred))",
    line: "forward loss",
    docs: DOCS.losses,
  },
  softmax_cross_entropy: {
    name: "Softmax cross-entropy",
    says: "Minus the logarithm of the probability given to the true class, averaged.",
    formula:
      "e = np.exp(y_pred)\np = e / e.sum(axis=1, keepdims=True)\n-np.mean(np.log(p[rows, y]))",
    line: "forward loss",
    docs: DOCS.losses,
  },
  test_loss: {
    name: "On test",
    says: "The same loss over samples that training never uses. Where it rises alone, the run overfits.",
    docs: "reference/doctor.html#verdict",
  },
  r2: {
    name: "R²",
    says: "The share of the spread in y that the network explains. 1 is perfect, 0 is always saying the mean, below 0 is worse.",
    formula: "1 - np.mean((y - y_pred)**2) / np.var(y)",
    line: "forward y_pred",
    docs: DOCS.losses,
  },
  accuracy: {
    name: "Accuracy",
    says: "The share of samples whose class is predicted right.",
    formula: "np.mean(predicted == y)",
    line: "forward y_pred",
    docs: DOCS.losses,
  },
  baseline: {
    name: "Predicting the mean",
    says: "The loss of always saying the mean of y. A run at this line has learnt nothing from its inputs.",
    formula: "np.mean((y - y.mean())**2)",
    docs: DOCS.losses,
  },
  majority: {
    name: "Predicting the majority",
    says: "The loss of always giving each class its share. A run at this line has learnt nothing from its inputs.",
    docs: DOCS.losses,
  },
  grad_l1: {
    name: "Size of the gradient",
    says: "All entries of dW, without signs, added.",
    formula: "np.abs(dW).sum()",
    line: "backward dW",
    also: ["zero"],
    docs: DOCS.series,
  },
  grad_l2: {
    name: "L2 norm",
    says: "The length of dW: its entries squared, added, and the root of that.",
    formula: "np.sqrt((dW**2).sum())",
    line: "backward dW",
    also: ["zero"],
    docs: DOCS.series,
  },
  grad_mean: {
    name: "Mean |dW|",
    says: "The mean size of an entry of dW, so that layers of different sizes compare.",
    formula: "np.abs(dW).mean()",
    line: "backward dW",
    also: ["zero"],
    docs: DOCS.series,
  },
  ratio: {
    name: "Update ÷ weight",
    says: "How much a step changes W, beside the size of W.",
    formula: "norm(change of W) / norm(W)",
    line: "update W",
    docs: DOCS.series,
  },
  whole: {
    name: "Whole gradient, rate",
    says: "The length of the gradient over all weights and biases, and the rate in force.",
    formula: "np.sqrt(sum((dP**2).sum()))",
    line: "backward dW",
    docs: DOCS.series,
  },
  zero: {
    name: "Exactly 0",
    says: "Not merely small: every entry of dW is 0, so plain steps leave W as it is.",
    formula: "np.all(dW == 0)",
    line: "backward dW",
    also: ["dead"],
    docs: "reference/networks.html#activations",
  },
  dead: {
    name: "Dead",
    says: "A relu unit is dead if it outputs 0 for every training sample. No gradient reaches its weights.",
    formula: "np.all(z <= 0, axis=0)",
    line: "forward z",
    also: ["he"],
    docs: "reference/networks.html#activations",
  },
  weights: {
    name: "First weights",
    says: "How the weights are drawn before step 0. Too small, and signals fade; too large, and they explode.",
    also: ["he"],
    docs: "reference/networks.html#initializers",
  },
  he: {
    name: "He init",
    says: "First weights scaled by the number of inputs, made for relu.",
    formula: "W = rng.normal(size=(n, k)) * np.sqrt(2 / n)",
    docs: "reference/networks.html#initializers",
  },
  edge: {
    name: "Steepest bend",
    says: "How sharply the loss curves where it bends most. Above 2 / rate, steps overshoot.",
    formula: "np.linalg.eigvalsh(H).max()   # limit: 2 / lr",
    also: ["learning_rate"],
    docs: "reference/instruments.html#curvature",
  },
  batch_edge: {
    name: "Bend of batches",
    says: "How sharply the loss of a batch curves along its own gradient, averaged over the batches of a pass.",
    formula: "np.mean([g @ H @ g / (g @ g) for g, H in batches])",
    also: ["edge"],
    docs: "reference/instruments.html#batch_sharpness",
  },
  alpha: {
    name: "Step length α",
    says: "Where a step ends in its valley: 0 at the lowest point, 1 as high as before on the other side.",
    formula: "alpha = lr * h - 1   # on a parabola of curvature h",
    docs: "reference/instruments.html#alpha",
  },
  noise: {
    name: "Noise scale",
    says: "How much single samples disagree with the whole gradient. Smaller batches have more noise than signal.",
    formula: "g = G.mean(axis=0)  # rows of G: samples\n((G - g)**2).sum() / (m - 1) / (g @ g)",
    also: ["batch_size"],
    docs: "reference/instruments.html#noise",
  },
  outside: {
    name: "Outside this plane",
    says: "How much of a path this plane cannot show: its share of the squared distance from the start.",
    formula: "1 - shown @ shown / (path @ path)",
    docs: "reference/instruments.html#fall_line",
  },
  half: {
    name: "Why no factor 2?",
    says: "The loss shown is the mean of the squares. What is descended is half of it, so the 2 of the square and the half cancel:",
    formula:
      "loss = mean((y - y_pred)**2)  # shown\nhalf = loss / 2               # descended\ndy_pred = (y_pred - y) / m",
    further: "With the 2, the same rate would take steps twice as long.",
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
  inNumpy: "See it in NumPy",
  all: "All words",
  more: "Read more",
  also: "See also",
  state: "State",
  now: "Now",
};

/** The term of an experiment's loss. */
export function lossTerm({ recipe: { loss } }: Experiment): TermKey {
  const name = methodName(loss);
  return isTerm(name) ? name : "mse";
}

/** Measures of a gradient: as buttons and menus name them, and as a formula in short. */
export const MEASURE_TEXTS: Record<Measure, { text: string; sign: string }> = {
  grad_l1: { text: "Size of the gradient", sign: "Σ|dW|" },
  grad_l2: { text: "L2 norm", sign: "√ΣdW²" },
  grad_mean: { text: "mean |dW|", sign: "Σ|dW| ÷ n" },
  ratio: { text: "update ÷ weight", sign: "|ΔW| ÷ |W|" },
  whole: { text: "whole, rate", sign: "|dP|, lr" },
};

/** Words of sentences that the server writes, with their terms. */
const IN_SENTENCES: [RegExp, TermKey][] = [
  [/R²/, "r2"],
  [/exactly 0/, "zero"],
  [/He init/, "he"],
  [/steepest bend/, "edge"],
  [/noise scale/, "noise"],
  [/predicts the mean|predicting the mean/, "baseline"],
];

/** A sentence in pieces: each term once, at its first place. */
export function termsIn(text: string): { text: string; term?: TermKey }[] {
  const found = IN_SENTENCES.flatMap(([pattern, term]) => {
    const match = pattern.exec(text);
    return match ? [{ at: match.index, text: match[0], term }] : [];
  }).sort((a, b) => a.at - b.at);
  const pieces: { text: string; term?: TermKey }[] = [];
  let at = 0;
  for (const each of found) {
    if (each.at < at) continue;
    pieces.push({ text: text.slice(at, each.at) }, { text: each.text, term: each.term });
    at = each.at + each.text.length;
  }
  return [...pieces, { text: text.slice(at) }].filter(({ text: words }) => words);
}
