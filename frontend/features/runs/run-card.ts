/**
 * One run's settings, which can be changed while it trains.
 * Owns: the card's header and its two switches.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { focusPlay, switchOf } from "../../ui/controls.ts";
import { wordsOf } from "../../ui/fitting-words.ts";
import { fullHelp, helpId, helpLine, words } from "../../ui/help-line.ts";
import { icon, marker } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { openMenu } from "../../ui/popover.ts";
import { batchLine, knobOf, knobParameters, ruleLine } from "./run-knobs.ts";
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
const SAMPLINGS = [
  { value: "gd" as const, text: "GD" },
  { value: "mini" as const, text: "Mini-batch" },
  { value: "sgd" as const, text: "SGD" },
];
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
  #helpIds = [helpId(), helpId()];
  #isRenaming = false;

  get #name() {
    return this.dataset.run ?? "";
  }

  get #run() {
    return stateOnView(this.state).runs[this.#name];
  }

  override isReady(state: State) {
    return Boolean(stateOnView(state).runs[this.#name]) && state.experiment !== null;
  }

  /** Frames change none of this. */
  override shows(state: State) {
    const run = stateOnView(state).runs[this.#name];
    return [
      run?.settings,
      run?.label,
      run?.hidden,
      state.experiment,
      state.order.length,
      state.view.selectedRun,
      state.problem,
      isLocked(state),
    ];
  }

  override start() {
    this.classList.add("card");
    this.addEventListener("focusin", () => this.#select());
    // Safari does not focus a pressed button
    this.addEventListener(
      "click",
      ({ target }) => (target as Element).closest(CONTROLS) && this.#select(),
    );
  }

  #select() {
    const { view, order } = this.state;
    // opening a card on Tab alone would rebuild the rail on every Tab
    if (view.selectedRun !== this.#name && order.length <= ALL_OPEN)
      this.app.setView({ selectedRun: this.#name });
  }

  override render() {
    const { state } = this;
    const run = this.#run;
    const isFoldable = state.order.length > ALL_OPEN;
    const isFolded = isFoldable && state.view.selectedRun !== run.name;
    this.dataset.lane = run.lane;
    this.setAttribute("aria-label", `Run ${run.label}`);
    this.classList.toggle("folded", isFolded);
    this.classList.toggle("hidden-run", run.hidden);
    return html`
      ${this.#header(run, isFoldable, isFolded)}
      <fieldset ?hidden=${isFolded} ?disabled=${isLocked(state)}>${this.#body(run)}</fieldset>`;
  }

  #header(run: Run, isFoldable: boolean, isFolded: boolean) {
    const { state, app } = this;
    const [origin, samples] = [
      originWords(state, run.name),
      samplesOf(run, state.experiment as Experiment),
    ];
    const label = html`<b>${run.label}</b>`;
    const select = () => app.setView({ selectedRun: run.name });
    // a fork has a long name, so where it comes from moves to where there is room
    return html`
      <div class="head ${this.#isRenaming ? "renaming" : ""}">
        ${marker(run.lane)}
        ${
          isFoldable
            ? html`<button type="button" class="name" aria-expanded=${!isFolded} @click=${select}>${label}</button>`
            : html`<span class="name">${label}</span>`
        }
        ${this.#isRenaming ? this.#nameBox(run) : nothing}
        ${wordsOf("why", origin ? [] : [samples, " a step"])}
        <button type="button" class="button quiet square small eye" aria-label="Hide ${run.label} in the charts"
          aria-pressed=${run.hidden} @click=${() => app.setHidden(run.name, !run.hidden)}
          >${icon(run.hidden ? "eyeShut" : "eye")}</button>
        <button type="button" class="button quiet square small" aria-haspopup="menu"
          aria-label="More for ${run.label}: rename, remove" ?disabled=${isLocked(state)}
          @click=${({ currentTarget }: Event) => this.#menu(currentTarget as Element)}>${icon("more")}</button>
      </div>
      <p class="hint origin" ?hidden=${!origin}>${origin}, ${samples} a step</p>`;
  }

  #menu(anchor: Element) {
    const { runs, order } = this.state;
    const name = this.#name;
    openMenu(() => anchor, `More for ${runs[name].label}`, [
      { text: "Rename", act: () => this.#rename() },
      {
        text: "Fork here",
        act: () => {
          this.app.fork(name);
          focusPlay();
        },
      },
      { text: "Remove", act: () => this.app.removeRun(name), disabled: order.length < 2 },
    ]);
  }

  async #rename() {
    this.#isRenaming = true;
    this.requestUpdate();
    await this.updateComplete;
    const box = this.querySelector(".rename") as HTMLInputElement;
    box.select();
    box.focus();
  }

  #nameBox({ label: before }: Run) {
    const finish = (box: HTMLInputElement, keep: boolean) => {
      if (!this.#isRenaming) return;
      this.#isRenaming = false;
      this.requestUpdate();
      (this.querySelector("[aria-haspopup]") as HTMLElement | null)?.focus();
      const label = box.value.trim();
      if (keep && label && label !== before) this.app.renameRun(this.#name, label);
    };
    const keys = (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // else the same press would reach the button that gets the focus
      event.stopPropagation();
      finish(event.target as HTMLInputElement, event.key === "Enter");
    };
    return html`<input class="input rename" type="text" aria-label="New name of ${before}"
      maxlength=${LONGEST_LABEL} value=${before} autocomplete="off"
      @keydown=${keys} @blur=${({ target }: Event) => finish(target as HTMLInputElement, true)}>`;
  }

  #body(run: Run) {
    const { state, app } = this;
    const { catalog } = state;
    const experiment = state.experiment as Experiment;
    const { optimizer } = run.settings;
    const sampling = samplingOf(run);
    const knobs = knobParameters(catalog, run);
    const rules = RULES.map((name) => ({
      value: name,
      text: nameFor("optimizers", name),
      title: rowOf(catalog, "optimizers", name)?.help,
    }));
    const [samplingHelp, ruleHelp] = this.#helpIds;
    const help = explanationOf(rowOf(catalog, "optimizers", optimizer));
    return html`
      ${switchOf(sampling, {
        name: "Samples per step",
        look: "fill",
        helpId: samplingHelp,
        title: fullHelp(SAMPLING),
        choices: SAMPLINGS,
        choose: (value) =>
          value !== samplingOf(this.#run) && app.edit(run.name, { batch_size: BATCH[value] }),
      })}
      ${helpLine(samplingHelp, SAMPLING)}
      ${switchOf(optimizer, {
        name: "Update rule",
        look: "fill",
        helpId: ruleHelp,
        title: fullHelp(help),
        choices: rules,
        choose: (value) =>
          value !== this.#run.settings.optimizer && app.edit(run.name, { optimizer: value }),
      })}
      ${helpLine(ruleHelp, help)}
      <div>
        ${RULES.includes(optimizer) ? nothing : ruleLine(optimizer)}
        ${keyed(
          [sampling, optimizer, run.label, experiment.id].join(" "),
          knobs.map((parameter) => knobOf(parameter, run, app)),
        )}
        ${knobs.length > 1 ? nothing : batchLine(run, experiment)}
      </div>
      <div>${runMore(run, state, app)}</div>`;
  }
}
