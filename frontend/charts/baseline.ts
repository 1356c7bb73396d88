/**
 * Place of the baseline's label: along the line, above or below it, where it covers least.
 * Owns: that choice, and keeping it from one draw to the next. Pure.
 */

import { covered, TESTED_PLACES, touch } from "./overlap.ts";
import { pxAcross, pxDown } from "./labels.ts";
import { number } from "../core/format.ts";
import * as texts from "../words/english.ts";
import type { Box, Curve } from "./overlap.ts";
import type { Frame } from "./labels.ts";
import type { Scene } from "./scene.ts";

/** what the label could cover */
interface Drawn {
  curves: Curve[];
  flags: { x: number }[];
  words: Box[]; // at line ends, and where the runs start
  missing: { from: number; to: number } | null;
  hasStarted: boolean;
}

const LETTER = 6.3;
const HEIGHT = 17;
/** Distance that clears the hollow markers of a curve along the baseline. */
const OFF = 5;
const SIDES = { left: 10, right: 14 };
/** Places as shares of the way from left to right. */
const PLACES = {
  right: 1,
  left: 0,
  middle: 0.5,
  "right of the middle": 0.75,
  "left of the middle": 0.25,
  "far right of the middle": 0.875,
  "far left of the middle": 0.125,
  "just right of the middle": 0.625,
  "just left of the middle": 0.375,
} as Record<string, number>;
/**
 * Order of preference: lines are calm at the right end, and curves that beat the baseline are below
 * it.
 */
const CORNERS = Object.keys(PLACES).flatMap((place) => [`${place} under`, `${place} over`]);
/**
 * Another place must be this much better, unless it is free and the present one is not. Places that
 * are not corners must be slightly better.
 */
const WORTH_MOVING = 4;
const NO_CORNER = 1;
const isCorner = (corner: string) => !corner.includes("middle");

/**
 * @returns null where the line itself is out of sight; `isOver` where something lies under the
 * label
 */
export function baselineLabel(
  { state, previous, look }: Scene,
  frame: Frame,
  drawn: Drawn,
): {
  left: number;
  top: number;
  text: string;
  term: string;
  corner: string | null;
  isOver: boolean;
} | null {
  const mean = state.experiment?.baseline?.train;
  if (!mean) return null;
  const line = pxDown(frame, mean);
  if (line < frame.top || line > frame.top + frame.height) return null;
  const isOfClasses = Boolean(state.experiment?.classes.length);
  // a phone has room for the mean alone
  const words = look.compact ? texts.theWordY : texts.predictingTheXY;
  const text = words(isOfClasses ? texts.majority : texts.mean, number(mean));
  const boxes = CORNERS.map((corner) => ({
    corner,
    box: boxOf(corner, line, text.length * LETTER, frame),
  }));
  const inside = boxes.filter(
    ({ box }) => box.top >= frame.top - 1 && box.bottom <= frame.top + frame.height + 1,
  );
  if (!inside.length) return null; // a chart that is lower than a line of words
  // the label never covers other words, however many curves are elsewhere
  const free = inside.filter(({ box }) => !drawn.words.some((words) => touch(box, words)));
  const costs = (free.length ? free : inside).map(({ corner, box }) => ({
    corner,
    box,
    isCrossed: linesIn(box, drawn) > 0,
    cost: costOf(box, frame, drawn) + (isCorner(corner) ? 0 : NO_CORNER),
  }));
  const best = costs.reduce((a, b) => (b.cost < a.cost ? b : a));
  const stays = costs.find(({ corner }) => corner === previous.corner);
  const chosen =
    stays && stays.cost < best.cost + WORTH_MOVING && (!stays.isCrossed || best.isCrossed)
      ? stays
      : best;
  // a place chosen before there are lines must not stay when they come
  return {
    left: chosen.box.left,
    top: chosen.box.top,
    text,
    term: isOfClasses ? "majority" : "baseline",
    corner: drawn.hasStarted ? chosen.corner : null,
    isOver: chosen.cost > (isCorner(chosen.corner) ? 0 : NO_CORNER),
  };
}

function boxOf(corner: string, line: number, width: number, frame: Frame): Box {
  const [, place, side] = corner.match(/^(.*) (under|over)$/) as RegExpMatchArray;
  const left =
    frame.left + SIDES.left + PLACES[place] * (frame.width - SIDES.left - SIDES.right - width);
  const top = side === "under" ? line + OFF : line - OFF - HEIGHT;
  return { left, right: left + width, top, bottom: top + HEIGHT };
}

/** Letters are lower than their line: a curve along the baseline does not count as covered. */
const linesIn = (box: Box, { curves }: Drawn) =>
  covered(curves, { ...box, bottom: box.bottom - 3 });

function costOf(box: Box, frame: Frame, drawn: Drawn) {
  const { flags, missing } = drawn;
  const lines = linesIn(box, drawn);
  const edits = flags.filter(({ x }) =>
    within(pxAcross(frame, x), box.left - 2, box.right + 2),
  ).length;
  const unknown =
    missing &&
    touch(
      box,
      centred(
        (pxAcross(frame, missing.from) + frame.left + frame.width) / 2,
        frame.top + frame.height / 2,
      ),
    )
      ? 1
      : 0;
  return lines + 3 * edits + TESTED_PLACES * unknown;
}

const centred = (x: number, y: number): Box => ({
  left: x - 50,
  right: x + 50,
  top: y - 8,
  bottom: y + 8,
});

const within = (value: number, low: number, high: number) => value >= low && value <= high;
