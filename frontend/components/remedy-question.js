/**
 * "Fork with He init?": the key of the Doctor's first remedy asks before it acts.
 * Owns: the question.
 */

import { button } from "./controls.js";
import { make } from "./dom.js";
import { openDialog } from "./help-dialog.js";
import { LiveElement, register } from "./live-element.js";
import { evidenceWords } from "../state/findings.js";
import { firstRemedy, isFork, noRoomWords } from "../state/remedies.js";

/** @typedef {import("../state/types.js").State} State */

const NOTHING = "The Doctor has no remedy now.";

export class RemedyQuestion extends LiveElement {
  /** @type {(() => void)|null} */
  #close = null;

  start() {
    this.follow((state) => state.view.dialog, (dialog, state) => {
      if (dialog === "remedy" && !this.#close) this.#open(state);
      if (dialog !== "remedy") this.#close?.();
    });
    this.whenGone(() => this.#close?.());
  }

  /** @param {State} state */
  #open(state) {
    const first = firstRemedy(state);
    const none = !first ? NOTHING : isFork(first.remedy) ? noRoomWords(state) : "";
    const leave = () => this.app.setView({ dialog: null });
    const closed = () => {
      this.#close = null;
      if (this.app.store.get().view.dialog === "remedy") leave();
    };
    if (!first || none) {
      const away = button({ look: "solid", act: leave, more: { autofocus: true } }, "Close");
      this.#close = openDialog(first ? `${first.remedy.label}?` : "Doctor", [make("p", {}, none), make("div", { class: "answers" }, away)], closed);
      return;
    }
    const { finding, remedy } = first;
    const act = () => {
      leave();
      this.app.remedy(remedy);
    };
    const [go, stay] = [button({ look: "solid", act, more: { autofocus: true } }, remedy.label), button({ act: leave }, "Leave it")];
    const hint = remedy.hint ? `${isFork(remedy) ? "This makes" : "In force"} ${remedy.hint}.` : "";
    const words = [make("p", {}, make("b", {}, finding.title), ` ${evidenceWords(finding)}`), make("p", { class: "hint" }, hint)];
    this.#close = openDialog(`${remedy.label}?`, [...words, make("div", { class: "answers" }, go, stay)], closed);
  }
}

/** @param {import("../state/types.js").App} app */
export const registerRemedyQuestion = (app) => register("remedy-question", RemedyQuestion, app);
