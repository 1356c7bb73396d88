/**
 * Which kernel makes the steps, in words.
 * Owns: words only.
 */

import { listed } from "./format.ts";
import * as texts from "../words/english.ts";

/** as GET /healthz answers */
type Health = { kernel: string; not_compiled?: string };
/** a run, and the kernel with which it started */
type RunKernel = { label: string; kernel: string };

const NAMES = { compiled: texts.compiledKernels, numpy: texts.numpy } as Record<string, string>;

const nameOf = (kernel: string) => NAMES[kernel] ?? kernel;

/** @param next the kernel for new runs of this experiment */
export function kernelWords(health: Health, runs: RunKernel[], next = health.kernel) {
  if (next !== health.kernel) return texts.stepsAreMadeByXThe(nameOf(next), nameOf(health.kernel));
  const why = health.not_compiled ? texts.compiledKernelsAreNotInUse(health.not_compiled) : "";
  const others = runs.filter(({ kernel }) => kernel !== health.kernel);
  const [first] = others;
  if (!first) return texts.stepsAreMadeByXY(nameOf(health.kernel), why);
  const note = texts.xStartedWithYAndZ(
    listed(others.map(({ label }) => label)),
    nameOf(first.kernel),
    others.length > 1 ? texts.keep : texts.keeps,
  );
  return texts.newRunsAreMadeByX(nameOf(health.kernel), why, note);
}
