/**
 * All settings of one run, and what can be done with it: rename, hide, fork, one epoch, remove.
 * Owns: the panel's content.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { focusPlay, switchOf } from "../../ui/controls.ts";
import { fullHelp, helpId, helpLine, words } from "../../ui/help-line.ts";
import { icon, marker } from "../../ui/icons.ts";
import { RunElement } from "./run-element.ts";
import { methodSwitch, samplesOf } from "./method-switch.ts";
import { batchLine, knobOf, knobParameters, ruleLine } from "./run-knobs.ts";
import { runMore } from "./run-more.ts";
import { rowOf } from "../../core/catalog.ts";
import { explanationOf } from "../../core/parameters.ts";
import { originWords } from "../../core/forks.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import { isLocked } from "../../core/selectors.ts";
import { nameFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Experiment, Run, State } from "../../core/types.ts";

const LONGEST_LABEL = 64;
/** Rules in the switch; the others are behind "More". */
const RULES = ["sgd", "momentum", "adam"];
const SAMPLING = words(texts.samplesPerStepAllAFew, texts.sourceCauchy1847RobbinsAndMonro);

export class RunSettings extends RunElement {
  #helpIds = [helpId(), helpId()];
  #isRenaming = false;

  /** Frames change none of this. */
  override shows(state: State) {
    const run = stateOnView(state).runs[this.runName];
    return [
      run?.settings,
      run?.label,
      run?.hidden,
      state.experiment,
      state.order.length,
      state.problem,
      isLocked(state),
      state.looking === null,
    ];
  }

  override render() {
    const { state } = this;
    const run = this.run;
    this.dataset.lane = run.lane;
    this.setAttribute("aria-label", texts.runX(run.label));
    this.classList.toggle("hidden-run", run.hidden);
    const origin = originWords(state, run.name);
    const samples = samplesOf(run, state.experiment as Experiment);
    return html`
      <div class="section">
        <div class="head">
          ${marker(run.lane)}${this.#isRenaming ? this.#nameBox(run) : html`<h2 class="name">${run.label}</h2>`}
        </div>
        <p class="hint origin">${origin ? `${origin}, ` : nothing}${samples} ${texts.aStep}</p>
        ${this.#acts(run)}
        <fieldset ?disabled=${isLocked(state)}>${this.#body(run)}</fieldset>
      </div>`;
  }

  #acts(run: Run) {
    const { app, state } = this;
    const locked = isLocked(state);
    const fork = () => {
      app.fork(run.name);
      focusPlay();
    };
    const act = (text: string, disabled: boolean, take: () => void) =>
      html`<button type="button" class="button small" ?disabled=${disabled} @click=${take}>${text}</button>`;
    return html`<div class="acts">
      ${act(texts.rename, locked, () => void this.#rename())}
      ${act(texts.forkHere, locked, fork)}
      ${act(texts.oneEpochShort, locked && !state.looking, () => app.forwardEpoch(1))}
      <button type="button" class="button small" aria-label=${texts.hideXInTheCharts(run.label)}
        aria-pressed=${run.hidden} @click=${() => app.setHidden(run.name, !run.hidden)}
        >${icon(run.hidden ? "eyeShut" : "eye")}${texts.hide}</button>
      ${act(texts.remove, locked || state.order.length < 2, () => app.removeRun(run.name))}
    </div>`;
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
      (this.querySelector(".acts button") as HTMLElement | null)?.focus();
      const label = box.value.trim();
      if (keep && label && label !== before) this.app.renameRun(this.runName, label);
    };
    const keys = (event: KeyboardEvent) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // else the same press would reach the button that gets the focus
      event.stopPropagation();
      finish(event.target as HTMLInputElement, event.key === "Enter");
    };
    return html`<input class="input rename" type="text" aria-label=${texts.newNameOfX(before)}
      maxlength=${LONGEST_LABEL} value=${before} autocomplete="off"
      @keydown=${keys} @blur=${({ target }: Event) => finish(target as HTMLInputElement, true)}>`;
  }

  #body(run: Run) {
    const { state, app } = this;
    const { catalog } = state;
    const experiment = state.experiment as Experiment;
    const { optimizer } = run.settings;
    const knobs = knobParameters(catalog, run);
    const rules = RULES.map((name) => ({
      value: name,
      text: nameFor("optimizers", name),
      title: rowOf(catalog, "optimizers", name)?.help,
    }));
    const [samplingHelp, ruleHelp] = this.#helpIds;
    const help = explanationOf(rowOf(catalog, "optimizers", optimizer));
    return html`
      ${methodSwitch(run, app, { look: "fill", helpId: samplingHelp, title: fullHelp(SAMPLING) })}
      ${helpLine(samplingHelp, SAMPLING)}
      ${switchOf(optimizer, {
        name: texts.updateRule,
        look: "fill",
        helpId: ruleHelp,
        title: fullHelp(help),
        choices: rules,
        choose: (value) =>
          value !== this.run.settings.optimizer && app.edit(run.name, { optimizer: value }),
      })}
      ${helpLine(ruleHelp, help)}
      <div>
        ${RULES.includes(optimizer) ? nothing : ruleLine(optimizer)}
        ${keyed(
          [...knobs.map(({ name }) => name), optimizer, run.name, experiment.id].join(" "),
          knobs.map((parameter) => knobOf(parameter, run, app)),
        )}
        ${knobs.length > 1 ? nothing : batchLine(run, experiment)}
      </div>
      <div>${runMore(run, state, app)}</div>`;
  }
}
