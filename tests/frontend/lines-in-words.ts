// Reads sheets of steps, as the server sends them, from standard input. Prints a JSON list of
// errors: a line without
// words, a piece without a value, an equation that differs from its line.

import { readFileSync } from "node:fs";

import { piecesOf } from "../../frontend/features/inspector/expressions.ts";
import { gridOf } from "../../frontend/features/inspector/grids.ts";
import { sentenceOf } from "../../frontend/features/inspector/line-words.ts";
import { followersOf, valuesBefore, partnerOf } from "../../frontend/features/inspector/sheets.ts";
import type { Sheet } from "../../frontend/core/wire-types.ts";

const wrong: string[] = [];
for (const sheet of JSON.parse(readFileSync(0, "utf8")) as Sheet[]) {
  sheet.lines.forEach(({ name, expression }, place) => {
    const line = `${name} = ${expression}`;
    const words = sentenceOf(sheet, place);
    if (!words || /undefined|NaN|null|object/.test(words)) wrong.push(`${line}: "${words}"`);
    const values = valuesBefore(sheet, place);
    const pieces = piecesOf(expression);
    if (pieces.map(({ text }) => text).join("") !== expression) wrong.push(`${line}: cut wrongly`);
    for (const piece of pieces) {
      if (!piece.name) continue;
      const entry = values.get(piece.name);
      if (!entry || !gridOf(entry, piece, sheet.batch).rows.length)
        wrong.push(`${line}: ${piece.name} is nothing that is known`);
    }
    const others = [partnerOf(sheet, place), ...followersOf(sheet, place)].filter(
      (each) => each !== null,
    );
    if (others.some((other) => !sheet.lines[other.place])) wrong.push(`${line}: leads nowhere`);
  });
}
console.log(JSON.stringify(wrong));
