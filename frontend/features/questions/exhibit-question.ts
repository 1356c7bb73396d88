/**
 * The exhibit's question before play, with its answers to bet on. A bet can be changed until the
 * first step.
 * Owns: the group "Your bet".
 */

import { html, nothing } from "lit";
import { focusPlay } from "../../ui/controls.ts";
import { marker } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { exhibitParts } from "../../core/exhibits.ts";
import { betOf, openQuestion } from "../../core/questions.ts";
import { isVisitor } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";
import type { Choice, Question } from "../../core/wire-types.ts";

export class ExhibitQuestion extends LiveElement {
  override shows(state: State) {
    return [openQuestion(state), state.bet, isVisitor(state), ...exhibitParts(state)];
  }

  override render() {
    const question = openQuestion(this.state);
    this.hidden = question === null;
    if (!question) return nothing;
    return html`
      <h2 id="question">${question.prompt}</h2>
      <div class="bets" role="group" aria-label=${texts.yourBet} aria-describedby="question">
        ${question.kind === "number" ? this.#field(question) : question.choices.map(this.#button)}
        <p class="muted">${this.#hint()}</p>
      </div>`;
  }

  #hint() {
    const hasBet = betOf(this.state) !== null;
    if (isVisitor(this.state))
      return hasBet ? texts.theOwnerPressesPlay : texts.betBeforeTheOwnerPlays;
    return hasBet ? texts.pressPlay : texts.betThenPressPlay;
  }

  #button = ({ id, text }: Choice) => {
    const run = this.state.runs[id];
    return html`<button type="button" class="button answer" data-answer=${id}
      aria-pressed=${betOf(this.state)?.answer === id} @click=${() => this.app.bet(id)}
      >${run ? marker(run.lane) : nothing}<span>${text}</span></button>`;
  };

  #field({ unit }: Question) {
    const answer = betOf(this.state)?.answer;
    return html`<label class="answer number"><span class="unseen">${texts.yourNumber}</span
      ><input type="number" class="input number" min="0" inputmode="decimal" autocomplete="off"
        .value=${answer === undefined ? "" : String(answer)} @change=${this.#enter} @keydown=${this.#go}
      ><span>${unit}</span></label>`;
  }

  #go = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // else the same key would press play
    this.#enter(event);
    focusPlay();
  };

  #enter = ({ target }: Event) => {
    const { valueAsNumber } = target as HTMLInputElement;
    if (Number.isFinite(valueAsNumber) && valueAsNumber >= 0) this.app.bet(valueAsNumber);
  };
}
