/**
 * What just happened, with Undo where it can be taken back. It leaves after ten seconds, unless it is being used.
 * Owns: showing and leaving. Must not know what undo does.
 */

import { button } from "./controls.js";
import { make } from "./dom.js";
import { LiveElement, register } from "./live-element.js";

const STAYS_MS = 10_000;

export class NoticeToast extends LiveElement {
  #timer = 0;

  start() {
    this.setAttribute("role", "status");
    this.follow((state) => state.notice, (notice) => {
      clearTimeout(this.#timer);
      this.hidden = !notice;
      if (!notice) return this.replaceChildren();
      const undo = notice.undo ? button({ look: "small", act: () => void this.app.undo() }, "Undo") : null;
      const close = button({ name: "Close the notice", look: "small square quiet", icon: "close", act: () => this.app.dismiss() });
      this.replaceChildren(make("div", { class: "notice", "data-kind": notice.kind }, make("span", {}, notice.text), undo, close));
      this.#leaveLater();
    });
    this.whenGone(() => clearTimeout(this.#timer));
  }

  #leaveLater() {
    this.#timer = window.setTimeout(() => {
      if (this.matches(":hover, :focus-within")) this.#leaveLater();
      else this.app.dismiss();
    }, STAYS_MS);
  }
}

/** @param {import("../state/types.js").App} app */
export const registerNoticeToast = (app) => register("notice-toast", NoticeToast, app);
