/**
 * Files that charts load from the server besides data: Plotly, the template and the typeface.
 * Owns: loading them once, late, and again after a failure.
 */

import type { Json } from "../core/types.ts";

let plotly: Promise<any> | null = null;
let template: Promise<Json> | null = null;
/**
 * How long the browser hides text while the typeface loads; charts are drawn after that without it.
 */
const PATIENCE = 3_000;

/** Waits for an idle browser, after the page is usable. */
const idle = () =>
  new Promise((go) =>
    "requestIdleCallback" in window
      ? requestIdleCallback(go, { timeout: 500 })
      : setTimeout(go, 50),
  );

/** The address that the build wrote into the page. */
const addressIn = (selector: string, attribute: string) =>
  document.querySelector(selector)?.getAttribute(attribute) ?? "";

/** Loads a classic script, which sets `window.Plotly`. */
function loadScript(): Promise<any> {
  return new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = addressIn('meta[name="plotly-src"]', "content");
    script.onload = () => loaded((window as any).Plotly);
    script.onerror = () => failed(new Error("Plotly could not be loaded"));
    document.head.append(script);
  });
}

export function loadPlotly(): Promise<any> {
  plotly ??= idle().then(loadScript);
  plotly.catch(() => (plotly = null));
  return plotly;
}

export function loadTemplate(): Promise<Json> {
  template ??= fetch(addressIn('meta[name="template-src"]', "content")).then((answer) => {
    if (!answer.ok) throw new Error("the charts' template could not be loaded");
    return answer.json();
  });
  template.catch(() => (template = null));
  return template;
}

/**
 * Loads the page's typeface, whose letter widths place a chart's labels. Charts are drawn without
 * it after a failure.
 */
export function loadTypeface(): Promise<unknown> {
  const { fontSize, fontFamily } = getComputedStyle(document.body);
  const late = new Promise((go) => setTimeout(go, PATIENCE));
  return Promise.race([document.fonts.load(`${fontSize} ${fontFamily}`).catch(() => {}), late]);
}

/**
 * The typeface as a CSS rule with its file inside, for pictures opened without the server.
 * @returns empty if the file cannot be loaded
 */
export async function typefaceRule(): Promise<string> {
  try {
    const answer = await fetch(addressIn('link[as="font"]', "href"));
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const text = btoa(bytes.reduce((binary, byte) => binary + String.fromCharCode(byte), ""));
    return answer.ok
      ? `@font-face{font-family:Inter;font-weight:400 650;src:url(data:font/woff2;base64,${text})}`
      : "";
  } catch {
    return "";
  }
}
