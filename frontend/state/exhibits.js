/**
 * The recipe on which the page opens.
 * Owns: exhibits as recipes. Both runs learn at the notebook's rate; the seeds tell its story: GD learns, SGD's second
 * layer dies within a few hundred steps.
 */

export const NOTEBOOK = {
  name: "The notebook: log-linear regression",
  recipe: {
    data: { name: "log_linear", samples: 1200, features: 5, test_fraction: 0.25, seed: 4 },
    network: { layers: [{ units: 4, activation: "relu" }, { units: 4, activation: "relu" }], seed: 1 },
    runs: [
      { name: "gd", label: "GD", optimizer: "sgd", learning_rate: 0.1, batch_size: null },
      { name: "sgd", label: "SGD", optimizer: "sgd", learning_rate: 0.1, batch_size: 1 },
    ],
  },
};
