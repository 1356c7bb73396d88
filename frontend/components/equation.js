/**
 * One line as an equation of matrices, with its meaning, its partner on the way back, and what follows.
 * Owns: their layout. state/sheets.js and state/line-words.js have the content.
 */

import { make, set, write } from "./dom.js";
import { matrix, miniStrip } from "./matrix.js";
import { lineText, piecesOf } from "../state/expressions.js";
import { integer, number } from "../state/format.js";
import { sentenceOf } from "../state/line-words.js";
import { followersOf, isAllZero, valuesBefore, partnerOf, sizeOf } from "../state/sheets.js";

/** @typedef {import("../state/sheets.js").Sheet} Sheet */
/** @typedef {import("../state/sheets.js").Line} Line */

/** With more samples shown, the partner of a line shows only one. */
const FEW = 4;

/** @param {string} text */
const sign = (text) => make("span", { class: "sign", "data-text": text }, text.trim());

/** @param {Sheet} sheet @param {number} place @param {number} [most]  samples of the batch */
function pieces(sheet, place, most) {
  const line = sheet.lines[place];
  const values = valuesBefore(sheet, place);
  const parts = piecesOf(line.expression).map((piece) => {
    const entry = piece.name === undefined ? undefined : values.get(piece.name);
    return entry ? matrix(entry, piece, sheet.batch, most) : sign(piece.text);
  });
  return [...parts, sign("="), matrix(line, { text: line.name }, sheet.batch, most)];
}

/** @param {Sheet} sheet @param {number} place */
function partner(sheet, place) {
  const there = partnerOf(sheet, place);
  if (!there) return null;
  const line = sheet.lines[there.place];
  return make("div", { class: "partner", role: "group", "aria-label": `${there.words}: ${lineText(line)}` },
    make("p", { class: "line" }, make("span", {}, there.words), make("code", {}, lineText(line))),
    make("div", { class: "pieces" }, ...pieces(sheet, there.place, sheet.batch.length > FEW ? 1 : FEW)));
}

/** @param {Line} line @param {boolean} isOnly */
function follower(line, isOnly) {
  const one = sizeOf(line) === 1 && typeof [line.values].flat(2)[0] === "number" ? /** @type {number} */ ([line.values].flat(2)[0]) : null;
  const isZero = isAllZero(line);
  return make("span", { class: "chain" }, make("code", {}, line.name),
    one === null || isZero ? miniStrip(line) : make("b", {}, number(one)),
    isOnly ? make("span", {}, "the only gradient left") : isZero ? make("span", {}, "all 0") : null);
}

/** @param {Sheet} sheet @param {number} place */
function follows(sheet, place) {
  const line = sheet.lines[place];
  const followers = followersOf(sheet, place);
  const ends = line.part === "update" && /^[Wb]\d/.test(line.name) && !followers.length;
  return make("p", { class: "follows" }, make("span", {}, "What follows"),
    ...(ends ? [make("span", {}, `step ${integer(sheet.step + 1)} begins with this ${line.name}`)]
      : followers.length ? followers.map(({ place: k, isOnly }) => follower(sheet.lines[k], isOnly)) : [make("span", {}, "nothing depends on this line")]));
}

/** @returns {{root: HTMLElement, show: (sheet: Sheet, place: number) => void}} */
export function lineView() {
  const title = make("h3", { class: "line" });
  const say = make("p", { class: "say" });
  const equation = make("div", { class: "equation", role: "group" });
  const rest = make("div", {});
  const root = make("div", { class: "line-view", tabindex: 0, role: "group", "aria-label": "The line" }, title, say, equation, rest);
  return {
    root,
    show(sheet, place) {
      const text = lineText(sheet.lines[place]);
      write(title, text);
      write(say, sentenceOf(sheet, place));
      set(equation, { "aria-label": text, "data-expression": sheet.lines[place].expression, "data-line": sheet.lines[place].name });
      equation.replaceChildren(...pieces(sheet, place));
      rest.replaceChildren(...[partner(sheet, place), follows(sheet, place)].filter((each) => each !== null));
    },
  };
}
