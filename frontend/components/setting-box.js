/**
 * Controls made from one row of the catalog: a box for a parameter, a select for a table.
 * Owns: their label, range, unit and help line.
 */

import { field, numberBox, selectBox } from "./controls.js";
import { make } from "./dom.js";
import { helpLine } from "./help-line.js";
import { setting } from "../state/format.js";
import { canBeOff, explained, isWhole, refusalOf } from "../state/parameters.js";
import { nameFor } from "../state/words.js";

/** @typedef {import("../state/catalog.js").Parameter} Parameter */
/** @typedef {import("../state/parameters.js").Explanation} Explanation */
/** @typedef {import("./controls.js").Option} Option */

/** The label with its unit, unless that repeats the name. @param {Parameter} parameter @param {string} text */
const labelled = ({ unit }, text) => (unit && unit.toLowerCase() !== text.toLowerCase() ? `${text}, ${unit}` : text);

/**
 * A control with its label above and its help below. Messages go elsewhere, where there is room.
 * @param {string|null} text  null where the place says enough
 * @param {HTMLElement} control
 */
export function cell(text, control) {
  const help = helpLine(control);
  return { root: make("div", { class: "cell" }, text === null ? control : field(text, control), help.root), help };
}

/**
 * @param {object} options
 * @param {Parameter} options.parameter
 * @param {string} [options.text]  visible label, if not the parameter's own name
 * @param {string} [options.name]  the full name, "L2 of GD"
 * @param {(value: number) => string} [options.format]
 * @param {(value: number) => string|null} [options.refuse]
 * @param {(value: any) => void} options.apply
 */
export function parameterBox({ parameter, text = nameFor("settings", parameter.name), name = text, format = setting, refuse = refusalOf(parameter), apply }) {
  const box = numberBox({ name, format, refuse, apply, whole: isWhole(parameter), canBeOff: canBeOff(parameter) });
  const { root, help } = cell(labelled(parameter, text), box.box);
  help.show(explained(parameter));
  return { root, parameter, complaint: box.complaint, show: box.show, complain: box.complain };
}

/** Boxes side by side with their messages below; rebuilt when others apply. @param {string} look */
export function boxGrid(look) {
  const cells = make("div", { class: look });
  const complaints = make("div", {});
  return {
    root: make("div", {}, cells, complaints),
    /** @param {ReturnType<typeof parameterBox>[]} boxes */
    put(boxes) {
      cells.hidden = boxes.length === 0;
      cells.replaceChildren(...boxes.map(({ root }) => root));
      complaints.replaceChildren(...boxes.map(({ complaint }) => complaint));
    },
  };
}

/**
 * A grid that keeps its boxes as long as the same ones apply.
 * @param {string} look
 * @param {(which: string) => ReturnType<typeof parameterBox>[]} build
 */
export function changingBoxes(look, build) {
  const grid = boxGrid(look);
  /** @type {string|null} */
  let last = null;
  /** @type {ReturnType<typeof parameterBox>[]} */
  let boxes = [];
  return {
    root: grid.root,
    present: () => boxes,
    /** @param {string} which */
    put(which) {
      if (which !== last) grid.put((boxes = build(which)));
      last = which;
      return boxes;
    },
  };
}

/**
 * A select with the help of the chosen row below.
 * @param {object} options
 * @param {string|null} options.text
 * @param {string} [options.name]
 * @param {(value: string) => void} options.choose
 */
export function methodSelect({ text, name = text ?? "", choose }) {
  const select = selectBox({ name, choose });
  const { root, help } = cell(text, select.root);
  return {
    root, select: select.root,
    /** @param {Option[]} options @param {string} value @param {Explanation} explanation */
    show(options, value, explanation) {
      select.show(options, value);
      help.show(explanation);
    },
  };
}
