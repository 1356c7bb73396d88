/**
 * The lines of a step, forward, backward and update, each with a small strip of its result. One is
 * selected.
 * Owns: the list's template, its marks, and its accessible names. page/keys.ts handles arrows.
 */

import { html, nothing } from "lit";
import { glyph } from "../../ui/icons.ts";
import { miniStrip } from "./matrix.ts";
import { briefText, lineText } from "./expressions.ts";
import { integer } from "../../core/format.ts";
import { firstOdd, firstZero, isAllZero, isOdd, sizeOf } from "./sheets.ts";
import * as texts from "../../words/english.ts";
import type { Line, Sheet } from "../../core/wire-types.ts";

const PARTS = [
  ["forward", texts.forward],
  ["backward", texts.backward],
  ["update", texts.update],
];

const resultWords = (line: Line) =>
  isOdd(line)
    ? texts.notFinite
    : isAllZero(line)
      ? texts.exactly0InAllX(integer(sizeOf(line)))
      : line.zeros
        ? texts.xOfYExactly0(integer(line.zeros), integer(sizeOf(line)))
        : "";

/**
 * The mark beside a line in which something went wrong.
 * @param dead a layer of the run
 */
function markOf(sheet: Sheet, place: number, dead: number | null) {
  if (place === firstOdd(sheet))
    return { sign: "cross", words: texts.theFirstLineThatIsNot } as const;
  if (place === firstZero(sheet, dead))
    return { sign: "dead", words: texts.hereEverythingBecameExactly0 } as const;
  return null;
}

/** @param dead a layer of the run is dead */
export function lineList(
  sheet: Sheet | null,
  chosen: number,
  dead: number | null,
  choose: (place: number) => void,
) {
  const option = (sheet: Sheet) => (line: Line, place: number) => {
    const mark = markOf(sheet, place, dead);
    return html`<div role="option" id="line-${place}" title=${lineText(line)}
      aria-selected=${place === chosen} data-mark=${mark?.sign ?? nothing}
      @click=${() => choose(place)}><span class="text">${briefText(line)}</span
      ><span class="unseen">${[resultWords(line), mark?.words].filter(Boolean).join(", ")}</span
      ><span class="mark" title=${mark?.words ?? nothing}>${mark ? glyph(mark.sign) : nothing}</span
      >${miniStrip(line)}</div>`;
  };
  const lines = sheet?.lines ?? [];
  const options = sheet ? lines.map(option(sheet)) : [];
  return html`<div class="line-list" role="listbox" tabindex="0"
    aria-label=${texts.oneStepInNumpyXLines(lines.length)}
    aria-activedescendant="line-${chosen}">${PARTS.map(
      ([part, text]) => html`<div class=${part} role="group" aria-label=${text}>
        <h3 aria-hidden="true">${text}</h3>${options.filter(
          (_, place) => lines[place].part === part,
        )}</div>`,
    )}</div>`;
}
