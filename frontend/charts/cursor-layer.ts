/**
 * The cursor of a chart: a line on the canvas with the values beside it. Keys or a pointer move it;
 * it is spoken when keys moved it.
 * Owns: its elements, line, keys, pointer, and how long it stays. cursor.ts chooses bin and words.
 */

import { binsOf, isMove, moved, pointedAt, readoutAt } from "./cursor.ts";
import { part } from "./elements.ts";
import { shape } from "./overlay.ts";
import { magnification } from "./screen.ts";
import * as texts from "../words/english.ts";
import type { Readable, Readout } from "./cursor.ts";
import type { Scene } from "./scene.ts";

/** Beyond this share of a panel the values stand left of the line. */
const TURNS = 0.55;

function drawn({ name, panels }: Readout) {
  return panels.map(({ left, panel, rows }) => {
    const lines = rows.map(({ lane, run, values }) => {
      const line = part("span", "row", shape(lane), values.join(", "));
      Object.assign(line.dataset, { lane, run });
      return line;
    });
    const values = part("span", "read", part("b", "", name), ...lines);
    const where =
      left - panel.left > TURNS * panel.width
        ? { right: `calc(100% - ${(left - 7).toFixed(1)}px)` }
        : { left: `${(left + 7).toFixed(1)}px` };
    Object.assign(values.style, where, { top: `${panel.top + 4}px` });
    return values;
  });
}

/**
 * Makes a chart focusable. Dispatches `spoken` with the words to read aloud; the page speaks them.
 * @param name unique on the page
 * @param repaint called when the line has moved
 */
export function createCursorLayer(host: HTMLElement, name: string, repaint: () => void) {
  const layer = part("div", "chart-cursor");
  layer.setAttribute("aria-hidden", "true");
  const hint = part("span", "unseen", texts.arrowKeysMoveTheCursorHome);
  Object.assign(hint, { id: `${name}-cursor-hint`, hidden: true });
  let at: number | null = null;
  let lines: Readout["panels"] = [];
  let ink = "";
  let present: { readable: Readable; scene: Scene } | null = null;

  host.tabIndex = 0;
  // role application: a screen reader passes the arrow keys on. Content is hidden from it; name and
  // values are announced
  for (const [key, value] of [
    ["role", "application"],
    ["aria-roledescription", texts.chart],
    ["aria-describedby", hint.id],
  ])
    host.setAttribute(key, value);

  function show() {
    const readout = present && at !== null ? readoutAt(present.readable, present.scene, at) : null;
    layer.replaceChildren(...(readout ? drawn(readout) : []));
    if (readout) host.dataset.cursor = String(readout.at);
    else delete host.dataset.cursor;
    lines = readout?.panels ?? [];
    // with forced colours, the system's own
    ink = getComputedStyle(host).color;
    repaint();
    return readout;
  }

  function leave() {
    if (at === null) return;
    at = null;
    show();
  }

  function hear(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !present) return;
    if (event.key === "Escape" && at !== null) {
      event.preventDefault();
      return leave();
    }
    if (!isMove(event.key)) return;
    event.preventDefault();
    at = moved(binsOf(present.readable, present.scene), at, event.key);
    const readout = show();
    if (readout)
      host.dispatchEvent(new CustomEvent("spoken", { bubbles: true, detail: readout.spoken }));
  }

  /** While a button is pressed the person zooms, and values would be in the way. */
  function point(event: PointerEvent) {
    if (!present) return;
    const { left, top } = host.getBoundingClientRect();
    const scale = magnification(host);
    at =
      event.buttons && event.pointerType === "mouse"
        ? null
        : pointedAt(
            present.readable,
            (event.clientX - left) / scale,
            (event.clientY - top) / scale,
          );
    show();
  }

  /** Lifting a finger keeps the cursor; pressing elsewhere removes it. */
  const depart = (event: PointerEvent) => void (event.pointerType === "touch" || leave());
  const elsewhere = (event: PointerEvent) =>
    void (at === null || host.contains(event.target as Node) || leave());

  const listeners = [
    ["keydown", hear],
    ["blur", leave],
    ["pointermove", point],
    ["pointerdown", point],
    ["pointerleave", depart],
  ] as [string, (event: any) => void][];
  for (const [kind, listener] of listeners) host.addEventListener(kind, listener);
  document.addEventListener("pointerdown", elsewhere);
  return {
    elements: [layer, hint],
    leave,
    paint(context: CanvasRenderingContext2D) {
      context.fillStyle = ink;
      // on whole px, else two pale columns
      for (const { left, panel } of lines)
        context.fillRect(Math.round(left - 0.5), panel.top, 1, panel.height);
    },
    /** Follows a new draw of the chart. */
    follow(readable: Readable, scene: Scene) {
      present = { readable, scene };
      if (at !== null) show();
    },
    stop() {
      for (const [kind, listener] of listeners) host.removeEventListener(kind, listener);
      document.removeEventListener("pointerdown", elsewhere);
    },
  };
}
