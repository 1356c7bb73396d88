/**
 * Display names of catalog rows and settings.
 * Owns: words only. A name that is not here is shown as it is, so that a new row needs none. Pure.
 */

/** By table, as inside a sentence. */
const WORDS: Record<string, Record<string, string>> = {
  datasets: {
    log_linear: "y = log(Xβ + 20)",
    linear: "y = Xβ",
    sine: "y = Σ sin x",
    chebyshev: "Chebyshev wave",
    xor: "XOR",
    two_gaussians: "two Gaussians",
    gaussian_hills: "Gaussian hills",
    csv: "your own data (CSV)",
  },
  initializers: {
    he: "He",
    he_normal: "He, normal",
    he_uniform: "He, uniform",
    lecun: "LeCun",
    pytorch: "PyTorch",
    xavier: "Xavier",
    xavier_normal: "Xavier, normal",
    xavier_uniform: "Xavier, uniform",
  },
  optimizers: {
    sgd: "plain",
    nesterov: "Nesterov",
    adagrad: "Adagrad",
    adadelta: "Adadelta",
    rmsprop: "RMSProp",
    rmsprop_momentum: "RMSProp, momentum",
    rmsprop_centered: "RMSProp, centered, momentum",
    adam: "Adam",
    adamw: "AdamW",
    amsgrad: "AMSGrad",
    adamax: "Adamax",
    nadam: "Nadam",
    radam: "RAdam",
    lion: "Lion",
    lbfgs: "L-BFGS",
  },
  schedules: {
    step: "step decay",
    cosine_restarts: "cosine with restarts",
    plateau: "reduce on plateau",
    inverse_time: "1/t",
    warmup: "warm-up",
  },
  orders: { shuffle: "shuffled", sequential: "in order", replacement: "with replacement" },
  standardize: { none: "nothing", both: "inputs and targets" },
  settings: {
    learning_rate: "rate",
    batch_size: "batch",
    beta1: "beta 1",
    beta2: "beta 2",
    l1: "L1",
    l2: "L2",
    features: "inputs",
  },
};

/** Inside a sentence: "plain", "Adam", "clip norm". */
export const wordFor = (table: string, name: string) =>
  WORDS[table]?.[name] ?? name.replaceAll("_", " ");

/** "y = Xβ" keeps its small letter. */
export const capital = (text: string) =>
  /^([a-z]{2}|a )/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;

/** On a control or in a list: "Plain", "Clip norm". */
export const nameFor = (table: string, name: string) => capital(wordFor(table, name));

/** An activation on a block: the output's identity is "linear". */
export const activationWord = (name: string) =>
  name === "identity" ? "linear" : name.replaceAll("_", " ");
