/**
 * Headings of charts: content, key of the lines, and the chosen axis, measure and instruments.
 * Owns: words and switches.
 */

import { html, nothing, svg } from "lit";
import { selectOf, switchOf } from "../../ui/controls.ts";
import { wordsOf } from "../../ui/fitting-words.ts";
import { icon } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { openMenu } from "../../ui/popover.ts";
import { runSwitch, runSwitchParts } from "../../ui/run-switch.ts";
import { every } from "../../core/format.ts";
import { choiceOf, choicesFor, costWords, readingWords } from "../../core/instruments.ts";
import { lossWords } from "../../core/losses.ts";
import { X_AXES } from "../../core/selectors.ts";
import type { Measure, State, View } from "../../core/types.ts";

const stroke = (look: string, text: string, shape: unknown) =>
  html`<span class=${look}><svg viewBox="0 0 22 9">${shape}</svg>${text}</span>`;
const TRAIN = stroke(
  "train",
  "train",
  svg`<path d="M0 4.5h22" stroke="var(--ink-2)" stroke-width="2"></path>`,
);
const TEST = stroke(
  "test",
  "test",
  svg`<path d="M0 4.5h22" stroke="var(--ink-2)" stroke-width="1.5" stroke-dasharray="4 3"></path>`,
);
const BAND = stroke(
  "band",
  "min to max",
  svg`<path d="M0 .5h22v8H0z" fill="var(--ctl)" opacity=".4"></path>`,
);

const Y_AXES: { value: View["y"]; text: string }[] = [
  { value: "log", text: "log" },
  { value: "linear", text: "linear" },
];

export class LossHead extends ExperimentElement {
  override shows({ view, experiment }: State) {
    return [view.y, experiment];
  }

  override render() {
    const { recipe, trainSamples, testSamples } = this.experiment;
    const words = `${lossWords(recipe.loss)} over ${every(trainSamples, "training sample")}`;
    return html`
      <h2 class="unseen">Loss</h2>
      <picture-switch></picture-switch>
      <span class="sub of-loss">${words}</span>
      <span class="end">
        <span class="strokes" aria-hidden="true">${TRAIN}${testSamples ? TEST : nothing}${BAND}</span>
        ${switchOf(this.state.view.y, {
          name: "Vertical axis",
          look: "y-switch",
          choices: Y_AXES,
          choose: (y) => this.app.setView({ y }),
        })}
        <button type="button" class="button quiet square on-phone" aria-label="Axes of the charts"
          aria-haspopup="menu" @click=${this.#axesMenu}>${icon("axes")}</button>
      </span>`;
  }

  /** A phone has a menu instead of switches. */
  #axesMenu({ currentTarget }: Event) {
    const { view } = this.state;
    const other = view.y === "log" ? "linear" : "log";
    openMenu(() => currentTarget as Element, "Axes of the charts", [
      ...X_AXES.map(({ value, text }) => ({
        text: `by ${text}`,
        chosen: view.x === value,
        act: () => this.app.setView({ x: value }),
      })),
      { text: `${other} loss`, act: () => this.app.setView({ y: other }) },
    ]);
  }
}

/** Letters of the measured run's name; with many runs the others show only their shapes. */
const LETTERS = { few: 9, many: 12 };

const SHELF = ["bottom band: exactly 0", "; per layer, log scale"];

const MEASURES: { value: Measure; text: string; brief: string; formula: string; says: string }[] = [
  {
    value: "grad_l1",
    text: "Σ|dW|",
    brief: "Σ|dW|",
    formula: "np.abs(dW).sum()",
    says: "size of the gradient: all entries of dW, without signs, added",
  },
  {
    value: "grad_l2",
    text: "L2 norm",
    brief: "L2",
    formula: "np.sqrt((dW**2).sum())",
    says: "Euclidean norm of dW",
  },
  {
    value: "grad_mean",
    text: "mean |dW|",
    brief: "mean",
    formula: "np.abs(dW).mean()",
    says: "mean of |dW|",
  },
  {
    value: "ratio",
    text: "update ÷ weight",
    brief: "÷W",
    formula: "norm(change of W) / norm(W)",
    says: "size of the change ÷ size of the weights",
  },
  {
    value: "whole",
    text: "whole, rate",
    brief: "all",
    formula: "np.sqrt(sum((dP**2).sum()))",
    says: "Euclidean norm over all parameters, and the rate in force",
  },
];

const PANELS: { value: View["panel"]; text: string }[] = [
  { value: "gradients", text: "Gradient" },
  { value: "instruments", text: "Instruments" },
];
const narrow = matchMedia("(max-width: 720px)");

export class GradientHead extends ExperimentElement {
  /** The measure that is hovered or focused. */
  #pointed: (typeof MEASURES)[number] | undefined;

  override shows(state: State) {
    return [
      state.view.panel,
      state.view.measure,
      state.experiment?.id,
      choiceOf(state).value,
      costWords(state),
      readingWords(state),
      ...runSwitchParts(state),
    ];
  }

  override start() {
    const update = () => this.requestUpdate();
    narrow.addEventListener("change", update);
    this.whenGone(() => narrow.removeEventListener("change", update));
  }

  override render() {
    const { panel } = this.state.view;
    return html`
      <h2 class="unseen">Gradient and instruments</h2>
      ${switchOf(panel, {
        name: "Under the loss",
        choices: PANELS,
        choose: (value) => this.app.setView({ panel: value }),
      })}
      ${panel === "instruments" ? this.#instruments() : this.#measures()}`;
  }

  /** The formula of a choice stands beside the heading while it is hovered or focused. */
  #measures() {
    const choices = MEASURES.map(({ value, text, brief, formula, says }) => ({
      value,
      text: narrow.matches ? brief : text,
      title: `${formula}: ${says}`,
    }));
    const { measure } = this.state.view;
    const choose = (value: Measure) => this.app.setView({ measure: value });
    const words = this.#pointed ? [this.#pointed.formula, `: ${this.#pointed.says}`] : SHELF;
    return html`
      ${wordsOf("sub", words)}
      <span class="end" @pointerover=${this.#point} @focusin=${this.#point}
        @pointerleave=${this.#point} @focusout=${this.#point}
        >${switchOf(measure, { name: "Gradient measure", choices, choose })}</span>`;
  }

  #point({ type, target }: Event) {
    const item = (target as Element).closest<HTMLElement>("[data-value]");
    const isOver = type === "pointerover" || type === "focusin";
    this.#pointed = isOver
      ? MEASURES.find(({ value }) => value === item?.dataset.value)
      : undefined;
    this.requestUpdate();
  }

  /** The measured run, the open instruments, and their cost. */
  #instruments() {
    const { app, state } = this;
    const choice = selectOf(choiceOf(state).value, {
      name: "Open instruments",
      options: choicesFor(state).map(({ value, text }) => ({ value, text })),
      choose: (instruments) => app.setView({ instruments }),
    });
    return html`
      <span class="sub">${costWords(state)}</span>
      <span class="unseen">${readingWords(state)}</span>
      <span class="end"><span>${runSwitch(state, app, "Run measured", LETTERS)}</span>${choice}</span>`;
  }
}
