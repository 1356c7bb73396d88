/**
 * What charts need from the server besides data: Plotly itself and the template.
 * Owns: loading them once, late, and again after a failure. Must not know charts.
 */

/** @typedef {import("../state/types.js").Json} Json */

/** @type {Promise<any>|null} */
let plotly = null;
/** @type {Promise<Json>|null} */
let template = null;

/** After the page is usable: when nothing else is to be done. */
const idle = () => new Promise((go) => ("requestIdleCallback" in window ? requestIdleCallback(go, { timeout: 500 }) : setTimeout(go, 50)));

/** A classic script whose address the server wrote into the page. @returns {Promise<any>} */
function loadScript() {
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
