/**
 * Formulas that depend on the recipe or on a run: of first weights, of the loss of a constant
 * guess, and of the Doctor's verdict.
 * Owns: these formulas, as NumPy. terms.ts has all others. Pure.
 */

import type { Verdict } from "./types.ts";

const normal = (scale: string) => `W = rng.normal(size=(n, k)) * ${scale}`;
const even = (bound: string) => `b = ${bound}\nW = rng.uniform(-b, b, size=(n, k))`;

/** By the initializer's name: W from n units to k units. */
export const FIRST_WEIGHTS: Record<string, string> = {
  normal: normal("scale"),
  uniform: even("scale"),
  he: normal("np.sqrt(2 / n)"),
  he_normal: normal("np.sqrt(2 / n)"),
  he_uniform: even("np.sqrt(6 / n)"),
  xavier: normal("np.sqrt(2 / (n + k))"),
  xavier_normal: normal("np.sqrt(2 / (n + k))"),
  xavier_uniform: even("np.sqrt(6 / (n + k))"),
  lecun: normal("np.sqrt(1 / n)"),
  pytorch: even("1 / np.sqrt(n)"),
  orthogonal:
    "N = rng.normal(size=(max(n, k), min(n, k)))\nQ, R = np.linalg.qr(N)\nQ *= np.sign(np.diag(R))\nW = Q if n >= k else Q.T",
  zeros: "W = np.zeros((n, k))",
};

/** First weights of a file. */
export const FROM_A_FILE = 'W1 = np.load(file)["W1"]';

const SHARES = "p = np.bincount(y) / len(y)\n-np.mean(np.log(p[y]))";

/** By the name of the loss: its value for the best constant guess. */
export const CONSTANT_GUESS: Record<string, string> = {
  mse: "np.mean((y - y.mean())**2)",
  huber: "e = y.mean() - y\nc = np.clip(e, -delta, delta)\nnp.mean(c * (e - c / 2))",
  binary_cross_entropy: SHARES,
  softmax_cross_entropy: SHARES,
};

const NO_BETTER = "loss >= 0.98 * baseline";
const RATIO = "ratio = median(last) / median(before)";

/** The Doctor's `plateau` as a warning. `before` and `last`: the losses of 200 points each. */
export const AT_REST = "abs(1 - mean(last) / mean(before)) < 0.01\nmean(last) > 0.5 * baseline";

/** `before` and `last`: the losses of an eighth of the run's steps, and of the newest eighth. */
export const VERDICTS: Record<Verdict, string> = {
  waiting: "step == 0",
  learning: "loss < 0.98 * baseline",
  overfitting: "test > max(1.2 * best_test, loss)\nmedian(last) > median(before)",
  on_the_way: `${NO_BETTER}\n${RATIO}\nratio < 0.95 or step < 16`,
  flat: `${NO_BETTER}\n${RATIO}\nratio >= 0.95 and step >= 16`,
  dead: "np.all(a == 0)",
  diverged: "loss > 1e6 * initial_loss or\n  not np.all(np.isfinite([*P, *dP]))",
};
