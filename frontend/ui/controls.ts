/**
 * Small controls of every part of the page: button, segmented switch, select, labelled field.
 * Owns: their markup, keys and ARIA.
 */

import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { icon } from "./icons.ts";
import * as texts from "../words/english.ts";
import type { Problem } from "../core/types.ts";

/** `name`: read aloud where the text is shortened */
type Choice<Value extends string> = {
  value: Value;
  text: string;
  name?: string;
  title?: string;
  before?: unknown;
};
type Switch<Value extends string> = {
  name: string;
  choices: Choice<Value>[];
  choose: (value: Value) => void;
  look?: string;
  disabled?: boolean;
  isMany?: boolean; // little room for each
  helpId?: string; // of the line that describes it
  title?: unknown;
};

/** The place in a list to which an arrow, Home or End leads; null for other keys. */
function placeAfter(key: string, place: number, count: number) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
  return by === undefined ? null : (place + by + count) % count;
}

/** A choice of a few: a radio group that looks like a switch. Arrows choose, Tab leaves. */
export function switchOf<Value extends string>(
  value: string | null,
  { name, choices, choose, look = "", disabled, isMany, helpId, title }: Switch<Value>,
) {
  const isListed = choices.some((choice) => choice.value === value);
  const move = (event: KeyboardEvent) => {
    const buttons = [...(event.currentTarget as Element).children] as HTMLElement[];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const place = placeAfter(event.key, at, buttons.length);
    if (place === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    buttons[place].focus();
    choose(choices[place].value);
  };
  const buttons = choices.map((choice, place) => {
    const checked = choice.value === value;
    return html`<button type="button" role="radio" aria-checked=${checked} ?disabled=${disabled}
      tabindex=${checked || (!isListed && place === 0) ? 0 : -1}
      title=${choice.title ?? nothing} aria-label=${choice.name ?? nothing}
      data-value=${choice.value} @click=${() => choose(choice.value)}
      >${choice.before ?? nothing}<span class="clip">${choice.text}</span></button>`;
  });
  return html`<div class="switch ${look}" role="radiogroup" aria-label=${name} @keydown=${move}
    ?data-many=${isMany} aria-describedby=${helpId ?? nothing} title=${title ?? nothing}
    >${buttons}</div>`;
}

/** "1,200" but not "0,003": groups of three after a first digit that is not 0. */
const THOUSANDS = /^-?[1-9]\d{0,2}([ ,]\d{3})+(\.\d+)?$/;

/** Parses a number as people type it ("3e-4", "0,03", "1 200"), or returns NaN. */
export function readNumber(text: string) {
  const typed = text.trim().replace(/\u2212/g, "-");
  const plain = THOUSANDS.test(typed) ? typed.replace(/[ ,]/g, "") : typed.replace(",", ".");
  return plain === "" ? Number.NaN : Number(plain);
}

/** The server's message about one field of a refused recipe. */
export function complaintAt(problem: Problem | null, ...pointers: string[]) {
  const error = problem?.errors?.find(({ pointer }) => pointers.includes(pointer));
  return error ? (error.detail ?? error.message ?? problem?.title ?? null) : null;
}

export type Option = { value: string; text: string; group?: string; disabled?: boolean };

/** A select; options with a `group` stand below its name, in the order of first appearance. */
export function selectOf(
  value: string,
  {
    name,
    options,
    choose,
    helpId,
    title,
  }: {
    name: string;
    options: Option[];
    choose: (value: string) => void;
    helpId?: string;
    title?: unknown;
  },
) {
  const row = (option: Option) =>
    html`<option value=${option.value} ?disabled=${option.disabled}
      .selected=${live(option.value === value)}>${option.text}</option>`;
  const groups = [...new Set(options.map(({ group }) => group))].map((group) => {
    const rows = options.filter((option) => option.group === group).map(row);
    return group === undefined ? rows : html`<optgroup label=${group}>${rows}</optgroup>`;
  });
  return html`<select class="input" aria-label=${name}
    aria-describedby=${helpId ?? nothing} title=${title ?? nothing}
    @change=${({ target }: Event) => choose((target as HTMLSelectElement).value)}>${groups}</select>`;
}

/** Stands in place of play for visitors. */
export const watchingSign = () =>
  html`<button type="button" class="button watching" title=${texts.onlyTheOwnerCanChangeIt} disabled
    >${icon("lock")}${texts.watching}</button>`;

/**
 * After a choice to watch: Space plays it, instead of opening the list again. Also where the focus
 * would be lost.
 */
export function focusPlay() {
  const find = (selector: string) => document.querySelector<HTMLElement>(selector);
  // visitors have no play
  (find("transport-bar .play:enabled") ?? find("transport-bar"))?.focus();
}
