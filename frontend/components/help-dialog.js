/**
 * The keyboard list, with the switch that turns single keys off.
 * Owns: the dialog. The lines are given, because pages know keys.
 */

import { segmentedSwitch } from "./controls.js";
import { make } from "./dom.js";
import { icon } from "./icons.js";
import { LiveElement, register } from "./live-element.js";

/** @typedef {{does: string, caps: string[]}} Line */

/**
 * A modal dialog in the page's look; it is taken away once closed.
 * @param {string} name
 * @param {Node[]} content
 * @param {() => void} closed
 */
export function openDialog(name, content, closed) {
  const close = make("button", { type: "button", class: "button quiet square", "aria-label": "Close (Esc)", on: { click: () => dialog.close() } }, icon("close"));
  const dialog = make("dialog", { class: "dialog", "aria-label": name }, make("div", { class: "head" }, make("h2", {}, name), close), ...content);
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export class HelpDialog extends LiveElement {
  /** @type {() => Line[]} */
  lines = () => [];
  /** @type {HTMLDialogElement|null} */
  #open = null;

  start() {
    this.follow((state) => state.view.dialog, (dialog) => {
      if (dialog === "help" && !this.#open) this.#open = openDialog("Keyboard", this.#content(), () => this.#closed());
      if (dialog !== "help") this.#open?.close();
    });
  }

  #closed() {
    this.#open = null;
    if (this.app.store.get().view.dialog === "help") this.app.setView({ dialog: null });
  }

  #content() {
    const lines = this.lines().map(({ does, caps }) =>
      make("div", {}, make("dt", {}, does), make("dd", {}, ...caps.map((cap) => make("kbd", {}, cap)))));
    const single = segmentedSwitch({
      name: "Single-key shortcuts", choices: [{ value: "on", text: "on" }, { value: "off", text: "off" }],
      choose: (value) => {
        this.app.setView({ singleKeys: value === "on" });
        single.show(value);
      },
    });
    single.show(this.app.store.get().view.singleKeys ? "on" : "off");
    return [
      make("dl", { class: "keys" }, ...lines),
      make("div", { class: "line" }, make("span", {}, "Single-key shortcuts"), single.root,
        make("span", { class: "muted" }, "Off: only Space, arrows and Esc work.")),
    ];
  }
}

/** @param {import("../state/types.js").App} app */
export const registerHelpDialog = (app) => register("help-dialog", HelpDialog, app);
