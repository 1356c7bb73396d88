/**
 * The last event, with Undo where possible. It leaves after ten seconds unless in use; a notice
 * about play leaves with
 * play.
 * Owns: showing and leaving, and the room it needs on the page.
 */

import { button } from "../ui/controls.ts";
import { make, set, write } from "../ui/dom.ts";
import { LiveElement } from "../ui/live-element.ts";

const STAYS_MS = 10_000;

export class NoticeToast extends LiveElement {
  #timer = 0;
  #waits = make("span", {});

  override start() {
    this.setAttribute("role", "status");
    this.follow(
      (state) => state.notice,
      (notice) => {
        clearTimeout(this.#timer);
        this.hidden = !notice;
        set(document.querySelector(".app") as Element, { "data-notice": Boolean(notice) });
        if (!notice) return this.replaceChildren();
        const undo = notice.undo
          ? button({ look: "small", act: () => void this.app.undo() }, "Undo")
          : null;
        const close = button({
          name: "Close the notice",
          look: "small square quiet",
          icon: "close",
          act: () => this.app.dismiss(),
        });
        write(this.#waits, notice.waits ? ` ${notice.waits}` : "");
        this.replaceChildren(
          make(
            "div",
            { class: "notice", "data-kind": notice.kind },
            make("span", {}, notice.text, this.#waits),
            undo,
            close,
          ),
        );
        this.#leaveLater();
      },
    );
    this.follow(
      ({ notice, playback }) => [notice, playback.playing],
      (_, { playback }) => void (playback.playing && write(this.#waits, "")),
    );
    this.whenGone(() => clearTimeout(this.#timer));
  }

  #leaveLater() {
    this.#timer = window.setTimeout(() => {
      if (this.matches(":hover, :focus-within")) this.#leaveLater();
      else this.app.dismiss();
    }, STAYS_MS);
  }
}
