/**
 * Labels over a plot as HTML, so that text keeps its size.
 * Owns: their elements. labels.ts places them, charts.css styles them.
 */

import { hasCutWord, nameLines } from "../core/brief-names.ts";
import { draw, part } from "./elements.ts";
import { phoneWords, placeFlags, pxAcross, pxDown } from "./labels.ts";
import { widthOf } from "./text-width.ts";
import { SHAPES } from "../core/lanes.ts";
import * as texts from "../words/english.ts";
import type { Json, Lane } from "../core/types.ts";
import type { Flag, Frame } from "./labels.ts";
import type { LiveValue, Show } from "./live-values.ts";

/** Takes a value in a label that changes with the canvas. */
type Follow = (value: LiveValue, show: Show) => void;

/** The run's shape beside a square's name, and the gap before its score, in px. */
const BESIDE_NAME = { shape: 15, gap: 8 };
/** Looks of a score beside a name: the first one that fits. */
const SCORES = [
  { look: "values", size: 12, isNamed: true },
  { look: "values dense", size: 11, isNamed: true },
  { look: "values dense", size: 11, isNamed: false },
];
/** Font weight of a score. */
const REGULAR = 400;
/** px of the letters of labels */
const LABEL_SIZE = 12;
const BOLD = { size: 13, whole: 6.9, cut: 7.8 };
/** Widths where a name has a line to itself: smaller letters, nearer to the shape. */
const SMALL = { size: 11, shape: 12, whole: 6.6, cut: 7.5 };
/** Font size, and widths of a letter of a whole name and of a shortened one, in px. */
type Letters = { size: number; whole: number; cut: number };
/** Right margin of a phone's loss chart, in px, slightly reduced. */
const MARGIN = 43;

/** The run's shape. */
export const shape = (lane: string) =>
  draw("svg", { viewBox: "0 0 10 10" }, draw("path", { d: SHAPES[lane as Lane] }));

/** The mark of a finding: a dashed ring. */
function ring() {
  const dashes = { "stroke-width": 2, "stroke-dasharray": "3.1 2.1" };
  const circle = draw("circle", { cx: 9, cy: 9, r: 6.6, ...dashes });
  return draw("svg", { viewBox: "0 0 18 18", class: "ring" }, circle);
}

/** An edit in its run's colour and shape, a finding in its own. */
function flagLabel(flag: Json, top: number) {
  const { left, lane, run, step, text, whole, tone, before, brief, place } = flag;
  if (place) return clauseLabel(flag, top);
  const kind = ["flag", before && "before", tone && "finding"].filter(Boolean).join(" ");
  const words = brief || !text ? [] : [tone ? strong(text) : text];
  const element = label(
    kind,
    { left, top, lane: tone ? undefined : lane },
    tone ? ring() : shape(lane),
    ...words,
  );
  Object.assign(element.dataset, { run, step: String(step), ...(tone ? { tone } : {}) });
  element.title = whole;
  return element;
}

/** A clause of what happened: its number. */
function clauseLabel({ left, run, step, whole, place, tone }: Json, top: number) {
  const number = part("span", "place", String(place));
  number.dataset.tone = tone;
  const element = label("clause-flag", { left, top }, number);
  Object.assign(element.dataset, { run, step: String(step) });
  element.title = whole;
  return element;
}

function label(
  kind: string,
  { left, top, lane, width }: { left: number; top: number; lane?: string; width?: number },
  ...children: (Node | string)[]
) {
  const element = part("span", `chart-label ${kind}`, ...children);
  if (lane) element.dataset.lane = lane;
  element.style.left = `${left.toFixed(1)}px`;
  element.style.top = `${top.toFixed(1)}px`;
  if (width) element.style.width = `${width.toFixed(1)}px`;
  return element;
}

/** A word that explains itself on hover: a label in a picture cannot have the focus. */
function asTerm<Made extends HTMLElement>(element: Made, key: string | undefined) {
  if (key === undefined) return element;
  element.classList.add("term");
  element.dataset.term = key;
  element.title = ""; // not the title of an element around it
  return element;
}

const strong = (text: string) => part("b", "", text);

