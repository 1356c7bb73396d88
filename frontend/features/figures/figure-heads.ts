/**
 * Headings of charts: content, key of the lines, and the chosen axis, measure and instruments.
 * Owns: words and switches.
 */

import { button, segmentedSwitch, selectBox } from "../../ui/controls.ts";
import { draw, make, write } from "../../ui/dom.ts";
import { fittingWords } from "../../ui/fitting-words.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { openMenu } from "../../ui/popover.ts";
import { keepRunSwitch } from "../../ui/run-switch.ts";
import { every } from "../../core/format.ts";
import { choiceOf, choicesFor, costWords, readingWords } from "../../core/instruments.ts";
import { lossWords } from "../../core/losses.ts";
import { X_AXES } from "../../core/selectors.ts";
import type { Measure } from "../../core/types.ts";

const STROKES = [
  {
    text: "train",
    shape: () => draw("path", { d: "M0 4.5h22", stroke: "var(--ink-2)", "stroke-width": 2 }),
  },
  {
    text: "test",
    shape: () =>
      draw("path", {
        d: "M0 4.5h22",
        stroke: "var(--ink-2)",
        "stroke-width": 1.5,
        "stroke-dasharray": "4 3",
      }),
  },
  {
    text: "min to max",
    shape: () => draw("path", { d: "M0 .5h22v8H0z", fill: "var(--ctl)", opacity: 0.4 }),
  },
];

const strokes = () =>
  make(
    "span",
    { class: "strokes", "aria-hidden": "true" },
    ...STROKES.map(({ text, shape }) =>
      make(
        "span",
        { class: text === "min to max" ? "band" : text },
        draw("svg", { viewBox: "0 0 22 9" }, shape()),
        text,
      ),
    ),
  );

export class LossHead extends LiveElement {
  override start() {
    this.onceOpened(() => {
      const sub = make("span", { class: "sub" });
      const key = strokes();
      const y = segmentedSwitch({
        name: "Vertical axis",
        look: "y-switch",
        choices: [
          { value: "log", text: "log" },
          { value: "linear", text: "linear" },
        ],
        choose: (value) => this.app.setView({ y: value === "log" ? "log" : "linear" }),
      });
      this.append(
        make("h2", {}, "Loss"),
        sub,
        make("span", { class: "end" }, key, y.root, this.#axesMenu()),
      );
      this.follow((state) => state.view.y, y.show);
      this.follow(
        (state) => state.experiment,
        (experiment) => {
          if (!experiment) return;
          write(
            sub,
            `${lossWords(experiment.recipe.loss)} over ${every(experiment.trainSamples, "training sample")}`,
          );
          (key.querySelector(".test") as HTMLElement).hidden = experiment.testSamples === 0;
        },
      );
    });
  }

  /** A phone has a menu instead of switches. */
  #axesMenu() {
    const open = button({
      name: "Axes of the charts",
      look: "quiet square on-phone",
      icon: "axes",
      more: { "aria-haspopup": "menu" },
      act: () => {
        const { view } = this.app.store.get();
        const other = view.y === "log" ? "linear" : "log";
        openMenu(() => open, "Axes of the charts", [
          ...X_AXES.map(({ value, text }) => ({
            text: `by ${text}`,
            chosen: view.x === value,
            act: () => this.app.setView({ x: value }),
          })),
          { text: `${other} loss`, act: () => this.app.setView({ y: other }) },
        ]);
      },
    });
    return open;
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
];

export class GradientHead extends LiveElement {
  override start() {
    this.onceOpened(() => {
      const narrow = matchMedia("(max-width: 720px)");
      const end = make("span", { class: "end" });
      const sub = fittingWords("sub");
      sub.show(...SHELF);
      const panel = segmentedSwitch({
        name: "Under the loss",
        choices: [
          { value: "gradients", text: "Gradient" },
          { value: "instruments", text: "Instruments" },
        ],
        choose: (value) =>
          this.app.setView({ panel: value === "instruments" ? value : "gradients" }),
      });
      this.#showFormulas(end, sub);
      let measure = this.#switch(narrow.matches);
      end.append(measure.root);
      narrow.addEventListener("change", () => {
        measure = this.#switch(narrow.matches);
        measure.show(this.app.store.get().view.measure);
        end.replaceChildren(measure.root);
      });
      const instruments = this.#instruments();
      this.append(
        make("h2", { class: "unseen" }, "Gradient and instruments"),
        panel.root,
        sub.root,
        end,
        ...instruments,
      );
      this.follow(
        (state) => state.view.measure,
        (value) => measure.show(value),
      );
      this.follow(
        (state) => state.view.panel,
        (value) => {
          panel.show(value);
          for (const one of [sub.root, end]) one.hidden = value !== "gradients";
          for (const one of instruments) one.hidden = value !== "instruments";
        },
      );
    });
  }

  /** The measured run, the open instruments, and their cost. */
  #instruments() {
    const cost = make("span", { class: "sub" });
    const reading = make("span", { class: "unseen" });
    const run = make("span", {});
    keepRunSwitch(this, run, "Run measured", LETTERS);
    const choice = selectBox({
      name: "Open instruments",
      choose: (value) => this.app.setView({ instruments: value }),
    });
    this.follow(
      (state) => [choiceOf(state).value, state.experiment?.id],
      (_, state) =>
        choice.show(
          choicesFor(state).map(({ value, text }) => ({ value, text })),
          choiceOf(state).value,
        ),
    );
    this.follow(costWords, (words) => write(cost, words));
    this.follow(readingWords, (words) => write(reading, words));
    return [cost, reading, make("span", { class: "end" }, run, choice.root)];
  }

  /** Shows the formula of a choice beside the heading while it is hovered or focused. */
  #showFormulas(end: HTMLElement, sub: ReturnType<typeof fittingWords>) {
    const showFormula = (event: Event) => {
      const value = ((event.target as Element).closest("[data-value]") as HTMLElement | null)
        ?.dataset.value;
      const measure = MEASURES.find((one) => one.value === value);
      sub.show(...(measure ? [measure.formula, `: ${measure.says}`] : SHELF));
    };
    const rest = () => sub.show(...SHELF);
    for (const type of ["pointerover", "focusin"]) end.addEventListener(type, showFormula);
    for (const type of ["pointerleave", "focusout"]) end.addEventListener(type, rest);
  }

  #switch(brief: boolean) {
    return segmentedSwitch({
      name: "Gradient measure",
      choices: MEASURES.map(({ value, text, brief: short, formula, says }) => ({
        value,
        text: brief ? short : text,
        title: `${formula}: ${says}`,
      })),
      choose: (value) => this.app.setView({ measure: value }),
    });
  }
}
