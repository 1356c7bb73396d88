/**
 * The step inspector: closed it is one live line, open one step with every number. On a phone it is
 * a section of its
 * own.
 * Owns: strip and drawer, and focus when they change places. line-list.ts and equation.ts have the
 * content.
 */

import { copied } from "../../ui/clipboard.ts";
import { html, nothing, render } from "lit";
import { button, segmentedSwitch } from "../../ui/controls.ts";
import { make, set, write } from "../../ui/dom.ts";
import { lineView } from "./equation.ts";
import { icon, marker } from "../../ui/icons.ts";
import { lineList } from "./line-list.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { integer } from "../../core/format.ts";
import { inspectedRun, isInspectorOpen } from "../../core/inspected.ts";
import {
  inspectedDead,
  inspectionOf,
  samplesFrom,
  shownLine,
  toggledInspector,
} from "./inspection.ts";
import { batchWords, liveLine } from "./line-words.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import { deadLayer, isLocked } from "../../core/selectors.ts";
import { keyOf } from "./sheets.ts";
import type { Sheet } from "../../core/wire-types.ts";
import type { State } from "../../core/types.ts";

/** How long "Copied" stays. */
const MESSAGE_MS = 4000;

/** The visible samples of a batch: "rows 1 to 4", "row 5". */
function rowWords({ batch }: Sheet, { firstSample, samplesShown }: State["view"]) {
  const first = Math.min(firstSample, batch.length - 1);
  const last = Math.min(batch.length, first + samplesShown);
  return last === first + 1
    ? `row ${integer(last)}: sample ${integer(batch[first])}`
    : `rows ${integer(first + 1)} to ${integer(last)}`;
}

