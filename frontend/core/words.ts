/**
 * Display names of catalog rows and settings.
 * Owns: words only. A name that is not here is shown as it is, so that a new row needs none. Pure.
 */

import * as texts from "../words/english.ts";

/** By table, as inside a sentence. */
const WORDS: Record<string, Record<string, string>> = {
  datasets: {
    log_linear: texts.logLinear,
    linear: texts.linearData,
    sine: texts.sumOfSines,
    chebyshev: texts.chebyshevWave,
    xor: texts.xor,
    two_gaussians: texts.twoGaussians,
    gaussian_hills: texts.gaussianHills,
    csv: texts.yourOwnData,
  },
  initializers: {
    he: texts.he,
    he_normal: texts.heNormal,
    he_uniform: texts.heUniform,
    lecun: texts.lecun,
    pytorch: texts.pytorch,
    xavier: texts.xavier,
    xavier_normal: texts.xavierNormal,
    xavier_uniform: texts.xavierUniform,
  },
  optimizers: {
    sgd: texts.plain,
    nesterov: texts.nesterov,
    adagrad: texts.adagrad,
    adadelta: texts.adadelta,
    rmsprop: texts.rmsprop,
    rmsprop_momentum: texts.rmspropMomentum,
    rmsprop_centered: texts.rmspropCenteredMomentum,
    adam: texts.adam,
    adamw: texts.adamw,
    amsgrad: texts.amsgrad,
    adamax: texts.adamax,
    nadam: texts.nadam,
    radam: texts.radam,
    lion: texts.lion,
    lbfgs: texts.lBFGS,
  },
  schedules: {
    step: texts.stepDecay,
    cosine_restarts: texts.cosineWithRestarts,
    plateau: texts.reduceOnPlateau,
    inverse_time: texts.inverseTime,
    warmup: texts.warmUp,
  },
  orders: {
    shuffle: texts.shuffled,
    sequential: texts.inOrder,
    replacement: texts.withReplacement,
  },
  standardize: { none: texts.nothing, both: texts.inputsAndTargets },
  settings: {
    learning_rate: texts.rate,
    batch_size: texts.batchWord,
    beta1: texts.beta1,
    beta2: texts.beta2,
    l1: texts.l1,
    l2: texts.l2,
    features: texts.inputs,
  },
};

/** Inside a sentence: "plain", "Adam", "clip norm". */
export const wordFor = (table: string, name: string) =>
  WORDS[table]?.[name] ?? name.replaceAll("_", " ");

/** True if a name has words of its own here. */
export const isWritten = (table: string, name: string) => name in (WORDS[table] ?? {});

/** On a control or in a list: "Plain", "Clip norm". */
export const nameFor = (table: string, name: string) => texts.capital(wordFor(table, name));

/** An activation on a block: the output's identity is "linear". */
export const activationWord = (name: string) =>
  name === "identity" ? texts.linearActivation : name.replaceAll("_", " ");
