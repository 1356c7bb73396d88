/**
 * Share: a link to this moment, the recipe or the live experiment, with a QR code; and the button
 * that opens it.
 * Owns: both. share-words.ts has the words. Shows the moment at which it was opened.
 */

import { html, nothing } from "lit";
import { copied } from "../../ui/clipboard.ts";
import { switchOf } from "../../ui/controls.ts";
import { icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { withOption } from "../../ui/option.ts";
import { ModalDialog } from "../../ui/dialog.ts";
import { embedCode } from "../../core/embed.ts";
import { hasCode, kinds, noCodeWords, shareWords, TOO_LONG } from "./share-words.ts";
import * as texts from "../../words/english.ts";
import type { Kind } from "./share-words.ts";
import type { State } from "../../core/types.ts";

export class ShareMenu extends LiveElement {
  override shows({ experiment }: State) {
    return experiment === null;
  }

  override render() {
    return html`<button type="button" class="button quiet" aria-label=${texts.shareS} title=${texts.shareS}
      aria-haspopup="dialog" ?disabled=${this.state.experiment === null}
      @click=${() => this.app.setView({ dialog: "share" })}
      >${icon("share")}<span class="caption">${texts.share}</span></button>`;
  }
}

const NOTHING = { link: "" as string | null, address: null as string | null, status: "", code: "" };

export class ShareDialog extends ModalDialog {
  override dialog = "share";
  #kind: Kind = "moment";
  #answer = NOTHING;
  /** The moment at which it was opened. */
  #moment!: State;
  /** The latest choice wins, in any order of answers. */
  #turn = 0;

  override opened() {
    this.#moment = this.state;
    void this.#choose("moment");
  }

  override closed() {
    this.#turn++;
    this.#show(NOTHING);
  }

  #show(answer: Partial<typeof NOTHING>) {
    if (answer.code === "") URL.revokeObjectURL(this.#answer.code);
    this.#answer = { ...this.#answer, ...answer };
    this.requestUpdate();
  }

  async #choose(kind: Kind) {
    const mine = ++this.#turn;
    this.#kind = kind;
    this.#show({ status: "", code: "" });
    const isCode = kind === "embed";
    const link = await this.app.linkTo(isCode ? "watch" : kind, this.#moment);
    if (mine !== this.#turn) return;
    this.#show({ address: link?.split("/#")[0] ?? null });
    if (isCode && link) return this.#show({ link: embedCode(link, this.#moment) });
    const none = link === null ? TOO_LONG : hasCode(link) ? noCodeWords(link) : "";
    this.#show({ link, status: none });
    if (!hasCode(link) || none) return;
    const { svg, problem } = await this.app.qr(link);
    if (mine !== this.#turn) return;
    if (problem) this.#show({ status: texts.thereIsNoQRCodeX(problem.title) });
    else this.#show({ code: URL.createObjectURL(svg as Blob) });
  }

  get #box() {
    return this.querySelector(".take input") as HTMLInputElement;
  }

  async #copy() {
    const isDone = await copied(this.#box);
    const blocked = texts.theBrowserBlocksCopyingTheLink;
    this.#show({ status: isDone ? texts.copied : blocked });
    if (!isDone) this.#box.select();
  }

  override content() {
    const { link, address, status, code } = this.#answer;
    const words = shareWords(this.#moment, this.#kind, address);
    const choose = (kind: Kind) => void this.#choose(kind);
    const choices = kinds(this.#moment);
    const back = () => {
      this.leave();
      void this.app.goBack();
    };
    const body = html`
      ${switchOf(this.#kind, { name: texts.linkTo, look: "fill", choices, choose })}
      <div class="words">${words.map((text) => html`<p>${withOption(text)}</p>`)}</div>
      <div class="line take">
        <input class="input" type="text" readonly aria-label=${this.#kind === "embed" ? texts.code : texts.link} spellcheck="false"
          .value=${link ?? ""} ?disabled=${link === null} @focus=${() => this.#box.select()}>
        <button type="button" class="button solid" ?disabled=${link === null}
          @click=${() => this.#copy()}>${texts.copy}</button>
      </div>
      <p role="status" class="said">${status || nothing}</p>
      <img class="qr" alt=${texts.theLinkAsAQRCode} src=${code || nothing} ?hidden=${!code}>
      ${
        this.app.hasFormer()
          ? html`<div class="line">
              <button type="button" class="button" @click=${back}>${texts.backToTheExperimentBeforeThe}</button>
            </div>`
          : nothing
      }`;
    return { name: texts.share, body };
  }
}
