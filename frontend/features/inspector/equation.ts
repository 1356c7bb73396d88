/**
 * One line as an equation of matrices, with its meaning, its partner on the way back, and what
 * follows.
 * Owns: their layout. sheets.ts and line-words.ts have the content.
 */

import { make, set, write } from "../../ui/dom.ts";
import { matrix, miniStrip } from "./matrix.ts";
import { lineText, piecesOf } from "./expressions.ts";
import { integer, number } from "../../core/format.ts";
import { sentenceOf } from "./line-words.ts";
import { followersOf, isAllZero, valuesBefore, partnerOf, sizeOf } from "./sheets.ts";
import type { Line, Sheet } from "../../core/wire-types.ts";

/** With more samples shown, the partner of a line shows only one. */
const FEW = 4;

const sign = (text: string) => make("span", { class: "sign", "data-text": text }, text.trim());

/** @param most samples of the batch */
function pieces(sheet: Sheet, place: number, most?: number) {
  const line = sheet.lines[place];
  const values = valuesBefore(sheet, place);
  const parts = piecesOf(line.expression).map((piece) => {
    const entry = piece.name === undefined ? undefined : values.get(piece.name);
    return entry ? matrix(entry, piece, sheet.batch, most) : sign(piece.text);
  });
  return [...parts, sign("="), matrix(line, { text: line.name }, sheet.batch, most)];
}

function partner(sheet: Sheet, place: number) {
  const there = partnerOf(sheet, place);
  if (!there) return null;
  const line = sheet.lines[there.place];
  return make(
    "div",
    { class: "partner", role: "group", "aria-label": `${there.words}: ${lineText(line)}` },
    make("p", { class: "line" }, make("span", {}, there.words), make("code", {}, lineText(line))),
    make(
      "div",
      { class: "pieces" },
      ...pieces(sheet, there.place, sheet.batch.length > FEW ? 1 : FEW),
    ),
  );
}

function follower(line: Line, isOnly: boolean) {
  const one =
    sizeOf(line) === 1 && typeof [line.values].flat(2)[0] === "number"
      ? ([line.values].flat(2)[0] as number)
      : null;
  const isZero = isAllZero(line);
  return make(
    "span",
    { class: "chain" },
    make("code", {}, line.name),
    one === null || isZero ? miniStrip(line) : make("b", {}, number(one)),
    isOnly ? make("span", {}, "the only gradient left") : isZero ? make("span", {}, "all 0") : null,
  );
}

function follows(sheet: Sheet, place: number) {
  const line = sheet.lines[place];
  const followers = followersOf(sheet, place);
  const ends = line.part === "update" && /^[Wb]\d/.test(line.name) && !followers.length;
  return make(
    "p",
    { class: "follows" },
    make("span", {}, "What follows"),
    ...(ends
      ? [make("span", {}, `step ${integer(sheet.step + 1)} begins with this ${line.name}`)]
      : followers.length
        ? followers.map(({ place: k, isOnly }) => follower(sheet.lines[k], isOnly))
        : [make("span", {}, "nothing depends on this line")]),
  );
}

export function lineView(): { root: HTMLElement; show: (sheet: Sheet, place: number) => void } {
  const title = make("h3", { class: "line" });
  const say = make("p", { class: "say" });
  const equation = make("div", { class: "equation", role: "group" });
  const rest = make("div", {});
  const root = make(
    "div",
    { class: "line-view", tabindex: 0, role: "group", "aria-label": "The line" },
    title,
    say,
    equation,
    rest,
  );
  return {
    root,
    show(sheet, place) {
      const text = lineText(sheet.lines[place]);
      write(title, text);
      write(say, sentenceOf(sheet, place));
      set(equation, {
        "aria-label": text,
        "data-expression": sheet.lines[place].expression,
        "data-line": sheet.lines[place].name,
      });
      equation.replaceChildren(...pieces(sheet, place));
      rest.replaceChildren(
        ...[partner(sheet, place), follows(sheet, place)].filter((each) => each !== null),
      );
    },
  };
}
