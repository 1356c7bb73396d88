/**
 * The cursor of a chart: a line with the values beside it, moved by keys or a pointer, and spoken when keys moved it.
 * Owns: its elements, keys, pointer, and how long it stays. cursor.js chooses bin and words.
 */

import { binsOf, isMove, moved, pointedAt, readoutAt } from "./cursor.js";
import { shape } from "./overlay.js";

/** @typedef {import("./cursor.js").Readable} Readable */
/** @typedef {import("./cursor.js").Readout} Readout */
/** @typedef {import("./scene.js").Scene} Scene */

/** Beyond this share of a panel the values stand left of the line. */
const TURNS = 0.55;

/** @param {string} tag @param {string} name @param {...(Node|string)} children */
function part(tag, name, ...children) {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...children);
  return element;
}

/** @param {Readout} readout */
function drawn({ name, panels }) {
  return panels.flatMap(({ left, panel, rows }) => {
    const hair = part("i", "hair");
    hair.style.height = `${panel.height}px`;
    const lines = rows.map(({ lane, run, values }) => {
      const line = part("span", "row", shape(lane), values.join(", "));
      Object.assign(line.dataset, { lane, run });
      return line;
    });
    const values = part("span", "read", part("b", "", name), ...lines);
    const where = left - panel.left > TURNS * panel.width ? { right: `calc(100% - ${(left - 7).toFixed(1)}px)` } : { left: `${(left + 7).toFixed(1)}px` };
    Object.assign(values.style, where, { top: `${panel.top + 4}px` });
    Object.assign(hair.style, { left: `${left.toFixed(1)}px`, top: `${panel.top}px` });
    return [hair, values];
  });
}

/**
 * Makes a chart focusable. Dispatches `spoken` with the words to read aloud; the page speaks them.
 * @param {HTMLElement} host
 * @param {string} name  unique on the page
 */
export function createCursorLayer(host, name) {
  const layer = part("div", "chart-cursor");
  layer.setAttribute("aria-hidden", "true");
  const hint = part("span", "unseen", "Arrow keys move the cursor. Home and End jump. Escape leaves the chart.");
  Object.assign(hint, { id: `${name}-cursor-hint`, hidden: true });
  /** @type {number|null} */
  let at = null;
  /** @type {{readable: Readable, scene: Scene}|null} */
  let present = null;

  host.tabIndex = 0;
  // role application: a screen reader passes the arrow keys on. Content is hidden from it; name and values are
  // announced
  for (const [key, value] of [["role", "application"], ["aria-roledescription", "chart"], ["aria-describedby", hint.id]]) host.setAttribute(key, value);

  function show() {
    const readout = present && at !== null ? readoutAt(present.readable, present.scene, at) : null;
    layer.replaceChildren(...(readout ? drawn(readout) : []));
    if (readout) host.dataset.cursor = String(readout.at);
    else delete host.dataset.cursor;
    return readout;
  }

  function leave() {
    at = null;
    show();
  }

  /** @param {KeyboardEvent} event */
  function hear(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !present) return;
    if (event.key === "Escape" && at !== null) {
      event.preventDefault();
      return leave();
    }
    if (!isMove(event.key)) return;
    event.preventDefault();
    at = moved(binsOf(present.readable, present.scene), at, event.key);
    const readout = show();
    if (readout) host.dispatchEvent(new CustomEvent("spoken", { bubbles: true, detail: readout.spoken }));
  }

  /** While a button is pressed the person zooms, and values would be in the way. @param {PointerEvent} event */
  function point(event) {
    if (!present) return;
    const { left, top } = host.getBoundingClientRect();
    at = event.buttons && event.pointerType === "mouse" ? null : pointedAt(present.readable, event.clientX - left, event.clientY - top);
    show();
  }

  /** Lifting a finger keeps the cursor; pressing elsewhere removes it. @param {PointerEvent} event */
  const depart = (event) => void (event.pointerType === "touch" || leave());
  /** @param {PointerEvent} event */
  const elsewhere = (event) => void (at === null || host.contains(/** @type {Node} */ (event.target)) || leave());

  const listeners = /** @type {[string, (event: any) => void][]} */ ([
    ["keydown", hear], ["blur", leave], ["pointermove", point], ["pointerdown", point], ["pointerleave", depart],
  ]);
  for (const [kind, listener] of listeners) host.addEventListener(kind, listener);
  document.addEventListener("pointerdown", elsewhere);
  return {
    elements: [layer, hint],
    leave,
    /** Follows a new draw of the chart. @param {Readable} readable @param {Scene} scene */
    follow(readable, scene) {
      present = { readable, scene };
      if (at !== null) show();
    },
    stop() {
      for (const [kind, listener] of listeners) host.removeEventListener(kind, listener);
      document.removeEventListener("pointerdown", elsewhere);
    },
  };
}