export function lossLabels(
  { flags, ends, start, baseline, axis, missing }: Json,
  frame: Frame,
  compact: boolean,
  follow: Follow,
) {
  const right = frame.left + frame.width;
  const items = flags.map((flag: Flag) => ({
    ...flag,
    whole: flag.text,
    text: compact ? phoneWords(flag) : flag.text,
  }));
  const elements = placeFlags(items, frame).map((flag) => flagLabel(flag, frame.top));
  for (const end of ends) {
    const kind = ["end", !end.gutter && "early", (end.under || end.names.length > 1) && "stacked"]
      .filter(Boolean)
      .join(" ");
    const value = document.createTextNode("");
    const element = label(kind, end, ...end.names.map(strong), value);
    element.dataset.run = end.run;
    const show = (words: string) => {
      value.data = words ? ` ${words}` : "";
      element.title = `${end.name} ${words}`.trim();
    };
    show(end.value);
    if (end.live) follow(end.live, show);
    element.style.maxWidth = `${end.most.toFixed(1)}px`;
    if (end.bad) element.dataset.tone = "bad";
    elements.push(element);
  }
  if (baseline)
    elements.push(
      asTerm(
        label(baseline.isOver ? "baseline over" : "baseline", baseline, baseline.text),
        baseline.term,
      ),
    );
  const beside = start && pxAcross(frame, start.x) + start.beside;
  if (start && beside + widthOf(start.text, LABEL_SIZE, REGULAR) <= right)
    elements.push(
      label("start", { left: beside, top: pxDown(frame, start.y) + start.lift }, start.text),
    );
  if (missing) {
    const left = pxAcross(frame, missing.from);
    elements.push(
      label(
        "missing",
        { left, top: frame.top + frame.height / 2, width: right - left },
        texts.notReceivedYet,
      ),
    );
  }
  elements.push(axisLabel(axis, right, frame.top + frame.height + 5, compact));
  return elements;
}

/** Axis label: on a phone it ends with the narrow margin, clear of the last tick. */
function axisLabel(axis: string, right: number, top: number, compact: boolean) {
  return compact
    ? label("axis last", { left: right + MARGIN, top }, axis)
    : label("axis", { left: right + 18, top }, axis);
}

/** The shapes of classes, with their names. */
const legend = (marks: { name: string; d: string; isFilled: boolean }[]) =>
  part(
    "span",
    "class-marks",
    ...marks.map(({ name, d, isFilled }) => {
      const look: Record<string, string | number> = isFilled
        ? {}
        : { fill: "none", stroke: "currentColor", "stroke-width": 1.2 };
      return part(
        "i",
        "",
        draw("svg", { viewBox: "0 0 10 10" }, draw("path", { d, ...look })),
        name,
      );
    }),
  );

export function gradientLabels({ titles, zero }: Json, follow?: Follow) {
  const heads = titles.map(
    ({ name, term, shape: size, marks = [], left, top = 0, width, values, dense }: Json) => {
      const numbers = part("span", dense ? "values dense" : "values");
      for (const { run, label: who, lane, value, live } of values) {
        const text = document.createTextNode("");
        const item = part("i", "", shape(lane), text);
        Object.assign(item.dataset, { lane, run });
        const show = (words: string) => {
          text.data = words;
          item.title = `${who}: ${words}`;
        };
        show(value);
        if (live) follow?.(live, show);
        numbers.append(item);
      }
      const dim = part("span", "shape", size);
      const head = [asTerm(strong(name), term), dim, ...(marks.length ? [legend(marks)] : [])];
      return label("title", { left, top, width }, ...head, numbers);
    },
  );
  return zero
    ? [
        ...heads,
        asTerm(
          label(
            `zero${zero.isLast ? " last" : ""}${zero.isOver ? " over" : ""}`,
            { left: zero.left, top: zero.top },
            texts.exactlyZero,
          ),
          "zero",
        ),
      ]
    : heads;
}

export const instrumentLabels = ({ titles, levels }: Json) => [
  ...gradientLabels({ titles }),
  ...levels.map((level: { left: number; top: number; text: string }) =>
    label("level", level, level.text),
  ),
];

export function scatterLabels({ squares }: Json) {
  const all = squares.map(({ label: name }: Json) => name);
  return squares.flatMap((square: Json) => [...squareHead(square, all), ...squareWords(square)]);
}

