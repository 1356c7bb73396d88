/**
 * Small controls of every part of the page: button, segmented switch, number box, select.
 * Owns: their markup, keys and ARIA. Each returns `root` and `show`, which takes the present value.
 */

import { make, set, write } from "./dom.js";
import { icon } from "./icons.js";
import { confirmChoices } from "./listbox.js";

/** @typedef {import("./dom.js").Child} Child */
/** @typedef {Parameters<typeof icon>[0]} IconName */

/**
 * @param {object} options
 * @param {string} [options.name]  accessible name, if the text is not enough
 * @param {string} [options.look]  more classes: "quiet square small solid dashed"
 * @param {IconName} [options.icon]
 * @param {string} [options.title]
 * @param {Record<string, any>} [options.more]  more attributes
 * @param {() => void} options.act
 * @param {...Child} children
 */
export function button(options, ...children) {
  return make(
    "button",
    { type: "button", class: `button ${options.look ?? ""}`.trim(), "aria-label": options.name, title: options.title ?? null,
      on: { click: options.act }, ...options.more },
    options.icon ? icon(options.icon) : null, ...children,
  );
}

/**
 * @template {string} Value
 * @typedef {{value: Value, text: string, name?: string, title?: string, before?: () => Node}} Choice  `name`: read aloud where the text is shortened
 */

/** The place in a list to which an arrow, Home or End leads; null for other keys. @param {string} key @param {number} place @param {number} count */
function placeAfter(key, place, count) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
  return by === undefined ? null : (place + by + count) % count;
}

/**
 * A choice of a few: a radio group that looks like a switch. Arrows choose, Tab leaves.
 * @template {string} Value
 * @param {object} options
 * @param {string} options.name
 * @param {Choice<Value>[]} options.choices
 * @param {(value: Value) => void} options.choose
 * @param {string} [options.look]
 */
export function segmentedSwitch({ name, choices, choose, look = "" }) {
  const buttons = choices.map((choice) =>
    make(
      "button",
      { type: "button", role: "radio", "aria-checked": "false", tabindex: -1, title: choice.title ?? null,
        "aria-label": choice.name ?? null, "data-value": choice.value, on: { click: () => choose(choice.value) } },
      choice.before?.(), make("span", { class: "clip" }, choice.text),
    ));
  const move = (/** @type {KeyboardEvent} */ event) => {
    const place = placeAfter(event.key, buttons.indexOf(/** @type {any} */ (document.activeElement)), buttons.length);
    if (place === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    buttons[place].focus();
    choose(choices[place].value);
  };
  const root = make("div", { class: `switch ${look}`.trim(), role: "radiogroup", "aria-label": name, on: { keydown: move } }, ...buttons);

  /** @param {string|null} value */
  function show(value) {
    const isListed = choices.some((choice) => choice.value === value);
    buttons.forEach((item, place) => {
      const checked = choices[place].value === value;
      set(item, { "aria-checked": String(checked), tabindex: checked || (!isListed && place === 0) ? 0 : -1 });
    });
  }
  return { root, show };
}

/** "1,200" but not "0,003": groups of three after a first digit that is not 0. */
const THOUSANDS = /^-?[1-9]\d{0,2}([ ,]\d{3})+(\.\d+)?$/;

/** Parses a number as people type it ("3e-4", "0,03", "1 200"), or returns NaN. @param {string} text */
export function readNumber(text) {
  const typed = text.trim().replace(/\u2212/g, "-");
  const plain = THOUSANDS.test(typed) ? typed.replace(/[ ,]/g, "") : typed.replace(",", ".");
  return plain === "" ? Number.NaN : Number(plain);
}

/**
 * A box for one number. A refused text stays in the box with a message below.
 * @param {object} options
 * @param {string} options.name
 * @param {(value: number) => string} options.format
 * @param {(value: number) => string|null} options.refuse  why a number is not allowed, or null
 * @param {(value: any) => void} options.apply  receives a number, or null if switched off
 * @param {boolean} [options.whole]
 * @param {boolean} [options.canBeOff]  an empty box, or the word, means null
 */
export function numberBox({ name, format, refuse, apply, whole = false, canBeOff = false }) {
  const complaint = make("p", { class: "complaint", hidden: true, role: "alert" });
  const box = make("input", {
    class: "input number", type: "text", inputmode: whole ? "numeric" : "decimal", autocomplete: "off", spellcheck: "false",
    "aria-label": name, placeholder: canBeOff ? "off" : null,
    on: { change: () => commit(), keydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && restore() },
  });
  /** @type {number|null} */
  let present = Number.NaN;
  const written = () => (present === null ? "" : format(present));
  const isOff = () => canBeOff && /^(off)?$/i.test(box.value.trim());

  /** @param {string|null} why */
  function complain(why) {
    complaint.hidden = why === null;
    write(complaint, why ?? "");
    set(box, { "aria-invalid": why === null ? null : "true" });
  }
  function commit() {
    const value = isOff() ? null : readNumber(box.value);
    const why = value === null ? null : Number.isFinite(value) ? refuse(value) : "This is not a number.";
    complain(why);
    if (why !== null) return;
    if (value === present) box.value = written();
    else apply(value);
  }
  function restore() {
    complain(null);
    box.value = written();
  }
  /** @param {number|null} value */
  function show(value) {
    if (value === present) return;
    present = value;
    if (document.activeElement !== box || !complaint.hidden) complain(null);
    box.value = written();
  }
  /** Shows a value while a slider is dragged, without applying it. @param {number} value */
  const preview = (value) => void (box.value = format(value));
  return { box, complaint, show, preview, complain };
}

/**
 * The server's message about one field of a refused recipe.
 * @param {import("../state/types.js").Problem|null} problem
 * @param {...string} pointers
 */
export function complaintAt(problem, ...pointers) {
  const error = problem?.errors?.find(({ pointer }) => pointers.includes(pointer));
  return error ? error.detail ?? error.message ?? problem?.title ?? null : null;
}

/**
 * @param {string} text
 * @param {Node} control
 */
export const field = (text, control) => make("label", { class: "field" }, make("span", {}, text), control);

/** @typedef {{value: string, text: string, group?: string, disabled?: boolean}} Option */

/** @param {Option[]} choices */
function grouped(choices) {
  const option = (/** @type {Option} */ { value, text, disabled = false }) => make("option", { value, disabled }, text);
  const groups = [...new Set(choices.map(({ group }) => group))];
  return groups.flatMap((group) => {
    const options = choices.filter((choice) => choice.group === group).map(option);
    return group === undefined ? options : [make("optgroup", { label: group }, ...options)];
  });
}

/**
 * @param {object} options
 * @param {string} options.name
 * @param {(value: string) => void} options.choose
 */
export function selectBox({ name, choose }) {
  const root = make("select", { class: "input", "aria-label": name, on: { change: () => choose(root.value) } });
  let last = "";
  /** @type {Option[]} */
  let present = [];
  confirmChoices(root, () => present);
  /**
   * Shows choices; those with a `group` stand below its name, in the order of first appearance.
   * @param {Option[]} choices
   * @param {string} value
   */
  function show(choices, value) {
    const signature = JSON.stringify(choices);
    if (signature !== last) root.replaceChildren(...grouped(choices));
    last = signature;
    present = choices;
    root.value = value;
  }
  return { root, show };
}
