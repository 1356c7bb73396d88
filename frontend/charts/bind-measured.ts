/**
 * Fills a figure with an instrument's measurements, by the paths in its traces' `meta`.
 * Owns: what a path means. Twin of backend figures/instrument_data.py; tests/golden holds both to
 * the same figure. Knows no figure and no Plotly.
 */

import type { Json } from "../core/types.ts";

/**
 * @param measured oldest first
 * @param selected the measurement to show; the newest by default
 * @returns a new figure; the argument is not changed
 */
export function fillMeasured(
  figure: Json,
  measured: Json[],
  selected: Json | undefined = measured[measured.length - 1],
): Json {
  const last = selected ? [selected] : [];
  const data = figure.data.map((trace: Json) => {
    if (!trace.meta?.of) return trace;
    const sources = trace.meta.of === "all" ? measured : last;
    return {
      ...trace,
      ...("z" in trace.meta ? surface(trace.meta, sources) : points(trace.meta, sources)),
    };
  });
  const layout: Json = { ...figure.layout };
  for (const [axis, path] of Object.entries(layout.meta?.names ?? {})) {
    const names = values(path as string, last);
    layout[axis] = {
      ...layout[axis],
      tickvals: names.map((_, k) => k + 1),
      ticktext: names.map(String),
    };
  }
  return { ...figure, data, layout };
}

/** The values of each measurement at one or more paths, as one list. A number stands for itself. */
export const values = (path: string | (string | number)[], measured: Json[]): any[] =>
  measured.flatMap((node) =>
    (Array.isArray(path) ? path : [path]).flatMap((one) => {
      const value = typeof one === "string" ? at(node, one.split(".")) : one;
      return Array.isArray(value) ? value : [value];
    }),
  );

/** `*` is each item, `@` their names, `#` their count; null where there is nothing. */
function at(node: any, [part, ...rest]: string[]): any {
  if (part === undefined || node === null || node === undefined) return node ?? null;
  if (part === "#") return Object.keys(node).length;
  if (part === "@") return Array.isArray(node) ? node.map((_, k) => k + 1) : Object.keys(node);
  if (part === "*") return Object.values(node).map((one) => at(one, rest));
  return at(node[part], rest);
}

function surface(meta: Json, measured: Json[]): Json {
  const axes: Json = Object.fromEntries(
    ["x", "y", "z"]
      .filter((axis) => axis in meta)
      .map((axis) => [axis, values(meta[axis], measured)]),
  );
  if (meta.role !== "counts") return axes;
  // the template's middle is for signs: it would make empty cells half dark
  return { ...axes, zmin: 0, zmax: Math.max(1, ...axes.z.flat()) };
}

/** Points without a value are left out. */
function points(meta: Json, measured: Json[]) {
  const y = values(meta.y, measured);
  let x = "x" in meta ? values(meta.x, measured) : y.map((_, k) => k + 1);
  if (meta.between) x = x.slice(1).map((high, k) => (x[k] + high) / 2);
  let pairs = y
    .slice(0, x.length)
    .map((b, k) => [x[k], b])
    .filter(([a, b]) => a !== null && b !== null);
  if (meta.sign) pairs = pairs.map(([a, b]) => [a, meta.sign * b]).filter(([, b]) => b > 0);
  if (meta.clip)
    pairs = pairs.map(([a, b]) => [a, Math.min(Math.max(b, meta.clip[0]), meta.clip[1])]);
  return { x: pairs.map(([a]) => a), y: pairs.map(([, b]) => b) };
}
