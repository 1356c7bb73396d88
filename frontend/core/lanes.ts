/**
 * The lane of a run: its colour and shape, by its method where that is free. A run keeps it for life.
 * Owns: which run takes which, and the shapes. Pure.
 */

import type { Lane, RunRecipe } from "./types.ts";

export const LANES = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;
/** The shape of each, as a path in a box of 10 x 10. */
export const SHAPES: Record<Lane, string> = {
  a: "M5 .7a4.3 4.3 0 1 0 0 8.6a4.3 4.3 0 1 0 0-8.6z",
  b: "M1 1h8v8H1z",
  c: "M5 .2 9.8 5 5 9.8.2 5z",
  d: "M5 .8 9.6 9H.4z",
  e: "M5 9.2.4 1h9.2z",
  f: "M3.4.6h3.2v2.8h2.8v3.2H6.6v2.8H3.4V6.6H.6V3.4h2.8z",
  g: "m5 .2 1.4 3.2 3.4.3-2.6 2.2.8 3.4L5 7.5 2 9.3l.8-3.4L.2 3.7l3.4-.3z",
  h: "M1.2.6h7.6L5.9 5l2.9 4.4H1.2L4.1 5z",
};
/** For methods without a lane of their own, and for second runs of a method. */
const FURTHER: Lane[] = ["g", "h"];

const OPTIMIZERS: Record<string, Lane> = {
  momentum: "d",
  dampened_momentum: "d",
  nesterov: "d",
  adam: "e",
  adamw: "e",
  amsgrad: "e",
  adamax: "e",
  nadam: "e",
  radam: "e",
  adagrad: "f",
  adadelta: "f",
  rmsprop: "f",
  rmsprop_momentum: "f",
  rmsprop_centered: "f",
};

type Method = Pick<RunRecipe, "optimizer" | "batch_size">;

/** GD, SGD and mini-batch differ by their batch, the others by their rule. */
function laneOfMethod({ optimizer, batch_size: size }: Method): Lane {
  if (optimizer !== "sgd") return OPTIMIZERS[optimizer] ?? FURTHER[0];
  return size === null ? "a" : size === 1 ? "b" : "c";
}

/** The method with which a run begins: of a fork its own, not the one of its parent's step 0. */
export function firstMethod({ optimizer, batch_size, edits, origin }: RunRecipe): Method {
  const before = origin ? edits.filter(({ at_step }) => at_step <= origin.at_step) : [];
  return Object.assign({ optimizer, batch_size }, ...before) as Method;
}

/** @param used lanes of the other runs */
export function laneFor(method: Method, used: Lane[]): Lane {
  const wished = [laneOfMethod(method), ...FURTHER, ...LANES];
  return wished.find((lane) => !used.includes(lane)) ?? wished[0];
}

/** The lanes of runs that begin together, in their order. */
export function lanesOf(methods: Method[]): Lane[] {
  return methods.reduce<Lane[]>((lanes, method) => [...lanes, laneFor(method, lanes)], []);
}
