/**
 * The cursor of one decision map as a person has it: a place under a pointer, or a cell that keys lead to, marked and spoken then.
 * Owns: its elements, its keys, its pointer, and how long it stays. What is read at a place is told by who made it.
 */

import { draw, make, set } from "./dom.js";
import { cursorOf } from "../charts/map-drawing.js";
import { cellAt, isMove, moved } from "../state/decision-map.js";

/** @typedef {import("../state/decision-map.js").At} At */

/**
 * Makes a map focusable. It says what keys led to in an event, `spoken`, as charts do.
 * @param {HTMLElement} picture
 * @param {object} given
 * @param {string} given.name                   unique on the page
 * @param {() => number} given.side             cells of a side; 0 while there is no map
 * @param {(at: At|null) => string|null} given.read  tells what is read there, and that nothing is
 */
export function mapCursor(picture, { name, side, read }) {
  const mark = draw("path", { class: "cursor" });
  const hint = make("span", { class: "unseen", id: `${name}-map-hint`, hidden: true },
    "Arrow keys move a cursor over the map, Home, End, Page up and Page down jump to its edges, Escape leaves it.");
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
    // a screen reader leaves the arrows to an application; the name and what is read are said
    tabindex: 0, role: "application", "aria-roledescription": "map", "aria-describedby": hint.id,
    on: { keydown: hear, blur: leave, pointermove: point, pointerleave: leave },
  });
  return {
    mark, hint,
    /** The map was drawn anew. */
    follow() {
      if (at) show();
    },
  };
}
