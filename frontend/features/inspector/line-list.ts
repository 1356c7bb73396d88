/**
 * The lines of a step, forward, backward and update, each with a small strip of its result. One is
 * selected.
 * Owns: the list, its marks, and its accessible names. page/keys.ts handles arrows.
 */

import { make, nodeOf, set, write } from "../../ui/dom.ts";
import { glyph } from "../../ui/icons.ts";
import { miniStrip } from "./matrix.ts";
import { briefText, lineText } from "./expressions.ts";
import { integer } from "../../core/format.ts";
import { firstOdd, firstZero, isAllZero, isOdd, sizeOf } from "./sheets.ts";
import type { Line, Sheet } from "../../core/wire-types.ts";

const PARTS = [
  { part: "forward", text: "Forward" },
  { part: "backward", text: "Backward" },
  { part: "update", text: "Update" },
] as const;

const resultWords = (line: Line) =>
  isOdd(line)
    ? "not finite"
    : isAllZero(line)
      ? `exactly 0 in all ${integer(sizeOf(line))}`
      : line.zeros
        ? `${integer(line.zeros)} of ${integer(sizeOf(line))} exactly 0`
        : "";

/**
 * The mark beside a line in which something went wrong.
 * @param dead a layer of the run
 */
function markOf(sheet: Sheet, place: number, dead: number | null) {
  if (place === firstOdd(sheet))
    return { glyph: "cross" as const, words: "the first line that is not finite" };
  if (place === firstZero(sheet, dead))
    return { glyph: "dead" as const, words: "here everything became exactly 0" };
  return null;
}

export function lineList(choose: (place: number) => void) {
  const root = make("div", {
    class: "line-list",
    role: "listbox",
    tabindex: 0,
    "aria-label": "One step in NumPy",
  });
  let signature = "";
  let options: HTMLElement[] = [];

  function build(sheet: Sheet) {
    options = sheet.lines.map((line, place) =>
      make(
        "div",
        {
          role: "option",
          id: `line-${place}`,
          title: lineText(line),
          on: { click: () => (root.focus(), choose(place)) },
        },
        make("span", { class: "text" }, briefText(line)),
        make("span", { class: "unseen" }),
        make("span", { class: "mark" }),
        make("span", { class: "mini" }),
      ),
    );
    root.replaceChildren(
      ...PARTS.map(({ part, text }) =>
        make(
          "div",
          { class: part, role: "group", "aria-label": text },
          make("h3", { "aria-hidden": "true" }, text),
          ...options.filter((_, k) => sheet.lines[k].part === part),
        ),
      ),
    );
    set(root, { "aria-label": `One step in NumPy, ${sheet.lines.length} lines` });
  }

  function showLine(sheet: Sheet, place: number, dead: number | null) {
    const line = sheet.lines[place];
    const mark = markOf(sheet, place, dead);
    const [, result, sign, strip] = options[place].children;
    if (options[place].dataset.mark !== mark?.glyph)
      sign.replaceChildren(...(mark ? [nodeOf(glyph(mark.glyph))] : []));
    write(result, [resultWords(line), mark?.words].filter(Boolean).join(", "));
    set(options[place], { "data-mark": mark?.glyph ?? null });
    set(sign, { title: mark?.words ?? null });
    strip.replaceWith(miniStrip(line));
  }

  return {
    root,
    /** @param dead a layer of the run is dead */
    show(sheet: Sheet, chosen: number, dead: number | null) {
      const now = sheet.lines
        .map((line) => `${line.part} ${line.name} = ${line.expression}`)
        .join("\n");
      if (now !== signature) build(sheet);
      signature = now;
      sheet.lines.forEach((_, place) => showLine(sheet, place, dead));
      options.forEach((option, place) =>
        set(option, { "aria-selected": String(place === chosen) }),
      );
      set(root, { "aria-activedescendant": `line-${chosen}` });
    },
    reveal: (chosen: number) => options[chosen]?.scrollIntoView({ block: "nearest" }),
  };
}
