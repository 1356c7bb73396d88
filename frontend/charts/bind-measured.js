/**
 * Fills a figure with an instrument's measurements, by the paths in its traces' `meta`.
 * Owns: what a path means. Twin of backend figures/measured.py; tests/golden holds both to the same figure. Knows no
 * figure and no Plotly.
 */

/** @typedef {import("../state/types.js").Json} Json */

/**
 * @param {Json} figure
 * @param {Json[]} measured  oldest first
 * @param {Json|undefined} [selected]  the measurement to show; the newest by default
 * @returns {Json}  a new figure; the argument is not changed
 */
export function fillMeasured(figure, measured, selected = measured[measured.length - 1]) {
  const last = selected ? [selected] : [];
  const data = figure.data.map((/** @type {Json} */ trace) => {
    if (!trace.meta?.of) return trace;
    const sources = trace.meta.of === "all" ? measured : last;
    return { ...trace, ...("z" in trace.meta ? surface(trace.meta, sources) : points(trace.meta, sources)) };
  });
  /** @type {Json} */
  const layout = { ...figure.layout };
  for (const [axis, path] of Object.entries(layout.meta?.names ?? {})) {
    const names = values(/** @type {string} */ (path), last);
    layout[axis] = { ...layout[axis], tickvals: names.map((_, k) => k + 1), ticktext: names.map(String) };
  }
  return { ...figure, data, layout };
}

/**
 * The values of each measurement at one or more paths, as one list. A number stands for itself.
 * @param {string|(string|number)[]} path
 * @param {Json[]} measured
 * @returns {any[]}
 */
export const values = (path, measured) => measured.flatMap((node) => (Array.isArray(path) ? path : [path]).flatMap((one) => {
  const value = typeof one === "string" ? at(node, one.split(".")) : one;
  return Array.isArray(value) ? value : [value];
}));

/** `*` is each item, `@` their names, `#` their count; null where there is nothing. @param {any} node @param {string[]} path @returns {any} */
function at(node, [part, ...rest]) {
  if (part === undefined || node === null || node === undefined) return node ?? null;
  if (part === "#") return Object.keys(node).length;
  if (part === "@") return Array.isArray(node) ? node.map((_, k) => k + 1) : Object.keys(node);
  if (part === "*") return Object.values(node).map((one) => at(one, rest));
  return at(node[part], rest);
}

/** @param {Json} meta @param {Json[]} measured */
const surface = (meta, measured) => Object.fromEntries(["x", "y", "z"].filter((axis) => axis in meta).map((axis) => [axis, values(meta[axis], measured)]));

/** Points without a value are left out. @param {Json} meta @param {Json[]} measured */
function points(meta, measured) {
  const y = values(meta.y, measured);
  let x = "x" in meta ? values(meta.x, measured) : y.map((_, k) => k + 1);
  if (meta.between) x = x.slice(1).map((high, k) => (x[k] + high) / 2);
  let pairs = y.slice(0, x.length).map((b, k) => [x[k], b]).filter(([a, b]) => a !== null && b !== null);
  if (meta.sign) pairs = pairs.map(([a, b]) => [a, meta.sign * b]).filter(([, b]) => b > 0);
  if (meta.clip) pairs = pairs.map(([a, b]) => [a, Math.min(Math.max(b, meta.clip[0]), meta.clip[1])]);
  return { x: pairs.map(([a]) => a), y: pairs.map(([, b]) => b) };
}
