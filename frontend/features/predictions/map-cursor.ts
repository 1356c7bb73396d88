/**
 * The cursor of one decision map: a place under a pointer, or a cell that keys select, marked and
 * spoken.
 * Owns: its elements, keys, pointer, and how long it stays. The caller reads the value at a place.
 */

import { draw, make, set } from "../../ui/dom.ts";
import { cursorOf } from "./map-drawing.ts";
import { cellAt, isMove, moved } from "../../core/decision-map.ts";
import type { At } from "../../core/decision-map.ts";

/** Makes a map focusable. Dispatches `spoken` after key moves, as charts do. */
export function mapCursor(
  picture: HTMLElement,
  {
    name,
    side,
    read,
  }: {
    name: string; // unique on the page
    side: () => number; // cells a side; 0 while there is no map
    read: (at: At | null) => string | null; // shows the value at a place, or clears it
  },
) {
  const mark = draw("path", { class: "cursor" });
  const hint = make(
    "span",
    { class: "unseen", id: `${name}-map-hint`, hidden: true },
    "Arrow keys move the cursor. Home, End, Page Up and Page Down jump to the edges. Escape leaves the map.",
  );
  let at: At | null = null;
  let isMarked = false;

  function show() {
    const cell = at && isMarked && side() ? cellAt(side(), at) : null;
    set(mark, { d: cell ? cursorOf(side(), cell) : "" });
    set(picture, { "data-cursor": cell ? cell.join(" ") : null });
    return read(at);
  }

  function go(place: At | null, byKey = false) {
    [at, isMarked] = [place, byKey];
    return show();
  }

  function hear(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !side()) return;
    const leaves = event.key === "Escape" && at !== null;
    if (!leaves && !isMove(event.key)) return;
    event.preventDefault();
    const words = leaves ? go(null) : go(moved(side(), at, event.key), true);
    if (words)
      picture.dispatchEvent(new CustomEvent("spoken", { bubbles: true, detail: `${words}.` }));
  }

  function point({ clientX, clientY }: PointerEvent) {
    const { left, bottom, width, height } = picture.getBoundingClientRect();
    go([(clientX - left) / width, (bottom - clientY) / height]);
  }

  const leave = () => void (at && go(null));
  set(picture, {
    // role application: a screen reader passes the arrow keys on; name and value are announced
    tabindex: 0,
    role: "application",
    "aria-roledescription": "map",
    "aria-describedby": hint.id,
    on: { keydown: hear, blur: leave, pointermove: point, pointerleave: leave },
  });
  return {
    mark,
    hint,
    /** Follows a redraw of the map. */
    follow() {
      if (at) show();
    },
  };
}
