// brain.js: its NeuralNetwork, one sample at a time, which is all it does. Numbers are kept as float32.
//
// It bends the output as it bends the layers. The workload begins with outputs above zero, where relu changes nothing, so
// that it makes the same steps all the same.

// /// script
// dependencies = ["brain.js@1.6.1"]
//
// [tool.rival]
// name = "brain.js"
// records = "nothing"
// precision = "float32"
// ///

import { CannotDo, flat, layers, needed, serve } from "./interface/job.mjs";

const { NeuralNetwork } = needed("brain.js");

class BrainJS {
  constructor(job) {
    if (job.batch_size > 1) throw new CannotDo("changes its weights after every sample only");
    this.job = job;
    const { sizes, activation, learning_rate: learningRate } = job;
    this.net = new NeuralNetwork({ hiddenLayers: sizes.slice(1, -1), activation, learningRate });
    this.net.sizes = sizes;
    this.net.initialize();
    Object.assign(this.net.trainOpts, { learningRate, momentum: 0 });
    this.samples = job.samples.map((sample, row) => ({
      input: Float32Array.from(sample),
      output: Float32Array.of(job.targets[row]),
    }));
  }

  reset() {
    layers(this.job).forEach(({ weights, biases }, place) => {
      const [own, changes] = [this.net.weights[place + 1], this.net.changes[place + 1]];
      own.forEach((unit, j) => weights.forEach((row, i) => ((unit[i] = row[j]), (changes[j][i] = 0))));
      biases.forEach((bias, j) => (this.net.biases[place + 1][j] = bias));
    });
  }

  train(steps) {
    const { net, samples } = this;
    const { order } = this.job;
    for (let k = 0; k < steps; k++) net.trainPattern(samples[order[k]], false);
  }

  parameters() {
    const { weights, biases } = this.net;
    return flat(
      this.job,
      (layer, i, j) => weights[layer + 1][j][i],
      (layer, j) => biases[layer + 1][j],
    );
  }
}

serve(BrainJS, { "brain.js": "1.6.1" });
