/**
 * On narrow pages the recipe is a sheet that holds focus while open and returns it.
 * Owns: opening and closing. recipe-rail.js has the content.
 */

import { make, set } from "./dom.js";

/** @typedef {import("../state/types.js").App} App */

const narrow = matchMedia("(max-width: 1120px)");

/**
 * @param {App} app
 * @param {HTMLElement} rail
 */
export function keepSheet(app, rail) {
  const page = /** @type {Element} */ (rail.closest(".app"));
  const scrim = make("div", { class: "scrim", hidden: true, on: { click: () => app.setView({ sheet: null }) } });
  rail.before(scrim);
  /** @type {HTMLElement|null} */
  let from = null;

  /** Everything beside the rail, on its level and above. @param {boolean} inert */
  function rest(inert) {
    for (let at = rail; at !== document.body && at.parentElement; at = at.parentElement) {
      for (const other of at.parentElement.children) {
        if (other !== at && other !== scrim && other.localName !== "notice-toast" && other.localName !== "script") set(other, { inert });
      }
    }
  }
  function show() {
    const open = narrow.matches && app.store.get().view.sheet === "recipe";
    if (open === rail.classList.contains("open")) return;
    rail.classList.toggle("open", open);
    scrim.hidden = !open;
    set(page, { "data-sheet": open });
    set(rail, { role: open ? "dialog" : "complementary", "aria-modal": open ? "true" : null });
    if (open) from = /** @type {HTMLElement|null} */ (document.activeElement);
    rest(open);
    if (open) /** @type {HTMLElement|null} */ (rail.querySelector(".grab button:last-child"))?.focus();
    else from?.focus();
  }
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || !rail.classList.contains("open") || document.querySelector("dialog[open]") || rail.querySelector("[popover]")) return;
    if (event.key === "Escape") app.setView({ sheet: null });
    if (event.key === "Tab") keepInside(rail, event);
  });
  app.store.watch((state) => state.view.sheet, show);
  narrow.addEventListener("change", show);
  show();
}

/** Tab from the last control leads to the first, and back. @param {HTMLElement} rail @param {KeyboardEvent} event */
function keepInside(rail, event) {
  const stops = [...rail.querySelectorAll("button, input, select, summary")].filter(
    (stop) => stop.checkVisibility() && !stop.matches(":disabled, [tabindex='-1']"));
  const [first, last] = [stops[0], /** @type {Element} */ (stops.at(-1))];
  const isLeaving = document.activeElement === (event.shiftKey ? first : last) || !rail.contains(document.activeElement);
  if (!isLeaving) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (event.shiftKey ? last : first).focus();
}

/** Opens the sheet, or focuses the rail where there is none. @param {App} app @param {HTMLElement} rail */
export function goToRecipe(app, rail) {
  if (narrow.matches) app.setView({ sheet: app.store.get().view.sheet === "recipe" ? null : "recipe" });
  else /** @type {HTMLElement|null} */ (rail.querySelector("fieldset select"))?.focus();
}