/**
 * The run's name and R² over a square, side by side or one above the other. In a large square the
 * score of a long name stands in the upper right corner.
 * @param all names
 */
function squareHead(square: Json, all: string[]) {
  const { title: place, lane, run, label: whole, score } = square;
  const words = texts.r2X(score);
  const free = place.width - BESIDE_NAME.shape - widthOf(whole, BOLD.size);
  const widthBeside = ({ size, isNamed }: (typeof SCORES)[number]) =>
    BESIDE_NAME.gap + widthOf(isNamed ? words : score, size, REGULAR);
  const form = SCORES.find((each) => widthBeside(each) <= free);
  const apart = square.apart ?? (form ? null : cornerOf(square));
  const isSmall = apart && (square.apart || free < 0);
  const isLow = Boolean(square.isLow);
  const beforeName = isLow ? 0 : isSmall ? SMALL.shape : BESIDE_NAME.shape;
  const room = place.width - beforeName - (apart || !form ? 0 : widthBeside(form));
  const name = nameWithin(whole, all, room, isSmall ? SMALL : BOLD);
  const beside = form?.isNamed
    ? [asTerm(part("span", "", texts.r2), "r2"), ` ${score}`]
    : [asTerm(part("span", "", score), "r2")];
  const title = label(
    isSmall ? "title small" : "title",
    { ...place, lane },
    ...(isLow ? [] : [shape(lane)]),
    strong(name),
    ...(apart ? [] : [part("span", form?.look ?? "", ...beside)]),
  );
  const heads = apart ? [title, label(scoreLook(square), apart, words)] : [title];
  if (isLow) heads.push(label("lane-mark", { ...cornerBelow(square), lane }, shape(lane)));
  for (const head of heads) Object.assign(head, { title: `${whole}: ${words}` }).dataset.run = run;
  return heads;
}

/** The whole name if it fits into so many px, else a shortened one; none if a word would be cut: the shape stays. */
function nameWithin(whole: string, all: string[], room: number, { size, ...letter }: Letters) {
  if (widthOf(whole, size) <= room) return whole;
  const letters = {
    whole: Math.floor(room / letter.whole),
    cut: Math.max(4, Math.floor(room / letter.cut)),
  };
  const [brief] = nameLines(whole, all, letters, 1);
  return hasCutWord(brief, whole) ? "" : brief;
}

/** In small squares in two rows the shape stands inside, where no good prediction is, so that the name has room. */
const cornerBelow = ({ left, top, width, height }: Json) => ({
  left: left + width - 13,
  top: top + height - 18,
});

const cornerOf = ({ left, top, width }: Json) => ({ left: left + width, top: top + 1 });

const scoreLook = ({ apart, isLow }: Json) =>
  !apart ? "score within corner-right" : isLow ? "score within" : "score";

/** Size and width of a letter in the corner of a square, and px between the words of two corners. */
const CORNER = { size: 11, letter: 5.8, apart: 12 };

/** The words inside a square. */
function squareWords(square: Json) {
  const { left, top, width, height, isRoomy, off, few, fewBriefly, count, predictedAt } = square;
  const beside = CORNER.letter * (few.length + texts.trueValue.length) + CORNER.apart;
  const low = isRoomy && beside > width ? 31 : 17; // above "true", where both do not fit beside
  const brief = few && widthOf(fewBriefly, CORNER.size, REGULAR) <= width ? fewBriefly : count;
  return [
    ...(isRoomy
      ? [
          label(
            predictedAt === null ? "corner predicted over" : "corner predicted",
            { left: left + 3, top: top + (predictedAt ?? 1) },
            texts.predicted,
          ),
          label("corner true", { left: left + width - 3, top: top + height - 16 }, texts.trueValue),
        ]
      : []),
    ...(off
      ? [
          label(
            isRoomy ? "off" : "off wraps",
            { left: left + width / 2, top: top + height * 0.5, width: isRoomy ? undefined : width },
            off,
          ),
        ]
      : []),
    ...(few ? [label("corner few", { left, top: top + height - low }, isRoomy ? few : brief)] : []),
  ];
}
