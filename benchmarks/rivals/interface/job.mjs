// The interface of a rival in JavaScript: see job.py beside this file, which says what a job and an answer hold.
//
// A rival is a class: constructor(job), reset(), train(steps), parameters(). `needed` loads an npm package of the
// rival's environment; `CannotDo` declines a workload.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

export class CannotDo extends Error {}

export const needed = createRequire(`${process.env.RIVAL_MODULES ?? process.cwd()}/`);

/** Weights [fan_in][fan_out] and biases [fan_out] of each layer. */
export function layers(job) {
  let at = 0;
  const take = (count) => job.parameters.slice(at, (at += count));
  return job.sizes.slice(1).map((fanOut, layer) => ({
    weights: Array.from({ length: job.sizes[layer] }, () => take(fanOut)),
    biases: take(fanOut),
  }));
}

/** The flat vector, from functions of (layer, input, unit) and (layer, unit). */
export function flat(job, weight, bias) {
  const parameters = [];
  job.sizes.slice(1).forEach((fanOut, layer) => {
    for (let i = 0; i < job.sizes[layer]; i++) for (let j = 0; j < fanOut; j++) parameters.push(weight(layer, i, j));
    for (let j = 0; j < fanOut; j++) parameters.push(bias(layer, j));
  });
  return parameters;
}

/** The rows that each step takes, end to end; one pass over all samples where every step takes all. */
export const rowsOf = (job) => job.order ?? job.samples.map((_, row) => row);

export async function serve(Rival, versions) {
  console.log = console.info = console.warn = console.error;
  const prepared = new Map();
  say({ versions: { Node: process.versions.node, ...versions } });
  for await (const line of createInterface({ input: process.stdin })) say(answered(line));

  function say(message) {
    process.stdout.write(`${JSON.stringify(message)}\n`);
  }

  function answered(line) {
    try {
      const job = JSON.parse(line);
      const key = `${job.workload} ${job.first_step}`;
      if (!prepared.has(key)) prepared.set(key, new Rival(job));
      return answer(prepared.get(key), job);
    } catch (error) {
      if (error instanceof CannotDo) return { cannot: error.message };
      console.error(error);
      return { error: String(error) };
    }
  }

  function answer(rival, job) {
    let microseconds = 0;
    for (let turn = 0; turn < job.repeats; turn++) {
      rival.reset();
      const began = process.cpuUsage();
      rival.train(job.steps);
      const { user, system } = process.cpuUsage(began);
      microseconds += user + system;
    }
    return { seconds: microseconds / 1e6, steps: job.steps * job.repeats, parameters: rival.parameters() };
  }
}
