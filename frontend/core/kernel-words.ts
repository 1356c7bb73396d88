/**
 * Which kernel makes the steps, in words.
 * Owns: words only.
 */

import { listed } from "./format.ts";

/** as GET /healthz answers */
type Health = { kernel: string; not_compiled?: string };
/** a run, and the kernel with which it started */
type RunKernel = { label: string; kernel: string };

const NAMES = { compiled: "compiled kernels", numpy: "NumPy" } as Record<string, string>;

const nameOf = (kernel: string) => NAMES[kernel] ?? kernel;

/** @param next the kernel for new runs of this experiment */
export function kernelWords(health: Health, runs: RunKernel[], next = health.kernel) {
  if (next !== health.kernel)
    return `Steps are made by ${nameOf(next)}: the ${nameOf(health.kernel)} have no code for this loss.`;
  const why = health.not_compiled
    ? ` (compiled kernels are not in use: ${health.not_compiled})`
    : "";
  const others = runs.filter(({ kernel }) => kernel !== health.kernel);
  const [first] = others;
  if (!first) return `Steps are made by ${nameOf(health.kernel)}${why}.`;
  const note = `${listed(others.map(({ label }) => label))} started with ${nameOf(first.kernel)} and ${others.length > 1 ? "keep" : "keeps"} it until reset`;
  return `New runs are made by ${nameOf(health.kernel)}${why}. ${note}.`;
}
