/**
 * Share: a link to this moment, the recipe or the live experiment, with a QR code; and the button
 * that opens it.
 * Owns: both. share-words.ts has the words. Shows the moment at which it was opened.
 */

import { copied } from "../../ui/clipboard.ts";
import { button, segmentedSwitch } from "../../ui/controls.ts";
import { make, set, write } from "../../ui/dom.ts";
import { keepDialog } from "../../ui/dialog.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { kinds, noCodeWords, shareWords, TOO_LONG } from "./share-words.ts";
import type { Kind } from "./share-words.ts";
import type { App } from "../../core/types.ts";

export class ShareMenu extends LiveElement {
  override start() {
    const share = button(
      {
        name: "Share (S)",
        title: "Share (S)",
        look: "quiet",
        icon: "share",
        more: { "aria-haspopup": "dialog" },
        act: () => this.app.setView({ dialog: "share" }),
      },
      make("span", { class: "caption" }, "Share"),
    );
    this.replaceChildren(share);
    this.follow(
      (state) => state.experiment === null,
      (isEmpty) => (share.disabled = isEmpty),
    );
  }
}

export class ShareDialog extends LiveElement {
  override start() {
    keepDialog(this, "share", () => ({ title: "Share", ...shareFace(this.app) }));
  }
}

function shareFace(app: App) {
  const state = app.store.get();
  const choice = segmentedSwitch({
    name: "Link to",
    look: "fill",
    choices: kinds(state),
    choose: (kind) => void show(kind),
  });
  const words = make("div", { class: "words" });
  const box = make("input", {
    class: "input",
    type: "text",
    readonly: true,
    "aria-label": "Link",
    spellcheck: "false",
    on: { focus: () => box.select() },
  });
  const copy = button({ look: "solid", act: () => void take() }, "Copy");
  const status = make("p", { role: "status", class: "said" });
  const code = make("img", { class: "qr", alt: "The link as a QR code", hidden: true });
  /** The latest choice wins, in any order of answers. */
  let turn = 0;
  let picture = "";

  async function show(kind: Kind) {
    const mine = ++turn;
    choice.show(kind);
    words.replaceChildren(
      ...shareWords(state, kind, app.environment.address).map((text) => make("p", {}, text)),
    );
    clear();
    const link = await app.linkTo(kind, state);
    if (mine !== turn) return;
    box.value = link ?? "";
    for (const one of [box, copy]) one.disabled = link === null;
    const none = link === null ? TOO_LONG : noCodeWords(link);
    write(status, none);
    if (link === null || none) return;
    const { svg, problem } = await app.qr(link);
    if (mine !== turn) return;
    if (problem) return write(status, `There is no QR code: ${problem.title}`);
    picture = URL.createObjectURL(svg as Blob);
    set(code, { src: picture, hidden: false });
  }

  function clear() {
    URL.revokeObjectURL(picture);
    set(code, { src: null, hidden: true });
    write(status, "");
  }

  async function take() {
    const isDone = await copied(box);
    write(
      status,
      isDone ? "Copied." : "The browser blocks copying. The link is selected: copy it yourself.",
    );
    if (!isDone) box.select();
  }

  const back = app.hasFormer()
    ? button(
        {
          act: () => {
            app.setView({ dialog: null });
            void app.goBack();
          },
        },
        "Back to the experiment before the link",
      )
    : null;
  void show("moment");
  return {
    content: [
      choice.root,
      words,
      make("div", { class: "line take" }, box, copy),
      status,
      code,
      ...(back ? [make("div", { class: "line" }, back)] : []),
    ],
    stop() {
      turn++;
      clear();
    },
  };
}
