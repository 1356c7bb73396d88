/**
 * What charts need from the server besides data: Plotly itself, the template and the typeface.
 * Owns: loading them once, late, and again after a failure. Must not know charts.
 */

/** @typedef {import("../state/types.js").Json} Json */

/** @type {Promise<any>|null} */
let plotly = null;
/** @type {Promise<Json>|null} */
let template = null;
/** For so long the browser leaves words out rather than show another typeface; charts are drawn after that, too. */
const PATIENCE = 3_000;

/** After the page is usable: when nothing else is to be done. */
const idle = () => new Promise((go) => ("requestIdleCallback" in window ? requestIdleCallback(go, { timeout: 500 }) : setTimeout(go, 50)));

/**
 * Plotly writes the style sheet of its map library into the page unless something of this name is there. No map is drawn
 * here, and a style sheet in the page is what the content security policy forbids.
 */
const MAP_STYLES = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";

function keepMapStylesOut() {
  if (!document.getElementById(MAP_STYLES)) document.head.append(Object.assign(document.createElement("meta"), { id: MAP_STYLES }));
}

/** A classic script whose address the server wrote into the page. @returns {Promise<any>} */
function loadScript() {
  keepMapStylesOut();
  return new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="plotly-src"]')).content;
    script.onload = () => loaded(/** @type {any} */ (window).Plotly);
    script.onerror = () => failed(new Error("Plotly could not be loaded"));
    document.head.append(script);
  });
}

/** @returns {Promise<any>} */
export function loadPlotly() {
  plotly ??= idle().then(loadScript);
  plotly.catch(() => (plotly = null));
  return plotly;
}

/** @returns {Promise<Json>} */
export function loadTemplate() {
  template ??= fetch(new URL("../figures/plotly-template.json", import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error("the charts' template could not be loaded");
    return answer.json();
  });
  template.catch(() => (template = null));
  return template;
}

/**
 * The typeface of the page, because charts are laid out by the widths of their words. Without it they are drawn all the same.
 * @returns {Promise<unknown>}
 */
export function loadTypeface() {
  const { fontSize, fontFamily } = getComputedStyle(document.body);
  const late = new Promise((go) => setTimeout(go, PATIENCE));
  return Promise.race([document.fonts.load(`${fontSize} ${fontFamily}`).catch(() => {}), late]);
}

/**
 * The typeface as a rule of CSS with its file in it, for a picture that is opened without the server.
 * @returns {Promise<string>}  empty where the file cannot be had
 */
export async function typefaceRule() {
  try {
    const answer = await fetch(new URL("../fonts/inter.woff2", import.meta.url));
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const text = btoa(bytes.reduce((made, byte) => made + String.fromCharCode(byte), ""));
    return answer.ok ? `@font-face{font-family:Inter;font-weight:400 650;src:url(data:font/woff2;base64,${text})}` : "";
  } catch {
    return "";
  }
}
