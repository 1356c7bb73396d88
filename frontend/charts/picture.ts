/**
 * Exports a chart as one SVG that looks the same anywhere: computed styles are written in, words
 * become SVG text in place.
 * Owns: that translation. Knows no Plotly and no chart.
 */

import { draw, SVG } from "./elements.ts";
import { px } from "./paths.ts";

/** px, of the picture on the page */
type Origin = { left: number; top: number };

/** Margin around the exported elements, in px. */
const ROOM = 10;
const PAINTS = ["fill", "stroke"];
const TESTED_PLACES = [
  "opacity",
  "stroke-width",
  "stroke-dasharray",
  "shape-rendering",
  "paint-order",
  "text-anchor",
  "vector-effect",
];
const LETTERS = ["font-family", "font-size", "font-weight", "font-variant-numeric"];

const canvas = () =>
  document
    .createElement("canvas")
    .getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;

/** Converts any computed colour to the one form that every program reads. */
function createColours() {
  const context = canvas();
  const cache: Map<string, { colour: string; opacity: number }> = new Map();
  return (text: string) => {
    const cached = cache.get(text);
    if (cached) return cached;
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    const value = { colour: `rgb(${r},${g},${b})`, opacity: px(a / 255) };
    cache.set(text, value);
    return value;
  };
}

/**
 * A pixel drawing as one path a colour, with runs of pixels joined. Transparent ones are left out.
 * @param pixels RGBA, row by row
 */
export function mosaic(pixels: ArrayLike<number>, width: number): { fill: string; d: string }[] {
  const paths: Map<string, string> = new Map();
  const count = pixels.length / 4;
  const colourAt = (at: number) =>
    pixels[4 * at + 3] ? `rgb(${pixels[4 * at]},${pixels[4 * at + 1]},${pixels[4 * at + 2]})` : "";
  for (let from = 0, to = 0; from < count; from = to) {
    const fill = colourAt(from);
    const [column, row] = [from % width, Math.floor(from / width)];
    to = from + 1;
    while (to % width && colourAt(to) === fill) to++;
    if (fill)
      paths.set(fill, `${paths.get(fill) ?? ""}M${column},${row}h${to - from}v1h${from - to}z`);
  }
  return [...paths].map(([fill, d]) => ({ fill, d }));
}

/** px; nothing is visible outside */
type Edge = { right: number; bottom: number };

/** The visible part of an element: its own box if it hides overflow, within its parents'. */
function edgeWithin(element: Element, style: CSSStyleDeclaration, edge: Edge): Edge {
  const box = element.getBoundingClientRect();
  return {
    right: style.overflowX === "visible" ? edge.right : Math.min(edge.right, box.right),
    bottom: style.overflowY === "visible" ? edge.bottom : Math.min(edge.bottom, box.bottom),
  };
}

/** The lines into which the browser broke a text, each as a range. */
function linesOf(node: Text): Range[] {
  const lines: Range[] = [];
  for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const [box] = range.getClientRects();
    if (!box) continue;
    const last = lines.at(-1);
    if (last && Math.abs(last.getBoundingClientRect().top - box.top) < 1)
      last.setEnd(node, index + word.length);
    else lines.push(range);
  }
  return lines;
}

