/**
 * Small panels over the page. They close on Esc, on a press elsewhere or when focus leaves, and
 * return focus.
 * Owns: opening, placing, closing.
 */

import { html, nothing, render } from "lit";
import { make } from "./dom.ts";

function place(panel: HTMLElement, anchor: Element) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = box.bottom + 6;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - height - 6) : below;
  const left = Math.min(Math.max(8, box.left), innerWidth - width - 8);
  panel.style.setProperty("left", `${left}px`);
  panel.style.setProperty("top", `${top}px`);
}

/** @returns close, and `update`, which renders the content again */
export function openPopover({
  anchor,
  name,
  role,
  content,
  closed,
  look = "",
}: {
  anchor: () => Element | null; // a function, called again on closing: the page may have redrawn it
  name: string;
  role: "dialog" | "menu" | "listbox";
  content: () => unknown; // a template
  closed?: () => void;
  look?: string; // more classes
}) {
  const kind = role === "dialog" ? "" : role;
  const panel = make("div", {
    class: ["popover", kind, look].filter(Boolean).join(" "),
    popover: "auto",
    role,
    "aria-label": name,
  });
  let from = anchor();
  // inside an open dialog only its descendants can be reached; a panel over another closes with it.
  // A hidden anchor, as in Present, has hidden neighbours, to which Tab would lead
  const home = from?.checkVisibility()
    ? from.closest("dialog, [popover], .rail, top-bar, main")
    : null;
  (home ?? document.body).append(panel);
  const update = () => void render(content(), panel);
  update();
  if (role === "listbox" && from)
    panel.style.setProperty("min-width", `${from.getBoundingClientRect().width}px`);
  // a panel without focus must not keep taking keys
  const leave = (event: FocusEvent) => void (panel.contains(event.target as Node) || close());
  // The browser reports a closed panel some tasks later; closing it by hand or Esc removes it at
  // once.
  const close = () => {
    if (!panel.isConnected) return;
    document.removeEventListener("focusin", leave);
    const inside =
      panel.contains(document.activeElement) || document.activeElement === document.body;
    panel.remove();
    closed?.();
    from = anchor();
    if (inside && from instanceof HTMLElement) from.focus();
  };
  document.addEventListener("focusin", leave);
  panel.addEventListener("toggle", (event) => {
    if ((event as ToggleEvent).newState === "closed") close();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    close();
  });
  panel.showPopover();
  if (from) place(panel, from);
  (
    panel.querySelector("[autofocus], button:not(:disabled), input, select") as HTMLElement | null
  )?.focus();
  return { panel, close, update };
}

/** `chosen` if it is one of several, `checked` if it is on or off; `line` stands below the text */
type MenuItem = {
  text: string;
  act: () => void;
  disabled?: boolean;
  chosen?: boolean;
  checked?: boolean;
  line?: string;
  group?: string;
};

/** The role of an item, by what it can be. */
function roleOf({ chosen, checked }: MenuItem) {
  if (checked !== undefined) return "menuitemcheckbox";
  return chosen === undefined ? "menuitem" : "menuitemradio";
}

/** Items of a `group` stand below its name, in the order of first appearance. */
export const inGroups = <Item extends { group?: string }>(
  items: Item[],
  row: (item: Item) => unknown,
) =>
  [...new Set(items.map(({ group }) => group))].map((group) => {
    const rows = items.filter((each) => each.group === group).map(row);
    return group === undefined
      ? rows
      : html`<div role="group" aria-label=${group}
          ><div class="group-name" aria-hidden="true">${group}</div>${rows}</div>`;
  });

export function openMenu(anchor: () => Element | null, name: string, items: MenuItem[]) {
  const item = (each: MenuItem) =>
    html`<button type="button" role=${roleOf(each)}
      aria-checked=${each.checked ?? each.chosen ?? nothing} tabindex="-1" ?disabled=${each.disabled}
      @click=${() => (close(), each.act())}
      >${each.line ? html`<span class="said">${each.text}<span class="line">${each.line}</span></span>` : each.text}</button>`;
  const { panel, close } = openPopover({
    anchor,
    name,
    role: "menu",
    content: () => inGroups(items, item),
  });
  panel.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Tab") close();
    if (by === undefined) return;
    event.preventDefault();
    const enabled = [...panel.querySelectorAll("button:enabled")] as HTMLElement[];
    const at = enabled.indexOf(document.activeElement as HTMLElement);
    enabled[(at + by + enabled.length) % enabled.length].focus();
  });
}
