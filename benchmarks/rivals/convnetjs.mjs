// ConvNetJS: fully connected layers, its SGD trainer, one sample at a time.

// /// script
// dependencies = ["convnetjs@0.3.0"]
//
// [tool.rival]
// name = "ConvNetJS"
// records = "nothing"
// ///

import { flat, layers, needed, rowsOf, serve } from "./interface/job.mjs";

const convnetjs = needed("convnetjs");

class ConvNetJS {
  constructor(job) {
    const { sizes, activation } = job;
    const hidden = sizes.slice(1, -1).map((units) => ({ type: "fc", num_neurons: units, activation }));
    this.job = job;
    this.net = new convnetjs.Net();
    this.net.makeLayers([
      { type: "input", out_sx: 1, out_sy: 1, out_depth: sizes[0] },
      ...hidden,
      { type: "regression", num_neurons: sizes.at(-1) },
    ]);
    this.linear = this.net.layers.filter(({ layer_type: type }) => type === "fc");
    this.rows = rowsOf(job);
    this.inputs = job.samples.map((sample) => new convnetjs.Vol(sample));
    this.targets = job.targets.map((target) => [target]);
  }

  reset() {
    const { batch_size: batch, learning_rate: rate } = this.job;
    layers(this.job).forEach(({ weights, biases }, place) => {
      const { filters, biases: own } = this.linear[place];
      filters.forEach((filter, j) => weights.forEach((row, i) => ((filter.w[i] = row[j]), (filter.dw[i] = 0))));
      biases.forEach((bias, j) => ((own.w[j] = bias), (own.dw[j] = 0)));
    });
    const options = { method: "sgd", learning_rate: rate, momentum: 0, batch_size: batch, l2_decay: 0 };
    this.trainer = new convnetjs.SGDTrainer(this.net, options);
  }

  train(steps) {
    const { trainer, rows, inputs, targets } = this;
    for (let k = 0; k < steps * this.job.batch_size; k++) {
      const row = rows[k % rows.length];
      trainer.train(inputs[row], targets[row]);
    }
  }

  parameters() {
    const { linear } = this;
    return flat(
      this.job,
      (layer, i, j) => linear[layer].filters[j].w[i],
      (layer, j) => linear[layer].biases.w[j],
    );
  }
}

serve(ConvNetJS, { ConvNetJS: "0.3.0" });
