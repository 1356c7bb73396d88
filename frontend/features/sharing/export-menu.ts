/**
 * "Export" in the top bar: files of one run or all, charts as pictures, and import.
 * Owns: the panel. exports.ts has addresses and words, export-picture.ts makes pictures.
 */

import { button, selectBox } from "../../ui/controls.ts";
import { make, write } from "../../ui/dom.ts";
import { savePicture } from "./export-picture.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { openPopover } from "../../ui/popover.ts";
import { ALL, choicesOf, filesOf, picturesOf } from "./exports.ts";
import { TYPES } from "./opened-file.ts";
import type { FileToTake, Pictured } from "./exports.ts";

const FAILED = "The picture could not be made.";

const fileRow = ({ name, href, help, of }: FileToTake) =>
  make(
    "li",
    {},
    make("a", { href, download: "" }, name),
    make("span", { class: "muted" }, of ? `${of}: ${help}` : help),
  );

export class ExportMenu extends LiveElement {
  override start() {
    const open = button(
      {
        name: "Export",
        look: "quiet export",
        icon: "download",
        more: { "aria-haspopup": "dialog", disabled: true },
        act: () => this.#open(open),
      },
      make("span", { class: "caption" }, "Export"),
    );
    this.replaceChildren(open);
    this.follow(
      (state) => state.experiment === null,
      (isNone) => (open.disabled = isNone),
    );
  }

  #open(anchor: HTMLElement) {
    const { store } = this.app;
    const files = make("ul", { class: "files" });
    const message = make("p", { class: "complaint", role: "alert", hidden: true });
    const runs = selectBox({ name: "Runs to export", choose: (run) => list(run) });
    function list(run: string) {
      const state = store.get();
      runs.show(choicesOf(state), run);
      files.replaceChildren(...filesOf(state, run).map(fileRow));
    }
    list(ALL);
    const pictures = make(
      "ul",
      { class: "files" },
      ...picturesOf(store.get()).map((one) => this.#pictureRow(one, message)),
    );
    const close = openPopover({
      anchor: () => anchor,
      name: "Export",
      role: "dialog",
      look: "exports",
      content: [
        make("div", { class: "head" }, make("h2", {}, "Files"), runs.root),
        files,
        make("h2", {}, "Charts as shown"),
        pictures,
        message,
        make("h2", {}, "Open again"),
        make(
          "p",
          { class: "line hint" },
          "A recipe, or initial parameters.",
          this.#opener(() => close()),
        ),
      ],
    });
  }

  #opener(close: () => void) {
    const chooser = make("input", {
      type: "file",
      accept: TYPES,
      hidden: true,
      on: {
        change: () => {
          const file = chooser.files?.[0];
          close();
          if (file) void this.app.openFile(file);
        },
      },
    });
    return make(
      "span",
      {},
      button({ look: "small", act: () => chooser.click() }, "Open a file…"),
      chooser,
    );
  }

  #pictureRow({ kind, text }: Pictured, message: HTMLElement) {
    const save = (type: "png" | "svg") =>
      button(
        {
          name: `${text} as ${type.toUpperCase()}`,
          look: "small",
          act: async () => {
            const why = await savePicture(this.app, kind, type).then(
              () => null,
              () => FAILED,
            );
            message.hidden = why === null;
            write(message, why ?? "");
          },
        },
        type.toUpperCase(),
      );
    return make("li", {}, make("span", {}, text), save("png"), save("svg"));
  }
}
