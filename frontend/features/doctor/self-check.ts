/**
 * The self-check below the Doctor's list: the inspected run checks its own numbers at its present
 * step.
 * Owns: the button and the list of results.
 */

import { html, nothing } from "lit";
import { glyph } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { checkWords, verdictOf } from "./self-check-words.ts";
import * as texts from "../../words/english.ts";
import type { SelfCheck } from "../../core/wire-types.ts";

export class SelfCheckPanel extends ExperimentElement {
  #words = "";
  #result: SelfCheck | null = null;
  /** Drops answers for a run that is no longer shown. */
  #turn = 0;

  override start() {
    this.follow(
      ({ view, runs }) => runs[view.networkRun ?? ""]?.label,
      () => this.#show(""),
    );
  }

  #show(words: string, result: SelfCheck | null = null) {
    this.#turn++;
    this.#words = words;
    this.#result = result;
    this.requestUpdate();
  }

  async #check() {
    const { view, runs } = this.state;
    const run = runs[view.networkRun ?? ""];
    if (!run) return;
    this.#show(texts.checking);
    const mine = this.#turn;
    const { check, problem } = await this.app.check(run.name);
    if (mine !== this.#turn) return;
    if (check) this.#show(checkWords(run.label, check), check);
    else this.#show(`${problem?.title ?? ""} ${problem?.detail ?? ""}`);
    await this.updateComplete;
    // it stands at the end of what scrolls
    this.scrollIntoView({ block: "nearest" });
  }

  override render() {
    const checks = this.#result?.checks;
    const isPassed = checks?.every(({ passed }) => passed !== false) ?? false;
    this.toggleAttribute("data-passed", isPassed);
    return html`
      <button type="button" class="button small" @click=${this.#check}>${texts.isThisGradientRight}</button>
      <p class="hint" role="status">${this.#words}</p>
      <ul class="checks" role="list">${checks?.map(entry) ?? nothing}</ul>`;
  }
}

function entry(check: SelfCheck["checks"][number]) {
  const { sign, word, tone } = verdictOf(check);
  return html`<li class="finding" data-check=${check.name} data-tone=${tone}>
    <span role="img" aria-label=${word}>${glyph(sign)}</span>
    <h3>${check.title}</h3>
    <p>${check.says}</p></li>`;
}
