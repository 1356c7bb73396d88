/**
 * One run's settings, which can be changed while it trains.
 * Owns: the card's header and its two switches.
 */

import { button, focusPlay, segmentedSwitch } from "../../ui/controls.ts";
import { disableAll, make, set, write } from "../../ui/dom.ts";
import { fittingWords } from "../../ui/fitting-words.ts";
import { helpLine, words } from "../../ui/help-line.ts";
import { icon, marker } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { openMenu } from "../../ui/popover.ts";
import { batchLine, knobsFor, ruleLine } from "./run-knobs.ts";
import { runMore } from "./run-more.ts";
import { rowOf } from "../../core/catalog.ts";
import { every, plural } from "../../core/format.ts";
import { explanationOf } from "../../core/parameters.ts";
import { originWords } from "../../core/forks.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import { isLocked } from "../../core/selectors.ts";
import { nameFor } from "../../core/words.ts";
import type { Experiment, Run, State } from "../../core/types.ts";

/** From the third run on only the selected card is open. */
const ALL_OPEN = 2;
const LONGEST_LABEL = 64;
const CONTROLS = "button, input, select, summary";

/** How a run samples: GD, mini-batch or SGD. */
export const samplingOf = ({ settings: { batch_size: size } }: Run): "gd" | "mini" | "sgd" =>
  size === null ? "gd" : size === 1 ? "sgd" : "mini";

/** Rules in the switch; the others are behind "More". */
const RULES = ["sgd", "momentum", "adam"];
const SAMPLING = words(
  "Samples per step: all, a few, or one.",
  "Source: Cauchy 1847; Robbins and Monro 1951.",
);

const BATCH = { gd: null, mini: 32, sgd: 1 };

/** "all 900 samples", of each step. */
function samplesOf(run: Run, { trainSamples }: Experiment) {
  const size = run.settings.batch_size;
  return size === null
    ? every(trainSamples, "sample")
    : plural(Math.min(size, trainSamples), "sample");
}