export class StepInspector extends LiveElement {
  #phone = matchMedia("(max-width: 720px)");
  #strip = button({
    look: "inspector-strip",
    more: { "aria-expanded": "false" },
    act: () => this.#toggle(),
  });
  #step = make("b", {});
  #batch = make("span", { class: "batch muted" });
  #rows = make("span", { class: "muted" });
  #status = make("span", { class: "muted", role: "status" });
  #list = lineList((place) => this.#choose(place));
  #line = lineView();
  #switch = make("span", {});
  #one = button(
    { look: "quiet small", more: { "aria-pressed": "false" }, act: () => this.#oneByOne() },
    "Sample by sample",
  );
  #samples = make(
    "span",
    { class: "samples" },
    button({
      name: "Samples before",
      look: "quiet small square",
      icon: "previous",
      act: () => this.#move(-1),
    }),
    this.#rows,
    button({
      name: "Samples after",
      look: "quiet small square",
      icon: "next",
      act: () => this.#move(1),
    }),
    this.#one,
  );
  #on = button({
    name: "One step on (right arrow)",
    look: "quiet small square",
    icon: "next",
    act: () => this.app.forward(1),
  });
  #drawer = this.#buildDrawer();
  #isOpen = false;
  #from: HTMLElement = this.#strip;
  #timer: any = null;

  override start() {
    this.onceOpened(() => {
      this.append(this.#strip, this.#drawer);
      const open = (state: State) => isInspectorOpen(state, this.#phone.matches);
      this.#phone.addEventListener("change", () => this.#open(open(this.app.store.get())));
      this.follow(
        (state) => state.order.flatMap((name) => [name, state.runs[name].label]),
        (_, state) => this.#showSwitch(state),
      );
      this.follow(
        (state) => [
          open(state),
          stateOnView(state).runs[inspectedRun(state)?.name ?? ""],
          state.experiment,
          state.view.networkRun,
        ],
        (_, state) => this.#showStrip(state),
      );
      // in the past this moves the view, in the present it makes a step
      this.follow(
        (state) => isLocked(state) && !state.looking,
        (cannot) => (this.#on.disabled = cannot),
      );
      this.follow(open, (isOpen) => this.#open(isOpen));
      this.follow(
        (state) => [
          open(state),
          inspectionOf(state),
          inspectedDead(state),
          state.view.line,
          state.view.firstSample,
          state.view.samplesShown,
        ],
        (_, state) => this.#show(state),
      );
    });
  }

  #buildDrawer() {
    const close = button({
      name: "Close (I)",
      look: "quiet square close",
      icon: "close",
      act: () => this.#toggle(),
    });
    return make(
      "div",
      { class: "drawer", hidden: true },
      make(
        "div",
        { class: "head" },
        make("h2", {}, "Line by line"),
        this.#switch,
        make(
          "span",
          { class: "moment" },
          button({
            name: "One step back (left arrow)",
            look: "quiet small square",
            icon: "previous",
            act: () => this.app.back(1),
          }),
          make("span", {}, "step ", this.#step),
          this.#on,
        ),
        this.#batch,
        this.#samples,
        make("span", { class: "spring" }),
        this.#status,
        button({ look: "quiet small", act: () => void this.#copy() }, "Copy as NumPy"),
        close,
      ),
      make("div", { class: "body" }, this.#list.root, this.#line.root),
    );
  }

  #toggle() {
    this.app.setView(toggledInspector(this.app.store.get(), this.#phone.matches));
  }

  /** Moves focus into the opened part, and back on closing. */
  #open(isOpen: boolean) {
    const { activeElement } = document;
    const isInside = this.contains(activeElement);
    const changes = isOpen !== this.#isOpen;
    this.#isOpen = isOpen;
    this.#drawer.hidden = !isOpen;
    this.#strip.hidden = isOpen;
    set(this.closest(".app") as Element, {
      "data-inspector": isOpen && !this.#phone.matches ? "open" : null,
    });
    // each opening selects the first line anew
    if (changes && !isOpen) this.app.setView({ line: null });
    if (!changes || this.#phone.matches) return;
    if (isOpen) {
      this.#from =
        activeElement instanceof HTMLElement && activeElement !== document.body && !isInside
          ? activeElement
          : this.#strip;
      this.#list.root.focus();
    } else if (isInside) this.#from.focus();
  }

  #showSwitch({ order, runs }: State) {
    const choices = order.map((name) => ({
      value: name,
      text: runs[name].label,
      title: runs[name].label,
      before: marker(runs[name].lane),
    }));
    const chooser = segmentedSwitch({
      name: "Run inspected",
      choices,
      choose: (networkRun) => this.app.setView({ networkRun }),
    });
    this.#switch.replaceChildren(chooser.root);
    this.#mark = chooser.show;
    chooser.show(inspectedRun(this.app.store.get())?.name ?? null);
  }

  #mark: (name: string | null) => void = () => {};

  #showStrip(state: State) {
    const run = stateOnView(state).runs[inspectedRun(state)?.name ?? ""];
    if (!run || !state.experiment) return;
    this.#mark(run.name);
    if (this.#isOpen) return;
    const { code, words } = liveLine(run, state.experiment.weights, deadLayer(run));
    const line = html`${marker(run.lane)}<span class="who">${run.label}, step ${integer(run.step)}:</span
      ><code>${code}</code>`;
    render(
      html`${icon("up")}<b>Line by line</b>${code ? line : nothing}<span class="words">${words}</span><kbd>I</kbd>`,
      this.#strip,
    );
  }

  #show(state: State) {
    const sheet = inspectionOf(state);
    set(this.#drawer, { "data-waiting": !sheet });
    if (!this.#isOpen || !sheet || !state.experiment) return;
    const place = shownLine(state, sheet);
    // the line selected on opening stays selected from step to step
    if (state.view.line === null) return this.app.setView({ line: keyOf(sheet, place) });
    write(this.#step, integer(sheet.step));
    write(this.#batch, batchWords(sheet, state.experiment));
    set(this.#batch, {
      title: `The change from step ${integer(sheet.step)} to step ${integer(sheet.step + 1)}`,
    });
    this.#samples.hidden = sheet.batch.length === 1;
    write(this.#rows, rowWords(sheet, state.view));
    set(this.#one, { "aria-pressed": String(state.view.samplesShown === 1) });
    this.#list.show(sheet, place, inspectedDead(state));
    if (this.getAttribute("data-line") !== state.view.line) this.#list.reveal(place);
    this.#line.show(sheet, place);
    set(this, {
      "data-run": inspectedRun(state)?.name,
      "data-step": sheet.step,
      "data-line": state.view.line,
    });
  }

  /** Scrolls a phone to the chosen line, which stands above the list. */
  #choose(place: number) {
    const sheet = inspectionOf(this.app.store.get());
    if (!sheet) return;
    this.app.setView({ line: keyOf(sheet, place) });
    if (this.#phone.matches) this.#line.root.scrollIntoView();
  }

  #move(by: number) {
    this.app.setView(samplesFrom(this.app.store.get(), by));
  }

  #oneByOne() {
    const { samplesShown } = this.app.store.get().view;
    this.app.setView({ samplesShown: samplesShown === 1 ? 4 : 1 });
  }

  async #copy() {
    const { script, problem } = await this.app.changeScript();
    const box = make("textarea", { class: "unseen", "aria-hidden": "true" });
    box.value = script ?? "";
    this.append(box);
    const done = script !== undefined && (await copied(box));
    box.remove();
    clearTimeout(this.#timer);
    write(
      this.#status,
      done
        ? "Copied."
        : problem
          ? (problem.detail ?? problem.title)
          : "The browser blocks copying.",
    );
    this.#timer = setTimeout(() => write(this.#status, ""), MESSAGE_MS);
  }
}
