/**
 * One line as an equation of matrices, with its meaning, its partner on the way back, and what
 * follows.
 * Owns: their templates. sheets.ts and line-words.ts have the content.
 */

import { html, nothing } from "lit";
import { termOf } from "../../ui/term.ts";
import { TERMS } from "../../core/terms.ts";
import { matrix, miniStrip } from "./matrix.ts";
import { lineText, piecesOf } from "./expressions.ts";
import { integer, number } from "../../core/format.ts";
import { sentenceOf } from "./line-words.ts";
import { followersOf, isAllZero, partnerOf, sizeOf, valuesBefore } from "./sheets.ts";
import * as texts from "../../words/english.ts";
import type { Line, Sheet } from "../../core/wire-types.ts";

/** With more samples shown, the partner of a line shows only one. */
const FEW = 4;

const sign = (text: string) => html`<span class="sign" data-text=${text}>${text.trim()}</span>`;

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
  if (!there) return nothing;
  const text = lineText(sheet.lines[there.place]);
  return html`<div class="partner" role="group" aria-label="${there.words}: ${text}">
    <p class="line"><span>${there.words}</span><code>${text}</code></p>
    <div class="pieces">${pieces(sheet, there.place, sheet.batch.length > FEW ? 1 : FEW)}</div>
  </div>`;
}

function follower(line: Line, isOnly: boolean) {
  const one = sizeOf(line) === 1 ? [line.values].flat(2)[0] : null;
  const isZero = isAllZero(line);
  return html`<span class="chain"><code>${line.name}</code>
    ${typeof one !== "number" || isZero ? miniStrip(line) : html`<b>${number(one)}</b>`}
    ${isOnly ? html`<span>${texts.theOnlyGradientLeft}</span>` : isZero ? html`<span>${texts.all0}</span>` : nothing}
  </span>`;
}

function follows(sheet: Sheet, place: number) {
  const line = sheet.lines[place];
  const followers = followersOf(sheet, place);
  const ends = line.part === "update" && /^[Wb]\d/.test(line.name) && !followers.length;
  return html`<p class="follows"><span>${texts.whatFollows}</span>${
    ends
      ? html`<span>${texts.stepXBeginsWithThisY(integer(sheet.step + 1), line.name)}</span>`
      : followers.length
        ? followers.map(({ place: k, isOnly }) => follower(sheet.lines[k], isOnly))
        : html`<span>${texts.nothingDependsOnThisLine}</span>`
  }</p>`;
}

/** The slope of half the squares: the loss on view has a 2 that the step has not. */
const isHalved = ({ lines }: Sheet, { name, part }: Line) =>
  name === "dy_pred" &&
  part === "backward" &&
  lines.some((line) => line.name === "loss" && line.expression.includes("**2"));

export function lineView(sheet: Sheet | null, place: number) {
  const line = sheet?.lines[place];
  const text = line ? lineText(line) : "";
  return html`<div class="line-view" tabindex="0" role="group" aria-label=${texts.theLine}>
    <h3 class="line">${text}</h3>
    ${
      sheet && line
        ? html`<p class="say">${sentenceOf(sheet, place)} ${isHalved(sheet, line) ? termOf("half", TERMS.half.name) : nothing}</p>
            <div class="equation" role="group" aria-label=${text}
              data-expression=${line.expression} data-line=${line.name}
              >${pieces(sheet, place)}</div>
            <div>${partner(sheet, place)}${follows(sheet, place)}</div>`
        : nothing
    }
  </div>`;
}
