/**
 * A modal dialog in the page's look.
 * Owns: its heading, its close button, and how it closes.
 */

import { make } from "./dom.ts";
import { icon } from "./icons.ts";

/**
 * Opens a modal dialog in the page's look; closing removes it.
 * @returns close
 */
export function openDialog(name: string, content: Node[], closed: () => void): () => void {
  const shut = make(
    "button",
    {
      type: "button",
      class: "button quiet square",
      "aria-label": "Close (Esc)",
      on: { click: () => close() },
    },
    icon("close"),
  );
  const dialog = make(
    "dialog",
    { class: "dialog", "aria-label": name },
    make("div", { class: "head" }, make("h2", {}, name), shut),
    ...content,
  );
  // The browser reports a closed dialog some tasks later, and a key pressed meanwhile would find it
  // open. So it is
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
