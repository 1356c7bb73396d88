/**
 * All words of the page, the list of keys with the switch for single keys, and the server's kernel.
 * Owns: the dialog. The caller passes the lines of keys.
 */

import { html, nothing } from "lit";
import { switchOf } from "../ui/controls.ts";
import { ModalDialog } from "../ui/dialog.ts";
import { CARD_TEXTS, TERMS } from "../core/terms.ts";
import * as texts from "../words/english.ts";
import type { Term } from "../core/terms.ts";
import type { State } from "../core/types.ts";

type Line = { does: string; caps: string[] };

const PARTS: { value: "words" | "keys"; text: string }[] = [
  { value: "words", text: texts.words },
  { value: "keys", text: texts.keys },
];
const ON_OFF = [
  { value: "on", text: texts.switchedOn },
  { value: "off", text: texts.switchedOff },
];

const entry = ([key, { name, says, formula, further, docs }]: [string, Term]) =>
  html`<div data-word=${key} tabindex="-1">
    <dt><a href="docs/${docs}" title=${CARD_TEXTS.more}>${name}</a></dt>
    <dd>${says}${formula ? html` <code>${formula}</code>` : nothing}${further ? html` ${further}` : nothing}</dd>
  </div>`;

/** All words that explain themselves, in one list. */
const wordList = () => html`<dl class="all-words">${Object.entries(TERMS).map(entry)}</dl>`;

export class HelpDialog extends ModalDialog {
  override dialog = "help";
  lines: () => Line[] = () => [];
  #part: "words" | "keys" = "keys";
  /** About the server's kernel; null if nothing is known. */
  #kernel: string | null = "";

  override shows({ view }: State) {
    return [view.dialog, view.singleKeys];
  }

  override async opened() {
    const { word } = this.state.view;
    this.#part = word === null ? "keys" : "words";
    void this.updateComplete.then(() => this.#goTo(word));
    this.#kernel = "";
    this.#kernel = await this.app.kernelWords().catch(() => null);
    this.requestUpdate();
  }

  #goTo(word: string | null) {
    const entry = this.querySelector<HTMLElement>(`[data-word="${word}"]`);
    entry?.scrollIntoView({ block: "center" });
    entry?.focus();
  }

  override content() {
    const part = switchOf(this.#part, {
      name: texts.help,
      choices: PARTS,
      choose: (value) => {
        this.#part = value;
        this.requestUpdate();
      },
    });
    return {
      name: texts.wordsAndKeys,
      body: html`${part}${this.#part === "words" ? wordList() : this.#keys()}
        <p class="line"><a href="docs/">${texts.documentation}</a></p>`,
    };
  }

  #keys() {
    const choose = (value: string) => this.app.setView({ singleKeys: value === "on" });
    const line = ({ does, caps }: Line) =>
      html`<div><dt>${does}</dt><dd>${caps.map((cap) => html`<kbd>${cap}</kbd>`)}</dd></div>`;
    return html`
      <dl class="keys">${this.lines().map(line)}</dl>
      <div class="line">
        <span>${texts.singleKeyShortcuts}</span>
        ${switchOf(this.state.view.singleKeys ? "on" : "off", { name: texts.singleKeyShortcuts, choices: ON_OFF, choose })}
        <span class="muted">${texts.offOnlySpaceArrowsAndEsc}</span>
      </div>
      ${this.#kernel === null ? nothing : html`<p class="line muted kernel" role="status">${this.#kernel}</p>`}`;
  }
}
