/**
 * The page's style on a server's figure: theme, colours by lane, bare axes, visible runs only.
 * Owns: changes to a specification before it is filled. Pure.
 */

import * as texts from "../words/english.ts";
import type { Json, Run, State } from "../core/types.ts";

type Theme = "light" | "dark";
export interface Look {
  spec: Json; // plotly-template.json
  theme: Theme;
  compact: boolean; // little room: phones
}

function merged(below: any, above: any): any {
  if (
    Array.isArray(above) ||
    typeof above !== "object" ||
    above === null ||
    typeof below !== "object"
  )
    return above;
  return Object.entries(above).reduce(
    (all, [key, value]) => ({ ...all, [key]: key in all ? merged(all[key], value) : value }),
    { ...below },
  );
}

const TEMPLATES: WeakMap<Json, Record<string, Json>> = new WeakMap();

const CLEAR = "rgba(0,0,0,0)";

/**
 * The Plotly template of a theme, built once. It has no axis titles and no legend: Plotly would
 * measure every tick label for them in every draw, a fifth of its time. Plots are transparent over
 * the page's own ground.
 */
export function templateOf({ spec, theme, compact }: Look) {
  const cache = TEMPLATES.get(spec) ?? {};
  TEMPLATES.set(spec, cache);
  const key = `${theme} ${compact}`;
  if (!cache[key]) {
    const { layout, data } = compact ? merged(spec[theme], spec.compact) : spec[theme];
    const { title: _x, ...xaxis } = layout.xaxis;
    const { title: _y, ...yaxis } = layout.yaxis;
    cache[key] = {
      data,
      layout: {
        ...layout,
        xaxis,
        yaxis,
        legend: { visible: false },
        paper_bgcolor: CLEAR,
        plot_bgcolor: CLEAR,
      },
    };
  }
  return cache[key];
}

export function laneLook({ spec, theme }: Look, lane: string) {
  const entry = spec.fallline.lanes.find(({ id }: Json) => id === lane);
  return { symbol: entry.symbol, ...entry[theme] };
}

export const surface = ({ spec, theme }: Look, name: string) => spec.fallline.surfaces[theme][name];

function styledTrace(trace: Json, look: Look, run: Run, x: string) {
  const { line, band } = laneLook(look, run.lane);
  const meta = { ...trace.meta, x, lane: run.lane };
  if (trace.meta.role === "band")
    return { ...trace, meta, ...(trace.fill ? { fillcolor: band } : {}) };
  const name =
    trace.meta.role === "test"
      ? texts.xTest(run.label)
      : trace.meta.role === "train"
        ? texts.xTrain(run.label)
        : run.label;
  return { ...trace, meta, name, line: { ...trace.line, color: line } };
}

/**
 * A figure styled for the page, ready to be filled.
 * @param x binding of the horizontal axis
 */
export function styled(figure: Json, state: State, look: Look, x: string) {
  const data = figure.data
    .filter(({ meta }: Json) => state.runs[meta.run] && !state.runs[meta.run].hidden)
    .map((trace: Json) => styledTrace(trace, look, state.runs[trace.meta.run], x));
  return { ...figure, data };
}
