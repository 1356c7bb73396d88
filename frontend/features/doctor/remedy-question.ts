/**
 * "Fork with He init?": the key of the Doctor's first remedy asks before it acts.
 * Owns: the question.
 */

import { button } from "../../ui/controls.ts";
import { make } from "../../ui/dom.ts";
import { openDialog } from "../../ui/dialog.ts";
import { LiveElement, register } from "../../ui/live-element.ts";
import { evidenceWords } from "../../core/findings.ts";
import { firstRemedy, isFork, noRoomWords } from "./remedies.ts";
import type { App, State } from "../../core/types.ts";

const NOTHING = "The Doctor has no remedy now.";

export class RemedyQuestion extends LiveElement {
  #close: (() => void) | null = null;

  override start() {
    this.follow(
      (state) => state.view.dialog,
      (dialog, state) => {
        if (dialog === "remedy" && !this.#close) this.#open(state);
        if (dialog !== "remedy") this.#close?.();
      },
    );
    this.whenGone(() => this.#close?.());
  }

  #open(state: State) {
    const first = firstRemedy(state);
    const none = !first ? NOTHING : isFork(first.remedy) ? noRoomWords(state) : "";
    const leave = () => this.app.setView({ dialog: null });
    const closed = () => {
      this.#close = null;
      if (this.app.store.get().view.dialog === "remedy") leave();
    };
    if (!first || none) {
      const away = button({ look: "solid", act: leave, more: { autofocus: true } }, "Close");
      this.#close = openDialog(
        first ? `${first.remedy.label}?` : "Doctor",
        [make("p", {}, none), make("div", { class: "answers" }, away)],
        closed,
      );
      return;
    }
    const { finding, remedy } = first;
    const act = () => {
      leave();
      this.app.remedy(remedy);
    };
    const [go, stay] = [
      button({ look: "solid", act, more: { autofocus: true } }, remedy.label),
      button({ act: leave }, "Leave it"),
    ];
    const hint = remedy.hint ? `${isFork(remedy) ? "This makes" : "In force"} ${remedy.hint}.` : "";
    const words = [
      make("p", {}, make("b", {}, finding.title), ` ${evidenceWords(finding)}`),
      make("p", { class: "hint" }, hint),
    ];
    this.#close = openDialog(
      `${remedy.label}?`,
      [...words, make("div", { class: "answers" }, go, stay)],
      closed,
    );
  }
}

export const registerRemedyQuestion = (app: App) =>
  register("remedy-question", RemedyQuestion, app);
