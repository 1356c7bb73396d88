/**
 * Small panels over the page. They close on Esc, on a press elsewhere or when focus leaves, and return focus.
 * Owns: opening, placing, closing.
 */

import { make } from "./dom.js";

/** @param {HTMLElement} panel @param {Element} anchor */
function place(panel, anchor) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = box.bottom + 6;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - height - 6) : below;
  const left = Math.min(Math.max(8, box.left), innerWidth - width - 8);
  panel.style.setProperty("left", `${left}px`);
  panel.style.setProperty("top", `${top}px`);
}

/**
 * @param {object} options
 * @param {() => Element|null} options.anchor  a function, called again on closing: the page may have redrawn it
 * @param {string} options.name
 * @param {"dialog"|"menu"|"listbox"} options.role
 * @param {Node[]} options.content
 * @param {() => void} [options.closed]
 * @param {string} [options.look]  more classes
 * @returns {() => void}  close
 */
export function openPopover({ anchor, name, role, content, closed, look = "" }) {
  const kind = role === "dialog" ? "" : role;
  const panel = make("div", { class: ["popover", kind, look].filter(Boolean).join(" "), popover: "auto", role, "aria-label": name }, ...content);
  let from = anchor();
  // inside an open dialog only its descendants can be reached; a panel over another closes with it
  (from?.closest("dialog, [popover], .rail, top-bar") ?? document.body).append(panel);
  if (role === "listbox" && from) panel.style.setProperty("min-width", `${from.getBoundingClientRect().width}px`);
  // a panel without focus must not keep taking keys
  const leave = (/** @type {FocusEvent} */ event) => void (panel.contains(/** @type {Node} */ (event.target)) || close());
  // The browser reports a closed panel some tasks later; closing it by hand or Esc removes it at once.
  const close = () => {
    if (!panel.isConnected) return;
    document.removeEventListener("focusin", leave);
    const inside = panel.contains(document.activeElement) || document.activeElement === document.body;
    panel.remove();
    closed?.();
    from = anchor();
    if (inside && from instanceof HTMLElement) from.focus();
  };
  document.addEventListener("focusin", leave);
  panel.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "closed") close();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    close();
  });
  panel.showPopover();
  if (from) place(panel, from);
  /** @type {HTMLElement|null} */ (panel.querySelector("[autofocus], button:not(:disabled), input, select"))?.focus();
  return close;
}

/**
 * @typedef {{text: string, act: () => void, disabled?: boolean, chosen?: boolean}} MenuItem  `chosen` if it is one of several
 * @param {() => Element|null} anchor
 * @param {string} name
 * @param {MenuItem[]} items
 */
export function openMenu(anchor, name, items) {
  const buttons = items.map((item) =>
    make("button", { type: "button", role: item.chosen === undefined ? "menuitem" : "menuitemradio", "aria-checked": item.chosen === undefined ? null : String(item.chosen), tabindex: -1, disabled: item.disabled ?? false, on: { click: () => { close(); item.act(); } } }, item.text));
  const enabled = buttons.filter((item) => !item.disabled);
  const close = openPopover({ anchor, name, role: "menu", content: buttons });
  buttons[0].parentElement?.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Tab") close();
    if (by === undefined) return;
    event.preventDefault();
    const at = enabled.indexOf(/** @type {any} */ (document.activeElement));
    enabled[(at + by + enabled.length) % enabled.length].focus();
  });
}
