/**
 * The page `/check`: how the way from this computer to the server is, line by line.
 * Owns: its element. check-rows.ts has the words, probes.ts measures.
 */

import { html, LitElement, nothing } from "lit";
import { glyph } from "../../ui/icons.ts";
import { withOption } from "../../ui/option.ts";
import { type Measured, type Row, resultOf, rowsOf } from "./check-rows.ts";
import * as texts from "../../words/english.ts";

type Measure = (show: (measured: Measured) => void) => Promise<Measured>;

const mark = (isGood: boolean) => glyph(isGood ? "check" : "problem");

/** An address begins a line of its own where it does not fit: a hyphen at the end of a line may be part of it. */
const wrapped = (text: string) =>
  text
    .split(/(https?:\S+)/)
    .map((part, place) =>
      place % 2 ? html`<span class="address">${part}</span>` : withOption(part),
    );

const rowOf = ({
  name,
  text,
  isGood,
}: Row) => html`<li data-tone=${isGood ? "ok" : "bad"} data-row=${name}>
  ${mark(isGood)}<span class="name">${name}<span class="unseen">, ${isGood ? texts.good : texts.aProblem}:</span></span>
  <span class="text">${wrapped(text)}</span></li>`;

export class CheckView extends LitElement {
  /** Set before it is connected. */
  measure!: Measure;
  #measured: Measured = {};
  #isDone = false;

  override createRenderRoot() {
    return this;
  }

  override connectedCallback() {
    super.connectedCallback();
    void this.#run();
  }

  async #run() {
    this.#isDone = false;
    this.#show({});
    await this.measure((measured) => this.#show(measured));
    this.#isDone = true;
    this.requestUpdate();
  }

  #show(measured: Measured) {
    this.#measured = measured;
    this.requestUpdate();
  }

  override render() {
    const result = this.#isDone ? resultOf(this.#measured) : null;
    return html`
      <h1>${texts.checkThisComputerAndItsConnection}</h1>
      <p class="result" role="status" data-tone=${result ? (result.isGood ? "ok" : "bad") : "muted"}>
        ${result ? mark(result.isGood) : nothing}<span>${result?.text ?? texts.checking}</span></p>
      <ul>${rowsOf(this.#measured).map(rowOf)}</ul>
      <p class="acts">
        <button type="button" class="button" ?disabled=${!this.#isDone} @click=${() => this.#run()}>${texts.checkAgain}</button>
        <a class="button quiet" href="./">${texts.openFallline}</a>
      </p>`;
  }
}
