/**
 * Small controls of every part of the page: button, segmented switch, number box, select.
 * Owns: their markup, keys and ARIA. Each returns `root` and `show`, which takes the present value.
 */

import { make, set, write } from "./dom.ts";
import { icon } from "./icons.ts";
import { confirmChoices } from "./listbox.ts";
import type { Problem } from "../core/types.ts";
import type { Child } from "./dom.ts";

type IconName = Parameters<typeof icon>[0];

export function button(
  options: {
    name?: string; // accessible name, if the text is not enough
    look?: string; // more classes: "quiet square small solid dashed"
    icon?: IconName;
    title?: string;
    more?: Record<string, any>; // more attributes
    act: () => void;
  },
  ...children: Child[]
) {
  return make(
    "button",
    {
      type: "button",
      class: `button ${options.look ?? ""}`.trim(),
      "aria-label": options.name,
      title: options.title ?? null,
      on: { click: options.act },
      ...options.more,
    },
    options.icon ? icon(options.icon) : null,
    ...children,
  );
}

/** `name`: read aloud where the text is shortened */
type Choice<Value extends string> = {
  value: Value;
  text: string;
  name?: string;
  title?: string;
  before?: () => Node;
};

/** The place in a list to which an arrow, Home or End leads; null for other keys. */
function placeAfter(key: string, place: number, count: number) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
  return by === undefined ? null : (place + by + count) % count;
}

/** A choice of a few: a radio group that looks like a switch. Arrows choose, Tab leaves. */
export function segmentedSwitch<Value extends string>({
  name,
  choices,
  choose,
  look = "",
}: {
  name: string;
  choices: Choice<Value>[];
  choose: (value: Value) => void;
  look?: string;
}) {
  const buttons = choices.map((choice) =>
    make(
      "button",
      {
        type: "button",
        role: "radio",
        "aria-checked": "false",
        tabindex: -1,
        title: choice.title ?? null,
        "aria-label": choice.name ?? null,
        "data-value": choice.value,
        on: { click: () => choose(choice.value) },
      },
      choice.before?.(),
      make("span", { class: "clip" }, choice.text),
    ),
  );
  const move = (event: KeyboardEvent) => {
    const place = placeAfter(
      event.key,
      buttons.indexOf(document.activeElement as any),
      buttons.length,
    );
    if (place === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    buttons[place].focus();
    choose(choices[place].value);
  };
  const root = make(
    "div",
    {
      class: `switch ${look}`.trim(),
      role: "radiogroup",
      "aria-label": name,
      on: { keydown: move },
    },
    ...buttons,
  );

  function show(value: string | null) {
    const isListed = choices.some((choice) => choice.value === value);
    buttons.forEach((item, place) => {
      const checked = choices[place].value === value;
      set(item, {
        "aria-checked": String(checked),
        tabindex: checked || (!isListed && place === 0) ? 0 : -1,
      });
    });
  }
  return { root, show };
}

/** "1,200" but not "0,003": groups of three after a first digit that is not 0. */
const THOUSANDS = /^-?[1-9]\d{0,2}([ ,]\d{3})+(\.\d+)?$/;

/** Parses a number as people type it ("3e-4", "0,03", "1 200"), or returns NaN. */
export function readNumber(text: string) {
  const typed = text.trim().replace(/\u2212/g, "-");
  const plain = THOUSANDS.test(typed) ? typed.replace(/[ ,]/g, "") : typed.replace(",", ".");
  return plain === "" ? Number.NaN : Number(plain);
}

/** A box for one number. A refused text stays in the box with a message below. */
export function numberBox({
  name,
  format,
  refuse,
  apply,
  whole = false,
  canBeOff = false,
}: {
  name: string;
  format: (value: number) => string;
  refuse: (value: number) => string | null; // why a number is not allowed, or null
  apply: (value: any) => void; // receives a number, or null if switched off
  whole?: boolean;
  canBeOff?: boolean; // an empty box, or the word, means null
}) {
  const complaint = make("p", { class: "complaint", hidden: true, role: "alert" });
  const box = make("input", {
    class: "input number",
    type: "text",
    inputmode: whole ? "numeric" : "decimal",
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": name,
    placeholder: canBeOff ? "off" : null,
    on: {
      change: () => commit(),
      keydown: (event: KeyboardEvent) => event.key === "Escape" && restore(),
    },
  });
  let present: number | null = Number.NaN;
  const written = () => (present === null ? "" : format(present));
  const isOff = () => canBeOff && /^(off)?$/i.test(box.value.trim());

  function complain(why: string | null) {
    complaint.hidden = why === null;
    write(complaint, why ?? "");
    set(box, { "aria-invalid": why === null ? null : "true" });
  }
  function commit() {
    const value = isOff() ? null : readNumber(box.value);
    const why =
      value === null ? null : Number.isFinite(value) ? refuse(value) : "This is not a number.";
    complain(why);
    if (why !== null) return;
    if (value === present) box.value = written();
    else apply(value);
  }
  function restore() {
    complain(null);
    box.value = written();
  }
  function show(value: number | null) {
    if (value === present) return;
    present = value;
    if (document.activeElement !== box || !complaint.hidden) complain(null);
    box.value = written();
  }
  /** Shows a value while a slider is dragged, without applying it. */
  const preview = (value: number) => void (box.value = format(value));
  return { box, complaint, show, preview, complain };
}

/** The server's message about one field of a refused recipe. */
export function complaintAt(problem: Problem | null, ...pointers: string[]) {
  const error = problem?.errors?.find(({ pointer }) => pointers.includes(pointer));
  return error ? (error.detail ?? error.message ?? problem?.title ?? null) : null;
}

export const field = (text: string, control: Node) =>
  make("label", { class: "field" }, make("span", {}, text), control);

export type Option = { value: string; text: string; group?: string; disabled?: boolean };

function grouped(choices: Option[]) {
  const option = ({ value, text, disabled = false }: Option) =>
    make("option", { value, disabled }, text);
  const groups = [...new Set(choices.map(({ group }) => group))];
  return groups.flatMap((group) => {
    const options = choices.filter((choice) => choice.group === group).map(option);
    return group === undefined ? options : [make("optgroup", { label: group }, ...options)];
  });
}

export function selectBox({ name, choose }: { name: string; choose: (value: string) => void }) {
  const root = make("select", {
    class: "input",
    "aria-label": name,
    on: { change: () => choose(root.value) },
  });
  let last = "";
  let present: Option[] = [];
  confirmChoices(root, () => present);
  /** Shows choices; those with a `group` stand below its name, in the order of first appearance. */
  function show(choices: Option[], value: string) {
    const signature = JSON.stringify(choices);
    if (signature !== last) root.replaceChildren(...grouped(choices));
    last = signature;
    present = choices;
    root.value = value;
  }
  return { root, show };
}

/** After a choice to watch: Space plays it, instead of opening the list again. */
export const focusPlay = () =>
  (document.querySelector("transport-bar .play") as HTMLElement | null)?.focus();
