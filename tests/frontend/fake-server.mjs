// A server's answers by hand, small enough to read.

export const catalog = {
  optimizers: [
    { name: "sgd", parameters: [] },
    { name: "momentum", parameters: [{ name: "momentum", default: 0.9 }] },
    { name: "nesterov", parameters: [{ name: "momentum", default: 0.9 }] },
    { name: "adam", parameters: [{ name: "beta1", default: 0.9 }, { name: "beta2", default: 0.999 }, { name: "epsilon", default: 1e-8 }] },
  ],
  schedules: [
    { name: "constant", parameters: [] },
    { name: "cosine", parameters: [{ name: "steps", default: 1000 }, { name: "least", default: 0.01 }] },
    { name: "inverse_time", parameters: [{ name: "steps", default: 1000 }] },
  ],
  run_settings: [
    { name: "learning_rate", default: 0.1 }, { name: "batch_size", default: 1 }, { name: "l1", default: 0 }, { name: "l2", default: 0 },
    { name: "clip_norm", default: null, when_on: 1 }, { name: "clip_value", default: null, when_on: 1 },
  ],
};

/** The notebook's experiment at step 0, with changes to every run or to the counts. */
export function answer({ id = "e1", status = "paused", step = 0, generation = 0, test_fraction: share = 0.25, ...more } = {}) {
  const run = (name, batch) => ({ name, optimizer: "sgd", learning_rate: 0.1, batch_size: batch, order: "shuffle", seed: 0, edits: [] });
  const told = (name) => ({
    name, label: null, status, step, epoch: step, samples_seen: step * 900, generation, diverged_at: null,
    latest: step ? {} : { train_loss: { step: 0, value: 12.3 } },
  });
  const layer = { units: 4, activation: "relu" };
  return {
    id,
    recipe: {
      data: { name: "log_linear", samples: 1200, features: 5, noise: 0, test_fraction: share, seed: 4 },
      network: { layers: [layer, layer], output: "identity", weights: "normal", biases: "normal", seed: 0 },
      loss: "mse",
      runs: [run("gd", null), run("sgd", 1)],
    },
    kernel: "numpy",
    runs: [told("gd"), told("sgd")],
    train_samples: 900, test_samples: 300, baseline: { train: 0.0436, test: 0.047 }, initial_loss: 12.3,
    ...more,
  };
}

/** Columns of steps first ... last, one bucket a step, the loss being 1 / (1 + step). */
export function columns(first, last, generation = 0) {
  const steps = Array.from({ length: last - first + 1 }, (_, k) => first + k);
  const loss = steps.map((step) => 1 / (1 + step));
  return {
    generation, first: steps, last: steps, samples_seen: steps.map((step) => 900 * (step + 1)), seconds: steps.map((step) => (step + 1) * 1e-4),
    series: { train_loss: { min: loss, max: loss, mean: loss, last: loss, count: steps.map(() => 1) } },
  };
}
