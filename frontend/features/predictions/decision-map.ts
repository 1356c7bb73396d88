/**
 * One run's decision map: each cell has the colour of its predicted class, stronger where the
 * network is surer;
 * samples on top.
 * Owns: its elements, redrawn with every answer. map-drawing.ts has the geometry.
 */

import { accuracyTitle } from "./accuracy-title.ts";
import { draw, make, set } from "../../ui/dom.ts";
import { mapCursor } from "./map-cursor.ts";
import { borderOf, classShape, COLOURS, dotsOf, pixelsOf, SPAN } from "./map-drawing.ts";
import { mapWords, placeWords, readMap } from "../../core/decision-map.ts";
import type { Colour } from "./map-drawing.ts";
import type { DecisionMap } from "../../core/decision-map.ts";
import type { Json, Run } from "../../core/types.ts";

/** The present value of a colour of tokens.css. */
function colourOf(style: CSSStyleDeclaration, name: string): Colour {
  const [, r, g, b] = /^#(..)(..)(..)$/.exec(
    style.getPropertyValue(name).trim(),
  ) as RegExpExecArray;
  return [parseInt(r, 16), parseInt(g, 16), parseInt(b, 16)];
}

/** The style sheet cannot colour pixels: another theme redraws them. */
function coloursOn(canvas: HTMLCanvasElement) {
  const style = getComputedStyle(canvas);
  return {
    paper: colourOf(style, "--paper"),
    colours: Array.from({ length: COLOURS }, (_, place) => colourOf(style, `--class-${place + 1}`)),
  };
}

/** @param kind place of a class */
const coloured = (kind: number) => ({
  style: { "--class": `var(--class-${(kind % COLOURS) + 1})` },
});

/** @param point receives the prediction at the cursor, or null when it leaves */
export function decisionMap(run: Run, point: (words: string | null) => void) {
  const title = accuracyTitle(run);
  const canvas = make("canvas", {});
  const border = draw("path", { class: "border" });
  const dots = draw("g", {});
  const off = make("span", { class: "off", hidden: true }, "off the axis");
  const picture = make("div", { class: "map" });
  const root = make(
    "div",
    { class: "decision", "data-run": run.name, "data-lane": run.lane },
    picture,
    title.root,
  );
  let drawn: Json | undefined;
  let map: DecisionMap | undefined;
  let theme = "";
  let isScaled = false;
  const cursor = mapCursor(picture, {
    name: run.name,
    side: () => map?.side ?? 0,
    read(at) {
      const words = at && map && drawn ? placeWords(drawn, map, at, isScaled) : null;
      point(words);
      return words;
    },
  });
  picture.append(
    canvas,
    draw(
      "svg",
      { viewBox: `0 0 ${SPAN} ${SPAN}`, "aria-hidden": "true" },
      border,
      dots,
      cursor.mark,
    ),
    off,
    cursor.hint,
  );

  function drawAll(answer: Json | undefined) {
    canvas.hidden = !answer;
    map = answer && readMap(answer);
    set(border, { d: map ? borderOf(map) : "" });
    dots.replaceChildren(
      ...(map ? dotsOf(map) : []).map(({ name, kind, d }) =>
        draw("path", { class: name, "data-class": kind, d, ...coloured(kind) }),
      ),
    );
    if (!map) return;
    const { paper, colours } = coloursOn(canvas);
    set(canvas, { width: map.side, height: map.side });
    canvas
      .getContext("2d")
      ?.putImageData(new ImageData(pixelsOf(map, colours, paper), map.side), 0, 0);
  }

  /**
   * @param last the previous answer
   * @param isStandard its inputs are standardized
   * @param brief its name above it
   */
  function show(now: Run, last: Json | undefined, isStandard: boolean, brief: string) {
    isScaled = isStandard;
    const answer = now.status === "diverged" ? undefined : last;
    const present = document.documentElement.dataset.theme ?? "";
    const isOther = answer !== drawn || present !== theme;
    [drawn, theme] = [answer, present];
    if (isOther) drawAll(answer);
    cursor.follow();
    title.show(now.label, answer?.right, brief);
    off.hidden = now.status !== "diverged";
    set(picture, { "aria-label": mapWords(now, answer, isStandard) });
    set(root, { "data-step": answer?.step ?? null });
  }
  return { root, show };
}

const entry = (name: string, shape: Node) =>
  make(
    "span",
    { title: name },
    draw("svg", { viewBox: "0 0 10 10" }, shape),
    make("span", { class: "clip" }, name),
  );

/** The legend: shapes and colours of classes, and the mark of wrong predictions. */
export const mapLegend = (classes: string[]) =>
  make(
    "div",
    { class: "legend map-legend", "aria-hidden": "true" },
    ...classes.map((name, place) =>
      entry(
        name,
        draw("path", { class: "right", d: classShape(place, 8, 5, 5), ...coloured(place) }),
      ),
    ),
    entry("wrong", draw("path", { class: "wrong", d: classShape(0, 7, 5, 5), ...coloured(0) })),
  );