function createDraughtsman(origin: Origin) {
  const colourOf = createColours();
  const letters = canvas();

  const placeOf = ({ left, top, width, height }: DOMRect) => ({
    x: px(left - origin.left),
    y: px(top - origin.top),
    width: px(width),
    height: px(height),
  });

  /** @param paint colours by attribute */
  function looks(paint: Record<string, string>) {
    const all: Record<string, string | number> = {};
    for (const [name, value] of Object.entries(paint)) {
      const { colour, opacity } =
        value === "none" ? { colour: "none", opacity: 1 } : colourOf(value);
      all[name] = colour;
      if (opacity < 1) all[`${name}-opacity`] = opacity;
    }
    return all;
  }

  /** Copies an SVG element with its computed styles. */
  function copied(element: Element): Element | null {
    const style = getComputedStyle(element);
    if (style.display === "none") return null;
    const copy = element.cloneNode(false) as Element;
    for (const name of [
      "class",
      "style",
      "aria-hidden",
      ...copy.getAttributeNames().filter((each) => each.startsWith("data-")),
    ])
      copy.removeAttribute(name);
    const isGroup = ["svg", "g"].includes(element.localName);
    if (!isGroup) {
      const paints = Object.fromEntries(PAINTS.map((name) => [name, style.getPropertyValue(name)]));
      for (const [name, value] of Object.entries(looks(paints)))
        copy.setAttribute(name, String(value));
      for (const name of [...TESTED_PLACES, ...(element.localName === "text" ? LETTERS : [])])
        copy.setAttribute(name, style.getPropertyValue(name));
    } else if (style.opacity !== "1") copy.setAttribute("opacity", style.opacity);
    for (const child of element.childNodes) {
      const clone =
        child instanceof Element ? copied(child) : child instanceof Text && child.cloneNode();
      if (clone) copy.append(clone);
    }
    return copy;
  }

  /** Puts an SVG at its place. */
  function placed(svg: SVGSVGElement) {
    const copy = copied(svg);
    if (!copy) return [];
    for (const [name, value] of Object.entries({
      ...placeOf(svg.getBoundingClientRect()),
      overflow: getComputedStyle(svg).overflowX === "visible" ? "visible" : "hidden",
    }))
      copy.setAttribute(name, String(value));
    return [copy];
  }

  /** A whole line of text as the browser set it; nothing of one that is out of sight. */
  function written(line: Range, style: CSSStyleDeclaration, edge: Edge) {
    const [box] = line.getClientRects();
    if (box.top >= edge.bottom || box.left >= edge.right) return [];
    letters.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const text = line.toString().replace(/\s+/g, " ");
    const { fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } =
      letters.measureText(text);
    const top = box.top - origin.top + (box.height - above - below) / 2 + above;
    const font = Object.fromEntries(LETTERS.map((name) => [name, style.getPropertyValue(name)]));
    const place = { x: px(box.left - origin.left), y: px(top) };
    const paint = { ...looks({ fill: style.color }), ...outline(style) };
    return [draw("text", { ...place, ...paint, ...font }, text)];
  }

  /** The outline of letters over a picture. */
  function outline({
    webkitTextStrokeWidth: width,
    webkitTextStrokeColor: colour,
  }: CSSStyleDeclaration) {
    const size = Number.parseFloat(width);
    return size
      ? {
          ...looks({ stroke: colour }),
          "stroke-width": size,
          "stroke-linejoin": "round",
          "paint-order": "stroke",
        }
      : {};
  }

  /** The background behind a label's words. */
  function ground(element: Element, fill: string) {
    const box = element.getBoundingClientRect();
    const paint = looks({ fill });
    if (paint["fill-opacity"] === 0 || !box.width) return [];
    return [draw("rect", { ...placeOf(box), ...paint })];
  }

  /** A canvas as unsmoothed pixels, or as an image if the page smooths it. */
  function pixelled(element: HTMLCanvasElement) {
    const { width, height } = element;
    const box = element.getBoundingClientRect();
    if (!box.width) return [];
    const place = placeOf(box);
    if (getComputedStyle(element).imageRendering !== "pixelated")
      return [draw("image", { ...place, href: element.toDataURL(), preserveAspectRatio: "none" })];
    const pixels = (element.getContext("2d") as CanvasRenderingContext2D).getImageData(
      0,
      0,
      width,
      height,
    ).data;
    const paths = mosaic(pixels, width).map((one) => draw("path", one));
    return [
      draw(
        "svg",
        {
          ...place,
          viewBox: `0 0 ${width} ${height}`,
          preserveAspectRatio: "none",
          "shape-rendering": "crispEdges",
        },
        ...paths,
      ),
    ];
  }

  function drawn(element: Element, edge: Edge = { right: Infinity, bottom: Infinity }): Element[] {
    if (element instanceof SVGSVGElement) return placed(element);
    if (element instanceof HTMLCanvasElement) return pixelled(element);
    const style = getComputedStyle(element);
    // for screen readers only
    if (style.display === "none" || style.clipPath !== "none") return [];
    const within = edgeWithin(element, style, edge);
    const words = (node: Text) => linesOf(node).flatMap((line) => written(line, style, within));
    const inner = [...element.childNodes].flatMap((child): Element[] =>
      child instanceof Element ? drawn(child, within) : child instanceof Text ? words(child) : [],
    );
    return [...ground(element, style.backgroundColor), ...inner];
  }
  return drawn;
}

function extentOf(boxes: { left: number; top: number; right: number; bottom: number }[]) {
  const [left, top] = [
    Math.min(...boxes.map((box) => box.left)) - ROOM,
    Math.min(...boxes.map((box) => box.top)) - ROOM,
  ];
  return {
    left,
    top,
    width: Math.max(...boxes.map((box) => box.right)) - left + ROOM,
    height: Math.max(...boxes.map((box) => box.bottom)) - top + ROOM,
  };
}

/** Plotly's part, at its place in the chart, in px. */
type Plotted = { left: number; top: number; element: Element };

/** @returns all but Plotly's part is captured at once */
export function pictureOf({
  chart,
  title,
  layers,
  around,
  isOne,
}: {
  chart: HTMLElement; // its box is the picture's
  title: string; // description of the picture
  layers: (Element | null)[]; // of the chart, lowest first; null stands for Plotly's own
  around: Element[]; // words above it: its heading
  isOne: boolean; // one of several that share a heading; the picture starts at the chart
}): (plotted?: Plotted[]) => SVGSVGElement {
  const box = chart.getBoundingClientRect();
  const over = around
    .map((element) => element.getBoundingClientRect())
    .filter((each) => each.width > 0);
  const moved = isOne && over.length ? box.left - Math.min(...over.map(({ left }) => left)) : 0;
  const extent = extentOf([
    box,
    ...over.map(({ left, top, right, bottom }) => ({
      left: left + moved,
      top,
      right: right + moved,
      bottom,
    })),
  ]);
  const drawn = createDraughtsman(extent);
  const [width, height] = [px(extent.width), px(extent.height)];
  const paper = createColours()(
    getComputedStyle(document.documentElement).getPropertyValue("--paper").trim(),
  ).colour;
  const parts = layers.map((layer) => (layer ? drawn(layer) : null));
  const heading = draw(
    "g",
    moved ? { transform: `translate(${px(moved)} 0)` } : {},
    ...around.flatMap((element) => drawn(element)),
  );
  return (plotted = []) => {
    for (const { left, top, element } of plotted) {
      element.setAttribute("x", String(px(box.left - extent.left + left)));
      element.setAttribute("y", String(px(box.top - extent.top + top)));
    }
    return draw(
      "svg",
      { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` },
      draw("title", {}, title),
      draw("rect", { width, height, fill: paper }),
      ...parts.flatMap((part) => part ?? plotted.map(({ element }) => element)),
      heading,
    ) as SVGSVGElement;
  };
}