export class RunCard extends LiveElement {
  #knobs = make("div", {});
  #current: { signature: string; show: (run: Run) => void } = { signature: "", show: () => {} };
  #more = make("div", {});
  #furthers: { label: string | null; of: any[]; show: (run: Run, state: State) => void } = {
    label: null,
    of: [],
    show: () => {},
  };

  get #name() {
    return this.dataset.run ?? "";
  }

  override start() {
    const run = this.app.store.get().runs[this.#name];
    if (!run) return;
    this.#current = { signature: "", show: () => {} };
    this.#furthers = { label: null, of: [], show: () => {} };
    this.className = "card";
    this.dataset.lane = run.lane;
    const header = this.#header(run);
    const body = this.#body();
    this.replaceChildren(header.root, header.origin, body.root);
    this.follow(
      (state) => [
        stateOnView(state).runs[this.#name],
        state.experiment,
        state.order.length,
        state.view.selectedRun,
        state.problem,
        isLocked(state),
      ],
      (_, state) => {
        const now = stateOnView(state).runs[this.#name];
        if (!now || !state.experiment) return;
        const folded = state.order.length > ALL_OPEN && state.view.selectedRun !== now.name;
        set(this, { "aria-label": `Run ${now.label}` });
        this.classList.toggle("folded", folded);
        this.classList.toggle("hidden-run", now.hidden);
        header.show(now, state, state.order.length > ALL_OPEN, folded);
        body.root.hidden = folded;
        body.show(now, state);
        header.lock(isLocked(state));
        disableAll(body.root, isLocked(state));
      },
    );
    this.addEventListener("focusin", () => this.#select());
    // Safari does not focus a pressed button
    this.addEventListener(
      "click",
      ({ target }) => (target as Element).closest(CONTROLS) && this.#select(),
    );
  }

  #select() {
    const { view, order } = this.app.store.get();
    // opening a card on Tab alone would rebuild the rail on every Tab
    if (view.selectedRun !== this.#name && order.length <= ALL_OPEN)
      this.app.setView({ selectedRun: this.#name });
  }

  #header(run: Run) {
    const label = make("b", {});
    const name = make(
      "button",
      {
        type: "button",
        class: "name",
        on: { click: () => this.app.setView({ selectedRun: this.#name }) },
      },
      label,
    );
    const plain = make("span", { class: "name" });
    const why = fittingWords("why");
    const origin = make("p", { class: "hint origin" });
    const eye = button({
      look: "quiet square small eye",
      act: () => this.app.setHidden(this.#name, !this.app.store.get().runs[this.#name].hidden),
    });
    const more = button({
      look: "quiet square small",
      icon: "more",
      more: { "aria-haspopup": "menu" },
      act: () => this.#menu(more, root),
    });
    const root = make("div", { class: "head" }, marker(run.lane), name, plain, why.root, eye, more);

    function show(now: Run, state: State, foldable: boolean, folded: boolean) {
      const experiment = state.experiment as Experiment;
      const [origins, samples] = [originWords(state, now.name), samplesOf(now, experiment)];
      write(label, now.label);
      const holder = foldable ? name : plain;
      if (label.parentElement !== holder) holder.append(label);
      name.hidden = !foldable;
      plain.hidden = foldable;
      set(name, { "aria-expanded": String(!folded) });
      // a fork has a long name, so this moves to where there is room
      why.show(...(origins ? [] : [samples, " a step"]));
      write(origin, `${origins}, ${samples} a step`);
      origin.hidden = !origins;
      set(eye, {
        "aria-label": `Hide ${now.label} in the charts`,
        "aria-pressed": String(now.hidden),
      });
      if (eye.dataset.shut !== String(now.hidden))
        eye.replaceChildren(icon(now.hidden ? "eyeShut" : "eye"));
      eye.dataset.shut = String(now.hidden);
      set(more, { "aria-label": `More for ${now.label}: rename, remove` });
    }
    return { root, origin, show, lock: (locked: boolean) => (more.disabled = locked) };
  }

  #menu(anchor: HTMLElement, header: HTMLElement) {
    const { runs, order } = this.app.store.get();
    openMenu(() => anchor, `More for ${runs[this.#name].label}`, [
      { text: "Rename", act: () => this.#rename(header) },
      {
        text: "Fork here",
        act: () => {
          this.app.fork(this.#name);
          focusPlay();
        },
      },
      { text: "Remove", act: () => this.app.removeRun(this.#name), disabled: order.length < 2 },
    ]);
  }

  #rename(header: HTMLElement) {
    const before = this.app.store.get().runs[this.#name].label;
    let done = false;
    const finish = (keep: boolean) => {
      if (done) return;
      done = true;
      const label = box.value.trim();
      box.remove();
      header.classList.remove("renaming");
      (header.querySelector("[aria-haspopup]") as HTMLElement | null)?.focus();
      if (keep && label && label !== before) this.app.renameRun(this.#name, label);
    };
    const keys = (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // else the same press would reach the button that gets the focus
      event.stopPropagation();
      finish(event.key === "Enter");
    };
    const box = make("input", {
      class: "input rename",
      type: "text",
      "aria-label": `New name of ${before}`,
      maxlength: LONGEST_LABEL,
      value: before,
      autocomplete: "off",
      on: { keydown: keys, blur: () => finish(true) },
    });
    header.classList.add("renaming");
    header.querySelector(".why")?.before(box);
    box.select();
    box.focus();
  }

  #body() {
    const { catalog } = this.app.store.get();
    const sampling = segmentedSwitch({
      name: "Samples per step",
      look: "fill",
      choices: [
        { value: "gd", text: "GD" },
        { value: "mini", text: "Mini-batch" },
        { value: "sgd", text: "SGD" },
      ],
      choose: (value) =>
        value !== samplingOf(this.#run) && this.app.edit(this.#name, { batch_size: BATCH[value] }),
    });
    const rule = segmentedSwitch({
      name: "Update rule",
      look: "fill",
      choices: RULES.map((name) => ({
        value: name,
        text: nameFor("optimizers", name),
        title: rowOf(catalog, "optimizers", name)?.help,
      })),
      choose: (optimizer) =>
        optimizer !== this.#run.settings.optimizer && this.app.edit(this.#name, { optimizer }),
    });
    const [samplingHelp, ruleHelp] = [helpLine(sampling.root), helpLine(rule.root)];
    samplingHelp.show(SAMPLING);
    const root = make(
      "div",
      {},
      sampling.root,
      samplingHelp.root,
      rule.root,
      ruleHelp.root,
      this.#knobs,
      this.#more,
    );
    const show = (run: Run, state: State) => {
      const { optimizer } = run.settings;
      sampling.show(samplingOf(run));
      rule.show(optimizer as any);
      ruleHelp.show(explanationOf(rowOf(catalog, "optimizers", optimizer)));
      this.#showKnobs(run, state.experiment as Experiment);
      this.#showMore(run, state);
    };
    return { root, show };
  }

  get #run() {
    return stateOnView(this.app.store.get()).runs[this.#name];
  }

  /** Rebuilds knobs only when others apply. */
  #showKnobs(run: Run, experiment: Experiment) {
    const { optimizer } = run.settings;
    const signature = [samplingOf(run), optimizer, run.label, experiment.id].join(" ");
    if (signature !== this.#current.signature) {
      const knobs = knobsFor(run, this.app);
      const rule = RULES.includes(optimizer) ? null : ruleLine(optimizer);
      const batch = knobs.length > 1 ? null : batchLine(run, experiment);
      this.#knobs.replaceChildren(
        ...[rule, ...knobs.map(({ root }) => root), batch].filter((node) => node !== null),
      );
      this.#current = { signature, show: (now) => knobs.forEach((one) => one.show(now)) };
    }
    this.#current.show(run);
  }

  /** Rebuilds the content of "More" only after a rename, so that it stays open. */
  #showMore(run: Run, state: State) {
    if (run.label !== this.#furthers.label) {
      const isOpen = this.#more.querySelector("details")?.open ?? false;
      const { root, show } = runMore(run, this.app);
      root.open = isOpen;
      this.#more.replaceChildren(root);
      this.#furthers = { label: run.label, of: [], show };
    }
    // frames are frequent and change neither
    const of = [run.settings, state.experiment, state.problem];
    if (of.some((each, k) => each !== this.#furthers.of[k])) this.#furthers.show(run, state);
    this.#furthers.of = of;
  }
}
