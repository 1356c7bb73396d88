/**
 * Charts in another page: `?embed=loss,gradients#watch=id` has no controls and only reads.
 * Owns: which charts an address asks for, the address and the code for a page, and the environment
 * that keeps such a page from more. Pure.
 */

import * as texts from "../words/english.ts";
import { exhibitOf } from "./exhibits.ts";
import { listed } from "./format.ts";
import type { Environment, State } from "./types.ts";

const CHARTS = ["loss", "fall_line", "gradients"] as const;
export type EmbeddedChart = (typeof CHARTS)[number];

const namesIn = (search: string) => new URLSearchParams(search).get("embed")?.split(",");

/** The charts that an address asks for; null on the page itself. Without a known name the loss. */
export function embeddedIn(search: string): EmbeddedChart[] | null {
  const names = namesIn(search);
  if (!names) return null;
  const charts = CHARTS.filter((chart) => names.includes(chart));
  return charts.length ? charts : ["loss"];
}

/** The names in an address that are no charts, and what the charts are; null without such names. */
export function unknownCharts(search: string) {
  const charts: readonly string[] = ["", ...CHARTS];
  const unknown = namesIn(search)?.filter((name) => !charts.includes(name));
  if (!unknown?.length) return null;
  return { strong: texts.noChartX(unknown.join()), text: texts.theChartsAreX(listed([...CHARTS])) };
}

/** The charts on the page now. */
const chartsOn = ({ picture }: State["view"]) =>
  CHARTS.filter(
    (chart) =>
      chart === "gradients" ||
      picture === "both" ||
      (chart === "fall_line") === (picture === "fall"),
  );

/** px of the frame: in a narrow one the fall line stands below the loss, and needs 240. */
const HEIGHTS = { some: 520, all: 760 };

const escaped = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/**
 * The HTML for another page.
 * @param link to watch the experiment
 */
export function embedCode(link: string, state: State) {
  const [address, fragment] = link.split("#");
  const charts = chartsOn(state.view);
  const source = `${address}?embed=${charts.join()}#${fragment}`;
  const title = ["fallline", exhibitOf(state)?.title].filter(Boolean).join(": ");
  return `<iframe src="${escaped(source)}" title="${escaped(title)}" width="100%" height="${charts.length > 2 ? HEIGHTS.all : HEIGHTS.some}"></iframe>`;
}

/** A storage that ends with the page. */
export function memoryStorage(): Environment["storage"] {
  const memory: Map<string, string> = new Map();
  return {
    getItem: (key) => memory.get(key) ?? null,
    setItem: (key, value) => void memory.set(key, value),
    removeItem: (key) => void memory.delete(key),
  };
}

const SECRET = ["Authorization", "Fallline-Owner"];
/** A line only watches here: its messages have no token. */
const LINES = /\/api\/v1\/lines(\/|$)/;

/** Requests that change nothing, and carry no token and no key, and lines. Others fail. */
export const readingOnly =
  (fetch: typeof globalThis.fetch): typeof globalThis.fetch =>
  async (address, request) => {
    const headers = new Headers(request?.headers);
    if (LINES.test(`${address}`.split("?")[0])) return fetch(address, request);
    if ((request?.method ?? "GET") !== "GET" || SECRET.some((name) => headers.has(name)))
      throw new TypeError("charts in another page only read");
    return fetch(address, request);
  };
