/**
 * A list to choose from. Arrows and typing only move; Enter, Space or a press chooses.
 * Owns: its keys and ARIA.
 */

import { html, nothing } from "lit";
import { inGroups, openPopover } from "./popover.ts";

type Item = {
  value: string;
  text: string;
  group?: string;
  disabled?: boolean;
  line?: string;
  figure?: unknown; // what stands before the text
};

/** Letters typed within this time belong to one word. */
const WORD_MS = 700;

/** The place to which a key leads. */
function placeAfter(key: string, place: number, count: number) {
  const to = {
    ArrowDown: place + 1,
    ArrowUp: place - 1,
    PageDown: place + 8,
    PageUp: place - 8,
    Home: 0,
    End: count - 1,
  }[key];
  return to === undefined ? null : Math.min(count - 1, Math.max(0, to));
}

/** Typing moves to the next entry that begins so; one repeated letter moves through all of them. */
function createTyping() {
  let typed = "";
  let last = -Infinity;
  return ({ key, timeStamp }: KeyboardEvent, texts: string[], place: number) => {
    typed =
      timeStamp - last < WORD_MS && typed !== key.toLowerCase()
        ? typed + key.toLowerCase()
        : key.toLowerCase();
    last = timeStamp;
    const from = typed.length === 1 ? place + 1 : place;
    const order = texts.map((_, k) => (from + k) % texts.length);
    return order.find((k) => texts[k].toLowerCase().startsWith(typed)) ?? null;
  };
}

const isLetter = ({ key, ctrlKey, metaKey, altKey }: KeyboardEvent) =>
  key.length === 1 && key !== " " && !ctrlKey && !metaKey && !altKey;

/** @returns close */
export function openListbox({
  anchor,
  name,
  items,
  value,
  choose,
  closed,
  look = "",
  typed,
}: {
  anchor: () => Element | null;
  name: string;
  items: Item[]; // those with a `group` stand below its name
  value: string;
  choose: (value: string) => void;
  closed?: () => void;
  look?: string;
  typed?: KeyboardEvent; // the key that opened it: a letter begins a word, Home and End move there
}): () => void {
  const option = (item: Item) => html`<button type="button" role="option" tabindex="-1"
    aria-selected=${item.value === value} ?disabled=${item.disabled}
    @click=${() => (close(), choose(item.value))}>${item.figure ?? nothing}<span class="said"
    ><span class="text">${item.text}</span>${
      item.line ? html`<span class="line">${item.line}</span>` : nothing
    }</span></button>`;
  const content = () => inGroups(items, option);
  const { panel, close } = openPopover({ anchor, name, role: "listbox", content, closed, look });
  const enabled = [...panel.querySelectorAll("button:enabled")] as HTMLElement[];
  const texts = enabled.map((each) => each.querySelector(".text")?.textContent ?? "");
  const typing = createTyping();
  const move = (event: KeyboardEvent) => {
    const place = enabled.indexOf(document.activeElement as HTMLElement);
    const to = isLetter(event)
      ? typing(event, texts, place)
      : placeAfter(event.key, place, enabled.length);
    if (to !== null) enabled[to].focus();
    return to !== null;
  };
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Tab") close();
    else if (move(event)) event.preventDefault();
  });
  const chosen = panel.querySelector("[aria-selected=true]") as HTMLElement | null;
  (chosen ?? enabled[0])?.focus();
  if (typed && (isLetter(typed) || typed.key === "Home" || typed.key === "End")) move(typed);
  return close;
}

const OPENING = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "Enter", " ", "F4"];

const itemsOf = (select: HTMLSelectElement) =>
  [...select.options].map(({ value, text, disabled, parentElement }) => ({
    value,
    text,
    disabled,
    group: parentElement instanceof HTMLOptGroupElement ? parentElement.label : undefined,
  }));

/**
 * Replaces the own list of every select, where each arrow key would choose at once and could
 * restart everything. Touch devices keep their picker, which asks before it chooses.
 */
export function confirmChoices() {
  let opened: HTMLSelectElement | null = null;
  let close = () => {};
  let isFinger = false;
  let wasOpen = false;
  function open(select: HTMLSelectElement, typed?: KeyboardEvent) {
    close = openListbox({
      anchor: () => select,
      name: select.getAttribute("aria-label") ?? "",
      items: itemsOf(select),
      value: select.value,
      typed,
      closed: () => void (opened = null),
      choose(value) {
        if (value === select.value) return;
        select.value = value;
        select.dispatchEvent(new Event("change", { bubbles: true }));
      },
    });
    opened = select;
  }
  const listen = <Type extends keyof DocumentEventMap>(
    type: Type,
    act: (select: HTMLSelectElement, event: DocumentEventMap[Type]) => void,
  ) =>
    document.addEventListener(
      type,
      (event) => event.target instanceof HTMLSelectElement && act(event.target, event),
      true, // before the keys of the page
    );
  listen("pointerdown", (_, { pointerType }) => void (isFinger = pointerType === "touch"));
  listen("mousedown", (select, event) => {
    if (isFinger || event.button !== 0) return;
    event.preventDefault();
    wasOpen = opened === select;
  });
  // not sooner: releasing the button would close a panel opened on press
  listen("click", (select) => {
    if (isFinger) return;
    if (wasOpen || opened === select) close();
    else open(select);
  });
  listen("keydown", (select, event) => {
    if (!OPENING.includes(event.key) && !isLetter(event)) return;
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open(select, event);
  });
}
