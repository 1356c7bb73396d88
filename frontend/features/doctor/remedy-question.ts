/**
 * "Fork, He init?": the key of the Doctor's first remedy asks before it acts.
 * Owns: the question.
 */

import { html } from "lit";
import { ModalDialog } from "../../ui/dialog.ts";
import { evidenceWords } from "../../core/findings.ts";
import { isLocked } from "../../core/selectors.ts";
import { firstRemedy, isFork, noRoomWords } from "./remedies.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

const NOTHING = texts.theDoctorHasNoRemedyNow;

export class RemedyQuestion extends ModalDialog {
  override dialog = "remedy";

  override shows(state: State) {
    return [this.isOpen(state), isLocked(state)];
  }

  override content() {
    const first = firstRemedy(this.state);
    const none = !first ? NOTHING : isFork(first.remedy) ? noRoomWords(this.state) : "";
    const leave = () => this.leave();
    const name = first ? `${first.remedy.label}?` : texts.doctor;
    if (!first || none) {
      const body = html`<p>${none}</p>
        <div class="answers"><button type="button" class="button solid" autofocus @click=${leave}>${texts.close}</button></div>`;
      return { name, body };
    }
    const { finding, remedy } = first;
    const act = () => {
      leave();
      this.app.remedy(remedy);
    };
    const hint = remedy.hint
      ? `${isFork(remedy) ? texts.thisMakes : texts.inForce} ${remedy.hint}.`
      : "";
    const body = html`
      <p><b>${finding.title}</b> ${evidenceWords(finding)}</p>
      <p class="hint">${hint}</p>
      <div class="answers">
        <button type="button" class="button solid" autofocus ?disabled=${isLocked(this.state)} @click=${act}>${remedy.label}</button>
        <button type="button" class="button" @click=${leave}>${texts.leaveIt}</button>
      </div>`;
    return { name, body };
  }
}
