/**
 * The page's style on a server's figure: theme, colours by lane, bare axes, visible runs only.
 * Owns: changes to a specification before it is filled. Pure.
 */

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {"light"|"dark"} Theme */
/**
 * @typedef {object} Look
 * @property {Json} spec  plotly-template.json
 * @property {Theme} theme
 * @property {boolean} compact  little room: phones
 */

/** @param {any} below @param {any} above @returns {any} */
function merged(below, above) {
  if (Array.isArray(above) || typeof above !== "object" || above === null || typeof below !== "object") return above;
  return Object.entries(above).reduce((all, [key, value]) => ({ ...all, [key]: key in all ? merged(all[key], value) : value }), { ...below });
}

/** @type {WeakMap<Json, Record<string, Json>>} */
const TEMPLATES = new WeakMap();

const CLEAR = "rgba(0,0,0,0)";

/**
 * The Plotly template of a theme, built once. It has no axis titles and no legend: Plotly would measure every tick
 * label for them in every draw, a fifth of its time. Plots are transparent over the page's own ground.
 * @param {Look} look
 */
export function templateOf({ spec, theme, compact }) {
  const cache = TEMPLATES.get(spec) ?? {};
  TEMPLATES.set(spec, cache);
  const key = `${theme} ${compact}`;
  if (!cache[key]) {
    const { layout, data } = compact ? merged(spec[theme], spec.compact) : spec[theme];
    const { title: _x, ...xaxis } = layout.xaxis;
    const { title: _y, ...yaxis } = layout.yaxis;
    cache[key] = { data, layout: { ...layout, xaxis, yaxis, legend: { visible: false }, paper_bgcolor: CLEAR, plot_bgcolor: CLEAR } };
  }
  return cache[key];
}

/** @param {Look} look @param {string} lane */
export function laneLook({ spec, theme }, lane) {
  const entry = spec.fallline.lanes.find((/** @type {Json} */ { id }) => id === lane);
  return { symbol: entry.symbol, ...entry[theme] };
}

/** @param {Look} look @param {string} name */
export const surface = ({ spec, theme }, name) => spec.fallline.surfaces[theme][name];

/** @param {Json} trace @param {Look} look @param {Run} run @param {string} x @param {(y: string) => string} series */
function styledTrace(trace, look, run, x, series) {
  const { line, band } = laneLook(look, run.lane);
  const meta = { ...trace.meta, x, y: series(trace.meta.y), lane: run.lane };
  if (trace.meta.role === "band") return { ...trace, meta, ...(trace.fill ? { fillcolor: band } : {}) };
  const name = trace.meta.role === "test" ? `${run.label} test` : trace.meta.role === "train" ? `${run.label} train` : run.label;
  return { ...trace, meta, name, line: { ...trace.line, color: line } };
}

/**
 * A figure styled for the page, ready to be filled.
 * @param {Json} figure
 * @param {State} state
 * @param {Look} look
 * @param {string} x  binding of the horizontal axis
 * @param {(y: string) => string} [series]  maps the specified series to the one to show
 */
export function styled(figure, state, look, x, series = (y) => y) {
  const data = figure.data
    .filter((/** @type {Json} */ { meta }) => state.runs[meta.run] && !state.runs[meta.run].hidden)
    .map((/** @type {Json} */ trace) => styledTrace(trace, look, state.runs[trace.meta.run], x, series));
  return { ...figure, data };
}

/** The visible runs, in order. @param {State} state */
export const shownRuns = ({ order, runs }) => order.map((name) => runs[name]).filter(({ hidden }) => !hidden);
