/**
 * The lines of a step, forward, backward and update, each with a small strip of its result. One is selected.
 * Owns: the list, its marks, and its accessible names. pages/keys.js handles arrows.
 */

import { make, set, write } from "./dom.js";
import { glyph } from "./icons.js";
import { miniStrip } from "./matrix.js";
import { briefText, lineText } from "../state/expressions.js";
import { integer } from "../state/format.js";
import { firstOdd, firstZero, isAllZero, isOdd, sizeOf } from "../state/sheets.js";

/** @typedef {import("../state/sheets.js").Sheet} Sheet */
/** @typedef {import("../state/sheets.js").Line} Line */

const PARTS = /** @type {const} */ ([{ part: "forward", text: "Forward" }, { part: "backward", text: "Backward" }, { part: "update", text: "Update" }]);

/** @param {Line} line */
const resultWords = (line) => (isOdd(line) ? "not finite" : isAllZero(line) ? `exactly 0 in all ${integer(sizeOf(line))}` : line.zeros ? `${integer(line.zeros)} of ${integer(sizeOf(line))} exactly 0` : "");

/** The mark beside a line in which something went wrong. @param {Sheet} sheet @param {number} place @param {number|null} dead  a layer of the run */
function markOf(sheet, place, dead) {
  if (place === firstOdd(sheet)) return { glyph: /** @type {const} */ ("cross"), words: "the first line that is not finite" };
  if (place === firstZero(sheet, dead)) return { glyph: /** @type {const} */ ("dead"), words: "here everything became exactly 0" };
  return null;
}

/** @param {(place: number) => void} choose */
export function lineList(choose) {
  const root = make("div", { class: "line-list", role: "listbox", tabindex: 0, "aria-label": "One step in NumPy" });
  let signature = "";
  /** @type {HTMLElement[]} */
  let options = [];

  /** @param {Sheet} sheet */
  function build(sheet) {
    options = sheet.lines.map((line, place) =>
      make("div", { role: "option", id: `line-${place}`, title: lineText(line), on: { click: () => (root.focus(), choose(place)) } },
        make("span", { class: "text" }, briefText(line)), make("span", { class: "unseen" }), make("span", { class: "mark" }), make("span", { class: "mini" })));
    root.replaceChildren(...PARTS.map(({ part, text }) =>
      make("div", { class: part, role: "group", "aria-label": text }, make("h3", { "aria-hidden": "true" }, text), ...options.filter((_, k) => sheet.lines[k].part === part))));
    set(root, { "aria-label": `One step in NumPy, ${sheet.lines.length} lines` });
  }

  /** @param {Sheet} sheet @param {number} place @param {number|null} dead */
  function showLine(sheet, place, dead) {
    const line = sheet.lines[place];
    const mark = markOf(sheet, place, dead);
    const [, result, sign, strip] = options[place].children;
    if (options[place].dataset.mark !== mark?.glyph) sign.replaceChildren(...(mark ? [glyph(mark.glyph)] : []));
    write(result, [resultWords(line), mark?.words].filter(Boolean).join(", "));
    set(options[place], { "data-mark": mark?.glyph ?? null });
    set(sign, { title: mark?.words ?? null });
    strip.replaceWith(miniStrip(line));
  }

  return {
    root,
    /** @param {Sheet} sheet @param {number} chosen @param {number|null} dead  a layer of the run is dead */
    show(sheet, chosen, dead) {
      const now = sheet.lines.map((line) => `${line.part} ${line.name} = ${line.expression}`).join("\n");
      if (now !== signature) build(sheet);
      signature = now;
      sheet.lines.forEach((_, place) => showLine(sheet, place, dead));
      options.forEach((option, place) => set(option, { "aria-selected": String(place === chosen) }));
      set(root, { "aria-activedescendant": `line-${chosen}` });
    },
    /** @param {number} chosen */
    reveal: (chosen) => options[chosen]?.scrollIntoView({ block: "nearest" }),
  };
}
