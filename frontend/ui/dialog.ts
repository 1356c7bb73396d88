/**
 * Modal dialogs in the page's look.
 * Owns: their heading, their close button, how they close, and which one `view.dialog` names.
 */

import { make } from "./dom.ts";
import { icon } from "./icons.ts";
import type { State, View } from "../core/types.ts";
import type { LiveElement } from "./live-element.ts";

/** `stop` is called when it closes */
type Face = { title: string; content: Node[]; stop?: () => void };

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

/**
 * Keeps a dialog open while `view.dialog` has its name; closing it clears the name.
 * @param face of the moment at which it opens; null if it cannot
 */
export function keepDialog(
  host: LiveElement,
  name: View["dialog"],
  face: (state: State) => Face | null,
) {
  let close: (() => void) | null = null;
  host.follow(
    (state) => state.view.dialog,
    (dialog, state) => {
      if (dialog !== name) return close?.();
      const opened = close ? null : face(state);
      if (!opened) return;
      close = openDialog(opened.title, opened.content, () => {
        close = null;
        opened.stop?.();
        if (host.app.store.get().view.dialog === name) host.app.setView({ dialog: null });
      });
    },
  );
  host.whenGone(() => close?.());
}
