/**
 * A list to choose from. Arrows and typing only move; Enter, Space or a press chooses.
 * Owns: its keys and ARIA.
 */

import { make } from "./dom.ts";
import { openPopover } from "./popover.ts";

type Item = {
  value: string;
  text: string;
  group?: string;
  disabled?: boolean;
  line?: string;
  figure?: Node;
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
  const options = items.map((item) =>
    make(
      "button",
      {
        type: "button",
        role: "option",
        tabindex: -1,
        "aria-selected": String(item.value === value),
        disabled: item.disabled ?? false,
        on: {
          click: () => {
            close();
            choose(item.value);
          },
        },
      },
      item.figure,
      make(
        "span",
        { class: "said" },
        make("span", { class: "text" }, item.text),
        item.line ? make("span", { class: "line" }, item.line) : null,
      ),
    ),
  );
  const content = [...new Set(items.map(({ group }) => group))].flatMap((group): HTMLElement[] => {
    const within = options.filter((_, k) => items[k].group === group);
    if (group === undefined) return within;
    return [
      make(
        "div",
        { role: "group", "aria-label": group },
        make("div", { class: "group-name", "aria-hidden": "true" }, group),
        ...within,
      ),
    ];
  });
  const close = openPopover({ anchor, name, role: "listbox", content, closed, look });
  const enabled = options.filter((option) => !option.disabled);
  const typing = createTyping();
  const move = (event: KeyboardEvent) => {
    const place = enabled.indexOf(document.activeElement as any);
    const to = isLetter(event)
      ? typing(
          event,
          enabled.map((option) => option.querySelector(".text")?.textContent ?? ""),
          place,
        )
      : placeAfter(event.key, place, enabled.length);
    if (to !== null) enabled[to].focus();
    return to !== null;
  };
  options[0]?.closest("[popover]")?.addEventListener("keydown", (event) => {
    const key = event as KeyboardEvent;
    if (key.key === "Tab") close();
    else if (move(key)) key.preventDefault();
  });
  (
    options.find((option) => option.getAttribute("aria-selected") === "true") ?? enabled[0]
  )?.focus();
  if (typed && (isLetter(typed) || typed.key === "Home" || typed.key === "End")) move(typed);
  return close;
}

const OPENING = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "Enter", " ", "F4"];

/**
 * Replaces a select's own list, where each arrow key would choose at once and could restart
 * everything. Touch devices
 * keep their picker, which asks before it chooses.
 */
export function confirmChoices(select: HTMLSelectElement, items: () => Item[]) {
  let close: (() => void) | null = null;
  let isFinger = false;
  let wasOpen = false;
  function open(typed?: KeyboardEvent) {
    close = openListbox({
      anchor: () => select,
      name: select.getAttribute("aria-label") ?? "",
      items: items(),
      value: select.value,
      typed,
      closed: () => void (close = null),
      choose(value) {
        if (value === select.value) return;
        select.value = value;
        select.dispatchEvent(new Event("change", { bubbles: true }));
      },
    });
  }
  select.addEventListener(
    "pointerdown",
    ({ pointerType }) => void (isFinger = pointerType === "touch"),
  );
  select.addEventListener("mousedown", (event) => {
    if (isFinger || event.button !== 0) return;
    event.preventDefault();
    wasOpen = close !== null;
  });
  // not sooner: releasing the button would close a panel opened on press
  select.addEventListener("click", () => {
    if (isFinger) return;
    if (wasOpen || close) close?.();
    else open();
  });
  select.addEventListener("keydown", (event) => {
    if (!OPENING.includes(event.key) && !isLetter(event)) return;
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open(event);
  });
}
