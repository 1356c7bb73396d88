/**
 * Listens to keys for the whole page, except keys that a control or dialog needs.
 * Owns: when a key is the page's. keys.ts says what it does.
 */

import { isLocked } from "../core/selectors.ts";
import { controlCutOff } from "./kept-focus.ts";
import { KEYS } from "./keys.ts";
import type { App, State } from "../core/types.ts";
import type { Page } from "./keys.ts";

const TYPING = "input:not([type=range]), select, textarea, [contenteditable]";
/**
 * Open layers, wherever the focus is: pressing words in a panel focuses nothing, and neither does a
 * button in Safari. A panel that the browser has closed takes no keys, though its element stays for
 * some tasks. The card of a word under the pointer takes none.
 */
const OVER_THE_PAGE = "dialog[open], :popover-open:not(.word:not([data-pinned]))";
/**
 * Keys that change the experiment. While the page first connects they wait; after a lost connection
 * they are dropped.
 */
const CHANGING = new Set([" ", "arrowright", "r", "g", "o", "d", "[", "]"]);
/** Controls that use Space or arrows themselves; a disabled one and a chosen radio do not. */
const PRESSED_BY_SPACE =
  ":is(button, a, summary, [role=radio], [role=tab], [role=menuitem]):not([aria-disabled=true], [role=radio][aria-checked=true])";
const MOVED_BY_ARROWS =
  "input[type=range], svg.network, [role=radio], [role=tab], [role=menuitem], plotly-chart, plotly-chart *, :is(.decision, stage-map) .map";

/**
 * The parts with fields for numbers: a press beside the fields is meant for one of them. Open panels take all
 * keys anyway.
 */
const SETTINGS = "run-card, .settings, .question, .map-inputs";
const CONTROL = "input, select, textarea, button, a, summary, label, svg.network, [tabindex]";
/** Sliders of a number, and what one types for it. A timeline has none: there `,` and `.` go to events. */
const SLIDER_OF_A_NUMBER = "input[type=range]:not(time-scrubber *)";
const PART_OF_A_NUMBER = /^[-+.,e\d]$/i;

/** The control that a pointer pressed last. Space on it is the page's until the focus moves. */
let clicked: Element | null = null;
/** The pointer pressed last between the fields of settings: the next letters are meant for a field. */
let isBesideAField = false;

function followClicks() {
  document.addEventListener("focusin", ({ target }) => {
    if (target !== clicked) clicked = null;
    isBesideAField = false;
  });
  const press = ({ target }: Event) => {
    const pressed = target as Element;
    isBesideAField = !pressed.closest(CONTROL) && pressed.closest(SETTINGS) !== null;
  };
  document.addEventListener("pointerdown", press, { capture: true });
  document.addEventListener("click", ({ detail, target }) => {
    const isByPointer = detail > 0;
    if (isByPointer) clicked = (target as Element).closest(PRESSED_BY_SPACE);
  });
}

function isHandled(event: KeyboardEvent) {
  const target = event.target as Element;
  if (event.defaultPrevented || event.altKey || event.isComposing) return true;
  if (target.matches?.(TYPING) || document.querySelector(OVER_THE_PAGE)) return true;
  if (target.matches?.(SLIDER_OF_A_NUMBER) && PART_OF_A_NUMBER.test(event.key)) return true;
  if (event.key === " ") return target !== clicked && target.matches(PRESSED_BY_SPACE);
  return event.key.startsWith("Arrow") && target.matches(MOVED_BY_ARROWS);
}

const meaning = (event: KeyboardEvent) =>
  KEYS.find(
    ({ key, shift, ctrl }) =>
      key === event.key.toLowerCase() &&
      Boolean(ctrl) === (event.ctrlKey || event.metaKey) &&
      (!key.startsWith("arrow") || Boolean(shift) === event.shiftKey),
  );

/** The page first connects to an experiment that it may change. */
const isConnecting = ({ connection, experiment }: State) =>
  connection.status === "connecting" && experiment?.token !== null;

export function listenToKeys(app: App, page: Page) {
  followClicks();
  let waiting: (() => void)[] = [];
  app.store.watch(
    (state) => [isLocked(state), state.connection.status],
    () => {
      const state = app.store.get();
      if (isLocked(state) && isConnecting(state)) return;
      const due = isLocked(state) ? [] : waiting;
      waiting = [];
      for (const act of due) act();
    },
  );
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") isBesideAField = false;
    if (isHandled(event)) return;
    const key = meaning(event);
    const state = app.store.get();
    // what one types goes on when the line is cut
    const isMeantForAField = isBesideAField || controlCutOff()?.matches(TYPING);
    const hasSingleKeys = state.view.singleKeys && !isMeantForAField;
    if (!key?.act || key.when?.(state) === false || (!key.always && !hasSingleKeys)) return;
    const isForLater =
      CHANGING.has(key.key) && isLocked(state) && !(state.looking && key.key === "arrowright");
    if (isForLater && !isConnecting(state)) return;
    event.preventDefault();
    if (event.repeat && (key.once || isForLater)) return;
    const act = () => key.act?.(app, page, event.key);
    if (isForLater) waiting.push(act);
    else act();
  });
}
