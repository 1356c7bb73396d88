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
