/**
 * The self-check below the Doctor's list: the inspected run checks its own numbers at its present
 * step.
 * Owns: the button and the list of results.
 */

import { button } from "../../ui/controls.ts";
import { make, set, write } from "../../ui/dom.ts";
import { glyph } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { checkWords, verdictOf } from "./self-check-words.ts";
import type { SelfCheck } from "../../core/wire-types.ts";

export class SelfCheckPanel extends LiveElement {
  #status = make("p", { class: "hint", role: "status" });
  #list = make("ul", { class: "checks", role: "list" });
  /** Drops answers for a run that is no longer shown. */
  #turn = 0;

  override start() {
    this.onceOpened(() => {
      const ask = button(
        { look: "small", act: () => void this.#check() },
        "Is this gradient right?",
      );
      this.append(ask, this.#status, this.#list);
      this.follow(
        ({ view, runs }) => runs[view.networkRun ?? ""]?.label,
        () => this.#clear(),
      );
    });
  }

  #clear() {
    this.#turn += 1;
    write(this.#status, "");
    this.#list.replaceChildren();
    set(this, { "data-passed": null });
  }

  async #check() {
    const { view, runs } = this.app.store.get();
    const run = runs[view.networkRun ?? ""];
    if (!run) return;
    this.#clear();
    const mine = this.#turn;
    write(this.#status, "Checking...");
    const { check, problem } = await this.app.check(run.name);
    if (mine !== this.#turn) return;
    if (!check) {
      write(this.#status, `${problem?.title ?? ""} ${problem?.detail ?? ""}`);
      return;
    }
    write(this.#status, checkWords(run.label, check));
    set(this, { "data-passed": check.checks.every(({ passed }) => passed !== false) });
    this.#list.replaceChildren(...check.checks.map(entry));
  }
}

function entry(check: SelfCheck["checks"][number]) {
  const { sign, word, tone } = verdictOf(check);
  return make(
    "li",
    { class: "finding", "data-check": check.name, "data-tone": tone },
    make("span", { role: "img", "aria-label": word }, glyph(sign)),
    make("h3", {}, check.title),
    make("p", {}, check.says),
  );
}
