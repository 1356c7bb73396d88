/**
 * On narrow pages the recipe is a sheet that holds focus while open and returns it.
 * Owns: opening and closing. recipe-rail.ts has the content.
 */

import { ModalDialog } from "../../ui/dialog.ts";
import { make, set } from "../../ui/dom.ts";
import type { App } from "../../core/types.ts";

const narrow = matchMedia("(max-width: 1380px)");

export function keepSheet(app: App, rail: HTMLElement) {
  const page = rail.closest(".app") as Element;
  const scrim = make("div", { class: "scrim", hidden: true });
  scrim.addEventListener("click", () => app.setView({ sheet: null }));
  rail.before(scrim);
  let from: HTMLElement | null = null;

  /** Everything beside the rail, on its level and above. */
  function rest(inert: boolean) {
    for (let at = rail; at !== document.body && at.parentElement; at = at.parentElement) {
      for (const other of at.parentElement.children) {
        if (
          other !== at &&
          other !== scrim &&
          !(other instanceof ModalDialog) &&
          other.localName !== "notice-toast" &&
          other.localName !== "script"
        )
          set(other, { inert });
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
    if (open) from = document.activeElement as HTMLElement | null;
    rest(open);
    if (open) (rail.querySelector(".grab button") as HTMLElement | null)?.focus();
    else from?.focus();
  }
  document.addEventListener("keydown", (event) => {
    if (
      event.defaultPrevented ||
      !rail.classList.contains("open") ||
      document.querySelector("dialog[open]") ||
      rail.querySelector("[popover]")
    )
      return;
    if (event.key === "Escape") app.setView({ sheet: null });
    if (event.key === "Tab") keepInside(rail, event);
  });
  app.store.watch((state) => state.view.sheet, show);
  narrow.addEventListener("change", show);
  show();
}

/** Tab from the last control leads to the first, and back. */
function keepInside(rail: HTMLElement, event: KeyboardEvent) {
  const stops = [...rail.querySelectorAll("button, input, select, summary")].filter(
    (stop) => stop.checkVisibility() && !stop.matches(":disabled, [tabindex='-1']"),
  );
  const [first, last] = [stops[0], stops.at(-1) as Element];
  const isLeaving =
    document.activeElement === (event.shiftKey ? first : last) ||
    !rail.contains(document.activeElement);
  if (!isLeaving) return;
  event.preventDefault();
  ((event.shiftKey ? last : first) as HTMLElement).focus();
}

/** Opens the sheet, or focuses the rail where there is none. */
export function goToRecipe(app: App, rail: HTMLElement) {
  if (narrow.matches)
    app.setView({ sheet: app.store.get().view.sheet === "recipe" ? null : "recipe" });
  else (rail.querySelector(".recipe-line, .back") as HTMLElement | null)?.focus();
}
