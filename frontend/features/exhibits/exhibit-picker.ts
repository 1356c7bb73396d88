/**
 * The name of the open exhibit, and the list of exhibits.
 * Owns: button and list.
 */

import { button, focusPlay } from "../../ui/controls.ts";
import { draw, make, set, write } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";
import { openListbox } from "../../ui/listbox.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { OWN, exhibitOf, exhibitParts, exhibitsOf, linesOf, titleOf } from "./exhibits.ts";
import { LANES } from "../../core/experiment-answer.ts";
import { isLocked } from "../../core/selectors.ts";

const capitalized = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

const WIDTH = 60;
const HEIGHT = 30;

/** Small curves of the runs' losses in the runs' colours. */
const thumbnail = (curves: Record<string, (number | null)[]> = {}) =>
  draw(
    "svg",
    { viewBox: `-1 -1 ${WIDTH + 2} ${HEIGHT + 2}`, "aria-hidden": "true", class: "thumbnail" },
    ...linesOf(Object.values(curves), WIDTH, HEIGHT).map((points, place) =>
      draw("polyline", { points, "data-lane": LANES[place % LANES.length] }),
    ),
  );

export class ExhibitPicker extends LiveElement {
  #close: (() => void) | null = null;

  override start() {
    const kind = make("span", { class: "muted" }, "Exhibit");
    const name = make("span", { class: "name" });
    const open = button(
      {
        look: "quiet",
        more: { "aria-haspopup": "listbox", "aria-expanded": "false" },
        act: () => this.#toggle(open),
      },
      kind,
      name,
      icon("chevron"),
    );
    open.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      this.#toggle(open);
    });
    this.replaceChildren(open);
    this.follow(exhibitParts, (_, state) => {
      const title = titleOf(state);
      write(name, title || "Exhibits");
      kind.hidden = title === "" || title === OWN;
      set(open, {
        "aria-label": title === OWN ? `${OWN}; choose an exhibit` : null,
        title: title || null,
      });
    });
    this.follow(
      (state) => isLocked(state) || !exhibitsOf(state).length,
      (disabled) => void (open.disabled = disabled),
    );
  }

  #toggle(anchor: HTMLButtonElement) {
    if (this.#close) return this.#close();
    const state = this.app.store.get();
    set(anchor, { "aria-expanded": "true" });
    this.#close = openListbox({
      anchor: () => anchor,
      name: "Exhibits",
      look: "exhibits",
      value: exhibitOf(state)?.name ?? "",
      items: exhibitsOf(state).map(({ name: value, title: text, line, curves }) => ({
        value,
        text,
        line: `${capitalized(line)}.`,
        figure: thumbnail(curves),
      })),
      choose: (name) => void this.app.openExhibit(name).then(focusPlay),
      closed: () => {
        this.#close = null;
        set(anchor, { "aria-expanded": "false" });
      },
    });
  }
}
