/**
 * The list of keys, the switch for single keys, and the server's kernel.
 * Owns: the dialog. The caller passes the lines.
 */

import { segmentedSwitch } from "../ui/controls.ts";
import { keepDialog } from "../ui/dialog.ts";
import { make } from "../ui/dom.ts";
import { LiveElement } from "../ui/live-element.ts";

type Line = { does: string; caps: string[] };

export class HelpDialog extends LiveElement {
  lines: () => Line[] = () => [];

  override start() {
    keepDialog(this, "help", () => ({ title: "Keyboard", content: this.#content() }));
  }

  #content() {
    const lines = this.lines().map(({ does, caps }) =>
      make(
        "div",
        {},
        make("dt", {}, does),
        make("dd", {}, ...caps.map((cap) => make("kbd", {}, cap))),
      ),
    );
    const single = segmentedSwitch({
      name: "Single-key shortcuts",
      choices: [
        { value: "on", text: "on" },
        { value: "off", text: "off" },
      ],
      choose: (value) => {
        this.app.setView({ singleKeys: value === "on" });
        single.show(value);
      },
    });
    single.show(this.app.store.get().view.singleKeys ? "on" : "off");
    const kernel = make("p", { class: "line muted kernel", role: "status" });
    void this.app.kernelWords().then(
      (words) => kernel.append(words),
      () => kernel.remove(),
    );
    return [
      make("dl", { class: "keys" }, ...lines),
      make(
        "div",
        { class: "line" },
        make("span", {}, "Single-key shortcuts"),
        single.root,
        make("span", { class: "muted" }, "Off: only Space, arrows and Esc work."),
      ),
      kernel,
      make("p", { class: "line" }, make("a", { href: "docs/" }, "Documentation")),
    ];
  }
}
