/**
 * Which kernel makes the steps, in words.
 * Owns: words only.
 */

/** @typedef {{kernel: string, not_compiled?: string}} Health  as GET /healthz answers */
/** @typedef {{label: string, kernel: string}} RunKernel  a run, and the kernel with which it started */

const NAMES = /** @type {Record<string, string>} */ ({ compiled: "compiled kernels", numpy: "NumPy" });

/** @param {string} kernel */
const nameOf = (kernel) => NAMES[kernel] ?? kernel;

/** @param {string[]} words */
const listed = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join(""));

/** @param {Health} health @param {RunKernel[]} runs @param {string} [next]  the kernel for new runs of this experiment */
export function kernelWords(health, runs, next = health.kernel) {
  if (next !== health.kernel) return `Steps are made by ${nameOf(next)}: the ${nameOf(health.kernel)} have no code for this loss.`;
  const why = health.not_compiled ? ` (compiled kernels are not in use: ${health.not_compiled})` : "";
  const others = runs.filter(({ kernel }) => kernel !== health.kernel);
  const [first] = others;
  if (!first) return `Steps are made by ${nameOf(health.kernel)}${why}.`;
  const note = `${listed(others.map(({ label }) => label))} started with ${nameOf(first.kernel)} and ${others.length > 1 ? "keep" : "keeps"} it until reset`;
  return `New runs are made by ${nameOf(health.kernel)}${why}. ${note}.`;
}
