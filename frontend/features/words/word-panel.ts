/**
 * Opens the card of a word: a pointer that moves onto it and rests for 300 ms, Enter or a press.
 * Esc, a press elsewhere and leaving it close it.
 * Owns: when a card is open. place.ts says where, word-card.ts what it shows.
 */

import { render } from "lit";
import { make } from "../../ui/dom.ts";
import { cardOf, lineOf } from "./present-values.ts";
import { placeOf } from "./place.ts";
import { wordCard } from "./word-card.ts";
import type { App } from "../../core/types.ts";

const WORD = "[data-term]";
/** Controls keep their press; a word inside opens on hover only. */
const CONTROL = "button, a, summary";
/** A card covers none of these. */
const ROW = "table, .figure-head, .knob, .cell, .counter, p";
/** On its way to a card, the pointer may rest on these. */
const NEAR = "tr, .figure-head, .knob, .cell, .counter, p";
const LAYER = "dialog, [popover], .rail, top-bar";

/** How long the pointer rests on a word, and how long it may leave its card, in ms. */
const REST_MS = 300;
const AWAY_MS = 200;

type Open = {
  key: string;
  run: string | undefined;
  panel: HTMLElement;
  word: Element;
  at: DOMRect; // of the word
  isPinned: boolean; // opened by a press or a key: it has the focus, and stays
};

type Rest = { key: string | undefined; run: string | undefined; x: number; y: number };

const wordOf = (target: EventTarget | null) =>
  target instanceof Element ? target.closest<HTMLElement>(WORD) : null;
const runOf = (word: Element) => word.closest<HTMLElement>("[data-run]")?.dataset.run;

const restOn = (word: HTMLElement, { clientX: x, clientY: y }: MouseEvent): Rest => ({
  key: word.dataset.term,
  run: runOf(word),
  x,
  y,
});

const isSame = (word: HTMLElement, { key, run }: Pick<Rest, "key" | "run">) =>
  word.dataset.term === key && runOf(word) === run;

/** The word with this term that is nearest to a place: pictures redraw theirs. */
function nearest(key: string, at: DOMRect) {
  const far = (word: Element) => {
    const { left, top } = word.getBoundingClientRect();
    return Math.hypot(left - at.left, top - at.top);
  };
  return [...document.querySelectorAll(`[data-term="${key}"]`)]
    .filter((word) => word.checkVisibility())
    .sort((a, b) => far(a) - far(b))
    .at(0);
}

