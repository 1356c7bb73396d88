/**
 * Saves a chart with its heading as a picture.
 * Owns: finding both, PNG from SVG, and the download.
 */

import { draw, make } from "../../ui/dom.ts";
import { typefaceRule } from "../../charts/resources.ts";
import { MAP } from "../../core/decision-map.ts";
import { DATA, FALL_LINE, pictureName } from "./exports.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import type { App, State } from "../../core/types.ts";

/** a chart, another picture of the stage, or the section of the decision maps */
type Pictured = Element & {
  picture: (around: Element[], isOne: boolean) => Promise<SVGSVGElement>;
};

const PREDICTED = "predicted-true > .head, predicted-true > .reading";
/**
 * Each chart's heading and reading hint. Controls are left out of the picture, but not the words
 * that they show.
 */
const HEADINGS: Record<string, string> = {
  loss: "loss-head",
  scatter: PREDICTED,
  [MAP]: PREDICTED,
  [DATA]: ".whose-map",
  [FALL_LINE]: "", // all its words are in it
};
/** The elements of pictures that are no charts of Plotly. */
const PICTURES: Record<string, string> = {
  [MAP]: "predicted-true",
  [DATA]: "data-picture",
  [FALL_LINE]: "fall-line",
};
/** The heading of the row below the loss. */
const LOWER = "gradient-head";
const WORDS =
  "h2, .sub, gradient-head > .term, .strokes, .switch:not(.y-switch, .face, .whose-map .switch) [aria-checked=true], .end.fitting, .map-legend, .hint";
/** The measured run of an instrument that shares its row. */
const WHOSE = ".end .switch [aria-checked=true]";
/** The run of a map. */
const CHOSEN = "[aria-checked=true]";
/** Pixels a CSS pixel: sharp on any screen and in print. */
const DENSITY = 3;
/** Sections of a phone, which shows one at a time. */
const SECTIONS = ".stage, .rail.inspection";
/** The row that the step inspector replaces, below its heading. */
const ROW = ".plot.gradients";
/** How long to wait for a hidden chart, in ms. */
const PATIENCE = 10_000;

export async function savePicture(app: App, kind: string, type: "png" | "svg") {
  const state = app.store.get();
  const chart = document.querySelector(
    PICTURES[kind] ?? `plotly-chart[kind="${kind}"]`,
  ) as Pictured | null;
  if (!chart) throw new Error("that chart is not on the page");
  const isOne =
    (chart.parentElement?.childElementCount ?? 1) > 1 && chart.matches(".instruments *");
  const words = isOne ? WHOSE : kind === DATA ? CHOSEN : WORDS;
  const heading = HEADINGS[kind] ?? LOWER;
  const around = [...(heading ? document.querySelectorAll(heading) : [])].flatMap((head) => [
    ...head.querySelectorAll(words),
  ]);
  if (kind === "scatter") await awaitPredictions(app);
  const [drawn, rule] = await Promise.all([
    laidOut(chart, () => chart.picture(around, isOne)),
    typefaceRule(),
  ]);
  if (rule) drawn.firstElementChild?.after(draw("style", {}, rule));
  const svg = new Blob([new XMLSerializer().serializeToString(drawn)], { type: "image/svg+xml" });
  save(
    type === "svg" ? svg : await raster(svg, drawn.width.baseVal.value, drawn.height.baseVal.value),
    pictureName(state, kind, type),
  );
}

/** Predictions of some run are missing, or not of the step where it stands. */
function arePredictionsOld(state: State) {
  const { order, runs, playback, looking } = stateOnView(state);
  const isMoving = playback.playing && looking === null;
  return order
    .map((name) => runs[name])
    .some(
      ({ hidden, predictions, step }) =>
        !hidden && (!predictions || (!isMoving && predictions.step !== step)),
    );
}

/** Waits for predictions. Without an answer the picture names the step of those it shows. */
async function awaitPredictions({ store }: App) {
  if (!arePredictionsOld(store.get())) return;
  let stop = () => {};
  await new Promise((go) => {
    stop = store.watch((state) => arePredictionsOld(state), go);
    setTimeout(go, PATIENCE);
  });
  stop();
}

/** The hidden elements around a chart: its section, its fold, or its row with the heading. */
function hiddenWith(chart: Element): HTMLElement[] {
  const section = chart.closest(SECTIONS) as HTMLElement;
  const fold = chart.closest<HTMLElement>("[data-folded]");
  const hidden = getComputedStyle(section).display === "none" ? [section] : [];
  if (fold) return [...hidden, fold];
  const row = chart.closest(ROW) as HTMLElement | null;
  return hidden.length || !row || row.clientWidth
    ? hidden
    : [row.previousElementSibling as HTMLElement, row];
}

/** Lays a hidden chart out beside the window, because hidden elements have no size. */
async function laidOut<T>(chart: Element, take: () => Promise<T>) {
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

/**
 * Waits until a chart has drawn. Charts draw on getting a size, and say so; maps only fit their
 * words.
 */
const drawnIn = (chart: Element) =>
  new Promise((done, failed) => {
    if (chart.localName !== "plotly-chart")
      return requestAnimationFrame(() => requestAnimationFrame(done));
    const observer = new MutationObserver(() => (observer.disconnect(), done(null)));
    observer.observe(chart, { attributes: true, attributeFilter: ["data-draws"] });
    setTimeout(
      () => (observer.disconnect(), failed(new Error("that chart was not drawn"))),
      PATIENCE,
    );
  });

async function raster(svg: Blob, width: number, height: number): Promise<Blob> {
  const address = URL.createObjectURL(svg);
  try {
    const image = make("img", { src: address, width, height });
    await image.decode();
    const canvas = make("canvas", {
      width: Math.round(DENSITY * width),
      height: Math.round(DENSITY * height),
    });
    (canvas.getContext("2d") as CanvasRenderingContext2D).drawImage(
      image,
      0,
      0,
      canvas.width,
      canvas.height,
    );
    return await new Promise((done, failed) =>
      canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no PNG"))), "image/png"),
    );
  } finally {
    URL.revokeObjectURL(address);
  }
}

function save(blob: Blob, name: string) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  // the browser reads it after this task
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
