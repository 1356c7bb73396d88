/**
 * A chart of the page as a file: asked of the chart, with its heading, and handed to the browser.
 * Owns: finding both, PNG out of SVG, and the download.
 */

import { draw, make } from "./dom.js";
import { typefaceRule } from "../charts/resources.js";
import { MAP } from "../state/decision-map.js";
import { pictureName } from "../state/exports.js";
import { seen } from "../state/moments.js";

/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("../state/types.js").State} State */
/** @typedef {Element & {picture: (around: Element[], isOne: boolean) => Promise<SVGSVGElement>}} Pictured  a chart, or the section of the decision maps */

const PREDICTED = "predicted-true > .head, predicted-true > .reading";
/** Where a chart's heading is, and what says how it is read; and what of it belongs to a picture: no controls, but what they say. */
const HEADINGS = /** @type {Record<string, string>} */ ({ loss: "loss-head", scatter: PREDICTED, [MAP]: PREDICTED });
/** Of the row under the loss, whatever stands there. */
const LOWER = "gradient-head";
const WORDS = "h2, .sub, .strokes, .switch:not(.y-switch, .face) [aria-checked=true], .end.fitting, .map-legend, .hint";
/** Of one instrument of several: the run that it measures. */
const WHOSE = ".end .switch [aria-checked=true]";
/** Sharp on any screen, and in print. */
const DENSITY = 3;
/** The sections of a phone, of which one is seen. */
const SECTIONS = ".stage, .rail.inspection";
/** The row that yields its place to the step inspector, below its heading. */
const ROW = ".plot.gradients";
/** So many ms one waits for a chart that was out of sight. */
const PATIENCE = 10_000;

/** @param {App} app @param {string} kind @param {"png"|"svg"} type */
export async function savePicture(app, kind, type) {
  const state = app.store.get();
  const chart = /** @type {Pictured|null} */ (document.querySelector(kind === MAP ? "predicted-true" : `plotly-chart[kind="${kind}"]`));
  if (!chart) throw new Error("that chart is not on the page");
  const isOne = (chart.parentElement?.childElementCount ?? 1) > 1 && chart.matches(".instruments *");
  const words = isOne ? WHOSE : WORDS;
  const around = [...document.querySelectorAll(HEADINGS[kind] ?? LOWER)].flatMap((head) => [...head.querySelectorAll(words)]);
  if (kind === "scatter") await predictionsAsked(app);
  const [drawn, rule] = await Promise.all([laidOut(chart, () => chart.picture(around, isOne)), typefaceRule()]);
  if (rule) drawn.firstElementChild?.after(draw("style", {}, rule));
  const svg = new Blob([new XMLSerializer().serializeToString(drawn)], { type: "image/svg+xml" });
  save(type === "svg" ? svg : await raster(svg, drawn.width.baseVal.value, drawn.height.baseVal.value), pictureName(state, kind, type));
}

/** Some run's are missing, or of another step than that at which it stands still. @param {State} state */
function arePredictionsOld(state) {
  const { order, runs, playback, looking } = seen(state);
  const isMoving = playback.playing && looking === null;
  return order.map((name) => runs[name]).some(({ hidden, predictions, step }) => !hidden && (!predictions || (!isMoving && predictions.step !== step)));
}

/** Where they are out of sight they are asked for; without an answer the picture says of which step those are that are there. @param {App} app */
async function predictionsAsked({ store, setView }) {
  if (!arePredictionsOld(store.get())) return;
  setView({ isPictured: true });
  let stop = () => {};
  await new Promise((go) => {
    stop = store.watch((state) => arePredictionsOld(state), go);
    setTimeout(go, PATIENCE);
  });
  stop();
  setView({ isPictured: false });
}

/** What is not shown on the page, and a chart in it therefore not. @param {Element} chart @returns {HTMLElement[]} */
function hiddenWith(chart) {
  const section = /** @type {HTMLElement} */ (chart.closest(SECTIONS));
  if (getComputedStyle(section).display === "none") return [section];
  const row = /** @type {HTMLElement|null} */ (chart.closest(ROW));
  return row && !row.clientWidth ? [/** @type {HTMLElement} */ (row.previousElementSibling), row] : [];
}

/**
 * What is not shown has no size: for a picture of it, it is laid out beside the window.
 * @template T
 * @param {Element} chart
 * @param {() => Promise<T>} take
 */
async function laidOut(chart, take) {
  const parts = hiddenWith(chart);
  if (!parts.length) return take();
  for (const part of parts) Object.assign(part, { inert: true }).dataset.aside = "";
  try {
    await drawnIn(chart);
    return await take();
  } finally {
    for (const part of parts) {
      delete part.dataset.aside;
      part.inert = false;
    }
  }
}

/** Charts are drawn when they get a size, which they say; maps are there, and their words are fitted to it. @param {Element} chart */
const drawnIn = (chart) => new Promise((done, failed) => {
  if (chart.localName !== "plotly-chart") return requestAnimationFrame(() => requestAnimationFrame(done));
  const seen = new MutationObserver(() => (seen.disconnect(), done(null)));
  seen.observe(chart, { attributes: true, attributeFilter: ["data-draws"] });
  setTimeout(() => (seen.disconnect(), failed(new Error("that chart was not drawn"))), PATIENCE);
});

/** @param {Blob} svg @param {number} width @param {number} height @returns {Promise<Blob>} */
async function raster(svg, width, height) {
  const address = URL.createObjectURL(svg);
  try {
    const image = make("img", { src: address, width, height });
    await image.decode();
    const canvas = make("canvas", { width: Math.round(DENSITY * width), height: Math.round(DENSITY * height) });
    /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no PNG"))), "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  // the browser reads it after this task
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
