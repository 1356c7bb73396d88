/**
 * The list of keys, the switch for single keys, and the server's kernel.
 * Owns: the dialog. The caller passes the lines.
 */

import { html, nothing } from "lit";
import { switchOf } from "../ui/controls.ts";
import { ModalDialog } from "../ui/dialog.ts";
import type { State } from "../core/types.ts";

type Line = { does: string; caps: string[] };

export class HelpDialog extends ModalDialog {
  override dialog = "help";
  lines: () => Line[] = () => [];
  /** About the server's kernel; null if nothing is known. */
  #kernel: string | null = "";

  override shows({ view }: State) {
    return [view.dialog, view.singleKeys];
  }

  override async opened() {
    this.#kernel = "";
    this.#kernel = await this.app.kernelWords().catch(() => null);
    this.requestUpdate();
  }

  override content() {
    const choices = [
      { value: "on", text: "on" },
      { value: "off", text: "off" },
    ];
    const choose = (value: string) => this.app.setView({ singleKeys: value === "on" });
    const line = ({ does, caps }: Line) =>
      html`<div><dt>${does}</dt><dd>${caps.map((cap) => html`<kbd>${cap}</kbd>`)}</dd></div>`;
    const body = html`
      <dl class="keys">${this.lines().map(line)}</dl>
      <div class="line">
        <span>Single-key shortcuts</span>
        ${switchOf(this.state.view.singleKeys ? "on" : "off", { name: "Single-key shortcuts", choices, choose })}
        <span class="muted">Off: only Space, arrows and Esc work.</span>
      </div>
      ${this.#kernel === null ? nothing : html`<p class="line muted kernel" role="status">${this.#kernel}</p>`}
      <p class="line"><a href="docs/">Documentation</a></p>`;
    return { name: "Keyboard", body };
  }
}
