/**
 * "Fork with He init?": the key of the Doctor's first remedy asks before it acts.
 * Owns: the question.
 */

import { button } from "../../ui/controls.ts";
import { make } from "../../ui/dom.ts";
import { keepDialog } from "../../ui/dialog.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { evidenceWords } from "../../core/findings.ts";
import { firstRemedy, isFork, noRoomWords } from "./remedies.ts";
import type { State } from "../../core/types.ts";

const NOTHING = "The Doctor has no remedy now.";

export class RemedyQuestion extends LiveElement {
  override start() {
    keepDialog(this, "remedy", (state) => this.#face(state));
  }

  #face(state: State) {
    const first = firstRemedy(state);
    const none = !first ? NOTHING : isFork(first.remedy) ? noRoomWords(state) : "";
    const title = first ? `${first.remedy.label}?` : "Doctor";
    const leave = () => this.app.setView({ dialog: null });
    const more = { autofocus: true };
    const answers = (...buttons: Node[]) => make("div", { class: "answers" }, ...buttons);
    if (!first || none) {
      const away = button({ look: "solid", act: leave, more }, "Close");
      return { title, content: [make("p", {}, none), answers(away)] };
    }
    const { finding, remedy } = first;
    const act = () => {
      leave();
      this.app.remedy(remedy);
    };
    const hint = remedy.hint ? `${isFork(remedy) ? "This makes" : "In force"} ${remedy.hint}.` : "";
    return {
      title,
      content: [
        make("p", {}, make("b", {}, finding.title), ` ${evidenceWords(finding)}`),
        make("p", { class: "hint" }, hint),
        answers(
          button({ look: "solid", act, more }, remedy.label),
          button({ act: leave }, "Leave it"),
        ),
      ],
    };
  }
}
