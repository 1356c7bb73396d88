/**
 * A modal dialog in the page's look. Esc, a press beside it and its button close it.
 * Owns: opening and closing. Subclasses say when it is open, and what it shows.
 */

import { html, nothing } from "lit";
import { icon } from "./icons.ts";
import { LiveElement } from "./live-element.ts";
import * as texts from "../words/english.ts";
import type { State } from "../core/types.ts";

/** Controls of its content. */
const CONTROLS = ["button:enabled", "input:enabled", "select", "textarea", "a[href]", "summary"]
  .map((each) => `${each}:not([tabindex="-1"])`)
  .flatMap((each) => [`:scope > .head ~ ${each}`, `:scope > .head ~ * ${each}`])
  .join();

/** The first control that is seen without scrolling, else the dialog, to be read from its start. */
function focusContent(dialog: HTMLDialogElement) {
  const first = dialog.querySelector<HTMLElement>(CONTROLS);
  const { bottom } = dialog.getBoundingClientRect();
  const isSeen = first && first.getBoundingClientRect().bottom <= bottom;
  (isSeen ? first : dialog).focus({ preventScroll: true });
}

export abstract class ModalDialog extends LiveElement {
  /** The `view.dialog` that opens it. */
  dialog = "";
  #isOpen = false;

  abstract content(): { name: string; body: unknown };
  opened() {}
  closed() {}

  isOpen({ view }: State) {
    return view.dialog === this.dialog;
  }

  /** A person closes it. */
  leave() {
    this.app.setView({ dialog: null });
  }

  override shows(state: State): unknown {
    return this.isOpen(state);
  }

  override willUpdate() {
    const isOpen = this.isOpen(this.state);
    if (isOpen === this.#isOpen) return;
    this.#isOpen = isOpen;
    if (isOpen) return this.opened();
    this.querySelector("dialog")?.close(); // returns the focus
    this.closed();
  }

  override render() {
    if (!this.#isOpen) return nothing;
    const { name, body } = this.content();
    return html`<dialog class="dialog" tabindex="-1" aria-label=${name}
        @close=${this.#leave} @click=${this.#press} @keydown=${this.#key}>
      <div class="head">
        <h2>${name}</h2>
        <button type="button" class="button quiet square" aria-label=${texts.closeEsc}
          @click=${this.#leave}>${icon("close")}</button>
      </div>
      ${body}
    </dialog>`;
  }

  override updated() {
    const dialog = this.querySelector("dialog");
    if (!dialog || dialog.open) return;
    dialog.showModal();
    // the browser would choose the button that closes it
    if (!dialog.querySelector("[autofocus]")) focusContent(dialog);
  }

  /** The browser reports a closed dialog some tasks later, when another may be open. */
  #leave({ currentTarget }: Event) {
    if ((currentTarget as Element).isConnected) this.leave();
  }

  #press({ target, currentTarget }: Event) {
    if (target === currentTarget) this.leave();
  }

  #key(event: KeyboardEvent) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    this.leave();
  }
}
