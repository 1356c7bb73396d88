// TensorFlow Playground's own engine, nn.ts: objects and links, one sample at a time.
//
// It is published as source only, in no package registry: PLAYGROUND_NN names the file, as it is or compiled.

// /// script
// dependencies = []
//
// [tool.rival]
// name = "TensorFlow Playground"
// records = "nothing"
// needs = "PLAYGROUND_NN"
// missing = "its engine is in no package registry; PLAYGROUND_NN names its nn.ts where there is one"
// ///

import { pathToFileURL } from "node:url";

import { flat, layers, rowsOf, serve } from "./interface/job.mjs";

const nn = await import(pathToFileURL(process.env.PLAYGROUND_NN).href);

class Playground {
  constructor(job) {
    const { RELU, TANH, LINEAR } = nn.Activations;
    const names = job.samples[0].map((_, i) => `x${i}`);
    this.job = job;
    this.rows = rowsOf(job);
    this.net = nn.buildNetwork(job.sizes, job.activation === "relu" ? RELU : TANH, LINEAR, null, names);
  }

  reset() {
    layers(this.job).forEach(({ weights, biases }, place) =>
      this.net[place + 1].forEach((node, j) => {
        node.bias = biases[j];
        node.inputLinks.forEach((link, i) => (link.weight = weights[i][j]));
      }),
    );
  }

  train(steps) {
    const { net, rows } = this;
    const { samples, targets, batch_size: batch, learning_rate: rate } = this.job;
    for (let step = 0; step < steps; step++) {
      for (let k = step * batch; k < (step + 1) * batch; k++) {
        const row = rows[k % rows.length];
        nn.forwardProp(net, samples[row]);
        nn.backProp(net, targets[row], nn.Errors.SQUARE);
      }
      nn.updateWeights(net, rate, 0);
    }
  }

  parameters() {
    const { net } = this;
    return flat(
      this.job,
      (layer, i, j) => net[layer + 1][j].inputLinks[i].weight,
      (layer, j) => net[layer + 1][j].bias,
    );
  }
}

serve(Playground, {});
