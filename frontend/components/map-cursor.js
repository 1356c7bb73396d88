/**
 * The cursor of one decision map: a place under a pointer, or a cell that keys select, marked and spoken.
 * Owns: its elements, keys, pointer, and how long it stays. The caller reads the value at a place.
 */

import { draw, make, set } from "./dom.js";
import { cursorOf } from "../charts/map-drawing.js";
import { cellAt, isMove, moved } from "../state/decision-map.js";

/** @typedef {import("../state/decision-map.js").At} At */

/**
 * Makes a map focusable. Dispatches `spoken` after key moves, as charts do.
 * @param {HTMLElement} picture
 * @param {object} options
 * @param {string} options.name  unique on the page
 * @param {() => number} options.side  cells a side; 0 while there is no map
 * @param {(at: At|null) => string|null} options.read  shows the value at a place, or clears it
 */
export function mapCursor(picture, { name, side, read }) {
  const mark = draw("path", { class: "cursor" });
  const hint = make("span", { class: "unseen", id: `${name}-map-hint`, hidden: true },
    "Arrow keys move the cursor. Home, End, Page Up and Page Down jump to the edges. Escape leaves the map.");
  /** @type {At|null} */
  let at = null;
  let isMarked = false;

  function show() {
    const cell = at && isMarked && side() ? cellAt(side(), at) : null;
    set(mark, { d: cell ? cursorOf(side(), cell) : "" });
    set(picture, { "data-cursor": cell ? cell.join(" ") : null });
    return read(at);
  }

  /** @param {At|null} place @param {boolean} [byKey] */
  function go(place, byKey = false) {
    [at, isMarked] = [place, byKey];
    return show();
  }

  /** @param {KeyboardEvent} event */
  function hear(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !side()) return;
    const leaves = event.key === "Escape" && at !== null;
    if (!leaves && !isMove(event.key)) return;
    event.preventDefault();
    const words = leaves ? go(null) : go(moved(side(), at, event.key), true);
    if (words) picture.dispatchEvent(new CustomEvent("spoken", { bubbles: true, detail: `${words}.` }));
  }

  /** @param {PointerEvent} event */
  function point({ clientX, clientY }) {
    const { left, bottom, width, height } = picture.getBoundingClientRect();
    go([(clientX - left) / width, (bottom - clientY) / height]);
  }

  const leave = () => void (at && go(null));
  set(picture, {
    // role application: a screen reader passes the arrow keys on; name and value are announced
    tabindex: 0, role: "application", "aria-roledescription": "map", "aria-describedby": hint.id,
    on: { keydown: hear, blur: leave, pointermove: point, pointerleave: leave },
  });
  return {
    mark, hint,
    /** Follows a redraw of the map. */
    follow() {
      if (at) show();
    },
  };
}
