/**
 * The list of keys, the switch for single keys, and the server's kernel.
 * Owns: the dialog. The caller passes the lines.
 */

import { segmentedSwitch } from "./controls.js";
import { make } from "./dom.js";
import { icon } from "./icons.js";
import { LiveElement, register } from "./live-element.js";

/** @typedef {{does: string, caps: string[]}} Line */

/**
 * Opens a modal dialog in the page's look; closing removes it.
 * @param {string} name
 * @param {Node[]} content
 * @param {() => void} closed
 * @returns {() => void}  close
 */
export function openDialog(name, content, closed) {
  const shut = make("button", { type: "button", class: "button quiet square", "aria-label": "Close (Esc)", on: { click: () => close() } }, icon("close"));
  const dialog = make("dialog", { class: "dialog", "aria-label": name }, make("div", { class: "head" }, make("h2", {}, name), shut), ...content);
  // The browser reports a closed dialog some tasks later, and a key pressed meanwhile would find it open. So it is
  // removed at once; the event serves only closings by the browser.
  const close = () => {
    if (!dialog.isConnected) return;
    dialog.close();
    dialog.remove();
    closed();
  };
  dialog.addEventListener("close", close);
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return close;
}

export class HelpDialog extends LiveElement {
  /** @type {() => Line[]} */
  lines = () => [];
  /** @type {(() => void)|null} */
  #close = null;

  start() {
    this.follow((state) => state.view.dialog, (dialog) => {
      if (dialog === "help" && !this.#close) this.#close = openDialog("Keyboard", this.#content(), () => this.#closed());
      if (dialog !== "help") this.#close?.();
    });
  }

  #closed() {
    this.#close = null;
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
    const kernel = make("p", { class: "line muted kernel", role: "status" });
    void this.app.kernelWords().then((words) => kernel.append(words), () => kernel.remove());
    return [
      make("dl", { class: "keys" }, ...lines),
      make("div", { class: "line" }, make("span", {}, "Single-key shortcuts"), single.root,
        make("span", { class: "muted" }, "Off: only Space, arrows and Esc work.")),
      kernel,
      make("p", { class: "line" }, make("a", { href: "docs/" }, "Documentation")),
    ];
  }
}

/** @param {import("../state/types.js").App} app */
export const registerHelpDialog = (app) => register("help-dialog", HelpDialog, app);
