/**
 * Controls made from one row of the catalog: a box for a parameter, a select for a table.
 * Owns: their label, range, unit and help line.
 */

import { field, numberBox, selectBox } from "./controls.ts";
import { make } from "./dom.ts";
import { helpLine } from "./help-line.ts";
import { setting } from "../core/format.ts";
import { canBeOff, explained, isWhole, refusalOf } from "../core/parameters.ts";
import { nameFor } from "../core/words.ts";
import type { Parameter } from "../core/catalog.ts";
import type { Explanation } from "../core/parameters.ts";
import type { Option } from "./controls.ts";

/** The label with its unit, unless that repeats the name. */
const labelled = ({ unit }: Parameter, text: string) =>
  unit && unit.toLowerCase() !== text.toLowerCase() ? `${text}, ${unit}` : text;

/**
 * A control with its label above and its help below. Messages go elsewhere, where there is room.
 * @param text null where the place says enough
 */
export function cell(text: string | null, control: HTMLElement) {
  const help = helpLine(control);
  return {
    root: make("div", { class: "cell" }, text === null ? control : field(text, control), help.root),
    help,
  };
}

export function parameterBox({
  parameter,
  text = nameFor("settings", parameter.name),
  name = text,
  format = setting,
  refuse = refusalOf(parameter),
  apply,
}: {
  parameter: Parameter;
  text?: string; // visible label, if not the parameter's own name
  name?: string; // the full name, "L2 of GD"
  format?: (value: number) => string;
  refuse?: (value: number) => string | null;
  apply: (value: any) => void;
}) {
  const box = numberBox({
    name,
    format,
    refuse,
    apply,
    whole: isWhole(parameter),
    canBeOff: canBeOff(parameter),
  });
  const { root, help } = cell(labelled(parameter, text), box.box);
  help.show(explained(parameter));
  return { root, parameter, complaint: box.complaint, show: box.show, complain: box.complain };
}

/** Boxes side by side with their messages below; rebuilt when others apply. */
export function boxGrid(look: string) {
  const cells = make("div", { class: look });
  const complaints = make("div", {});
  return {
    root: make("div", {}, cells, complaints),
    put(boxes: ReturnType<typeof parameterBox>[]) {
      cells.hidden = boxes.length === 0;
      cells.replaceChildren(...boxes.map(({ root }) => root));
      complaints.replaceChildren(...boxes.map(({ complaint }) => complaint));
    },
  };
}

/** A grid that keeps its boxes as long as the same ones apply. */
export function changingBoxes(
  look: string,
  build: (which: string) => ReturnType<typeof parameterBox>[],
) {
  const grid = boxGrid(look);
  let last: string | null = null;
  let boxes: ReturnType<typeof parameterBox>[] = [];
  return {
    root: grid.root,
    present: () => boxes,
    put(which: string) {
      if (which !== last) grid.put((boxes = build(which)));
      last = which;
      return boxes;
    },
  };
}

/** A select with the help of the chosen row below. */
export function methodSelect({
  text,
  name = text ?? "",
  choose,
}: {
  text: string | null;
  name?: string;
  choose: (value: string) => void;
}) {
  const select = selectBox({ name, choose });
  const { root, help } = cell(text, select.root);
  return {
    root,
    select: select.root,
    show(options: Option[], value: string, explanation: Explanation) {
      select.show(options, value);
      help.show(explanation);
    },
  };
}