export function keepWords(app: App) {
  let open: Open | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The word that the pointer has moved onto, and the pointer's place. */
  let rested: Rest | null = null;
  const isInside = (target: EventTarget | null) =>
    open !== null && target instanceof Node && open.panel.contains(target);
  const isNear = (target: EventTarget | null) =>
    isInside(target) ||
    (target instanceof Node && Boolean(open?.word.closest(NEAR)?.contains(target)));

  function close() {
    if (!open) return;
    const { panel, word, isPinned } = open;
    open = null;
    clearTimeout(timer);
    const hadFocus = panel.contains(document.activeElement);
    panel.remove();
    set(word, false);
    if (isPinned && hadFocus && word instanceof HTMLElement) word.focus();
  }

  function set(word: Element, isOpen: boolean) {
    if (word.matches("[role=button]")) word.setAttribute("aria-expanded", String(isOpen));
  }

  function update() {
    if (!open) return;
    const { panel, key, run } = open;
    const state = app.store.get();
    const card = cardOf(state, key, run);
    if (!card) return close();
    const line = card.line ? lineOf(state, card.line) : null;
    const go = (part: Parameters<App["setView"]>[0]) => () => {
      close();
      app.setView(part);
    };
    render(
      wordCard(card, {
        show: line && go({ networkRun: line.run, line: line.line, inspector: true }),
        all: panel.closest("help-dialog") ? null : go({ dialog: "help", word: key }),
      }),
      panel,
    );
    panel.setAttribute("aria-label", card.name);
    put();
  }

  function put() {
    if (!open) return;
    const { panel, key } = open;
    if (!open.word.isConnected) {
      const again = nearest(key, open.at);
      if (!again) return close();
      open.word = again;
    }
    const { word } = open;
    open.at = word.getBoundingClientRect();
    const { style } = panel;
    style.maxHeight = "";
    const { left, top, most } = placeOf(
      open.at,
      (word.closest(ROW) ?? word).getBoundingClientRect(),
      { width: panel.offsetWidth, height: panel.offsetHeight },
      { width: innerWidth, height: innerHeight },
      word.closest(".rail")?.getBoundingClientRect() ?? null,
    );
    Object.assign(style, { left: `${left}px`, top: `${top}px`, maxHeight: `${most}px` });
  }

  function show(word: HTMLElement, isPinned: boolean) {
    const key = word.dataset.term as string;
    const run = runOf(word);
    // a word inside a card takes its place
    const place = isInside(word) ? (open as Open).word : word;
    close();
    if (!cardOf(app.store.get(), key, run)) return;
    const panel = make("div", { class: "popover word", popover: "manual", role: "dialog" });
    (place.closest(LAYER) ?? document.body).append(panel);
    open = { key, run, panel, word: place, at: place.getBoundingClientRect(), isPinned };
    panel.toggleAttribute("data-pinned", isPinned);
    set(place, true);
    panel.showPopover();
    update();
    if (isPinned) panel.querySelector<HTMLElement>("button, a")?.focus();
  }

  /** Shows the word under the pointer now: the word it came upon may have been drawn anew. */
  function showRested() {
    const word = rested && wordOf(document.elementFromPoint(rested.x, rested.y));
    if (word && rested && isSame(word, rested)) show(word, false);
    else rested = null;
  }

  document.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch" || open?.isPinned) return;
    const word = isInside(event.target) ? null : wordOf(event.target);
    if (!word) return;
    const isNew = !rested || !isSame(word, rested);
    rested = restOn(word, event);
    if (!isNew) return;
    clearTimeout(timer);
    if (!open || !isSame(word, open)) timer = setTimeout(showRested, REST_MS);
  });
  // it fires under a pointer at rest too, where the page moves: it opens nothing
  document.addEventListener("pointerover", ({ target, pointerType }) => {
    if (pointerType === "touch" || open?.isPinned) return;
    const word = isInside(target) ? null : wordOf(target);
    // a picture that plays draws its words anew, under a pointer at rest
    if (word && rested && isSame(word, rested)) return;
    clearTimeout(timer);
    rested = null;
    const isOpen = word !== null && open !== null && isSame(word, open);
    if (open && !isOpen && !isNear(target)) timer = setTimeout(close, AWAY_MS);
  });
  document.addEventListener("click", (event) => {
    const word = wordOf(event.target);
    clearTimeout(timer);
    rested = word && restOn(word, event);
    if (!word || word.closest(CONTROL)) return;
    event.preventDefault(); // of a label around it
    if (open?.isPinned && open.word === word) close();
    else show(word, true);
  });
  document.addEventListener("pointerdown", ({ target }) => {
    const word = wordOf(target);
    if (open && !isInside(target) && word !== open.word) close();
  });
  document.addEventListener("focusin", ({ target }) => {
    if (open?.isPinned && !isInside(target) && target !== open.word) close();
  });
  // before the page, and before what the word stands in
  document.addEventListener(
    "keydown",
    (event) => {
      if (open && event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        return close();
      }
      const word = wordOf(event.target);
      if (word !== event.target || !["Enter", " "].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (word && !event.repeat) show(word, true);
    },
    { capture: true },
  );
  for (const moved of ["scroll", "resize"])
    addEventListener(moved, put, { capture: true, passive: true });
  app.store.watch((state) => state, update);
}
