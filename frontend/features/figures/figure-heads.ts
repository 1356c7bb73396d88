/**
 * Headings of charts: content, axes, measure and instruments.
 * Owns: words and menus.
 */

import { html, nothing } from "lit";
import { icon } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { openMenu } from "../../ui/popover.ts";
import { runSwitch, runSwitchParts } from "../../ui/run-switch.ts";
import { termByKey, termOf } from "../../ui/term.ts";
import { plural } from "../../core/format.ts";
import { widthOf } from "../../charts/text-width.ts";
import { layerSwitch } from "./layer-switch.ts";
import { choiceOf, choicesFor, costWords, kindOf, readingWords } from "../../core/instruments.ts";
import { isLogSteps, isLong, windowWords } from "../../core/long-runs.ts";
import { lossWords } from "../../core/losses.ts";
import { perSampleWords } from "../../core/per-sample.ts";
import { picturedRuns } from "../../core/data-picture.ts";
import { dataPictureOf } from "../../core/pictures.ts";
import { shownRuns } from "../../core/state-on-view.ts";
import { isLocked, X_AXES } from "../../core/selectors.ts";
import { isTerm, lossTerm, MEASURE_TEXTS, TERMS } from "../../core/terms.ts";
import * as texts from "../../words/english.ts";
import type { Measure, Pace, State, View } from "../../core/types.ts";

const Y_AXES: { value: View["y"]; text: string }[] = [
  { value: "log", text: texts.logLoss },
  { value: "linear", text: texts.linearLoss },
];

/** The horizontal axes; steps also on a log axis. */
const ACROSS: { value: string; text: string; part: Partial<View> }[] = [
  { value: "steps", text: texts.steps, part: { x: "steps", logSteps: false } },
  { value: "log", text: texts.logSteps, part: { x: "steps", logSteps: true } },
  ...X_AXES.filter(({ value }) => value !== "steps").map(({ value, text }) => ({
    value,
    text,
    part: { x: value },
  })),
];
const acrossOf = (state: State) =>
  state.view.x === "steps" && isLogSteps(state) ? "log" : state.view.x;

const PACES: { value: Pace; text: string }[] = [
  { value: "steps", text: texts.steps },
  { value: "samples", text: texts.samplesSeen },
];

/** Runs stand at other steps, and the charts show steps. */
const isUneven = (state: State) =>
  state.view.x === "steps" && new Set(shownRuns(state).map(({ step }) => step)).size > 1;

const hiddenRuns = ({ order, runs }: State) => order.filter((name) => runs[name].hidden);

/** px; letters of a heading's words, whose digits are wider than those that are measured */
const WORDS = { size: 13, weight: 400, wider: 1.04 };

export class LossHead extends ExperimentElement {
  /** px beside the words about the loss */
  #room = 0;

  override firstUpdated() {
    const beside = this.querySelector(".per-sample");
    if (!beside) return;
    this.followSize(beside, (width) => {
      this.#room = width;
      this.requestUpdate();
    });
  }

  override shows(state: State) {
    const { experiment, view } = state;
    return [
      experiment,
      acrossOf(state),
      view.y,
      windowWords(state),
      perSampleWords(state, this.app.series),
      ...runSwitchParts(state),
      ...hiddenRuns(state),
      isUneven(state),
      isLocked(state),
    ];
  }

  override render() {
    const { recipe, trainSamples } = this.experiment;
    const { y } = this.state.view;
    const over = texts.overXTail(plural(trainSamples, "sample")); // one text, as pictures read it
    // in a window that ends earlier, the head is about its end, and not about now
    const window = windowWords(this.state);
    const perSample = window ? "" : perSampleWords(this.state, this.app.series);
    const now = [
      ACROSS.find(({ value }) => value === acrossOf(this.state))?.text,
      Y_AXES.find(({ value }) => value === y)?.text,
    ];
    return html`
      <h2 class="unseen">${texts.loss}</h2>
      <picture-switch></picture-switch>
      <span class="sub of-loss">${termOf(lossTerm(this.experiment), lossWords(recipe.loss))}${over}${window}</span>
      <span class="sub of-loss per-sample" ?data-some=${Boolean(perSample)}>${this.#whole(perSample)}</span>
      <span class="end">${this.#whoseMap()}${isUneven(this.state) ? this.#level() : nothing}
        <button type="button" class="button quiet axes" aria-label=${texts.axes} title=${texts.axesYKey(now.join(", "))}
          aria-haspopup="menu" @click=${this.#axesMenu}>${icon("axes")}<span class="caption">${texts.axes}</span></button>
      </span>`;
  }

  /** Words that have room, or none. */
  #whole(words: string) {
    return widthOf(words, WORDS.size, WORDS.weight) * WORDS.wider <= this.#room ? words : "";
  }

  /** Visitors change the view only. */
  #level() {
    const { app } = this;
    const compare = () =>
      isLocked(this.state) ? app.setView({ x: "samples" }) : this.#compareAt("samples");
    return html`<button type="button" class="button small level" title=${texts.runsStandAtOtherSteps} @click=${compare}
      >${texts.compareAtEqualSamples}</button>`;
  }

  /** Chooses the run of the map, among the visible runs. */
  #whoseMap() {
    const { app, state } = this;
    const { order, runs, view } = state;
    const visibleNames = order.filter((name) => !runs[name].hidden);
    if (dataPictureOf(state.experiment) !== "map" || visibleNames.length < 2) return nothing;
    const visible = { ...state, order: visibleNames };
    const [{ name }] = picturedRuns(visible);
    return html`<span class="whose-map">${runSwitch(
      { ...visible, view: { ...view, networkRun: name } },
      app,
      texts.runOfTheMap,
      LETTERS,
    )}</span>`;
  }

  #axesMenu({ currentTarget }: Event) {
    const { app } = this;
    const { view, experiment, playback } = this.state;
    const { pace } = playback;
    openMenu(() => currentTarget as Element, texts.axes, [
      ...ACROSS.map(({ value, text, part }) => ({
        group: texts.across,
        text,
        chosen: acrossOf(this.state) === value,
        act: () => app.setView(part),
      })),
      ...Y_AXES.map(({ value, text }) => ({
        group: texts.up,
        text,
        chosen: view.y === value,
        act: () => app.setView({ y: value }),
      })),
      ...this.#stretches(),
      ...PACES.map(({ value, text }) => ({
        group: texts.compareAtEqual,
        text,
        chosen: pace === value,
        disabled: isLocked(this.state),
        act: () => this.#compareAt(value),
      })),
      {
        group: texts.lines,
        text: texts.testDashed,
        checked: view.showsTest,
        disabled: !experiment?.testSamples,
        act: () => app.setView({ showsTest: !view.showsTest }),
      },
      {
        group: texts.lines,
        text: texts.bandMinToMax,
        checked: view.showsBand,
        act: () => app.setView({ showsBand: !view.showsBand }),
      },
    ]);
  }

  /** Runs play level from now on; the charts show them level at once. */
  #compareAt(pace: Pace) {
    const { x } = this.state.view;
    this.app.setPace(pace);
    if (x === "steps" || x === "samples") this.app.setView({ x: pace });
  }

  /** The charts may show a part of a long run. */
  #stretches() {
    const { app, state } = this;
    if (!isLong(state)) return [];
    const isAll = !state.view.zoom;
    return [
      { group: texts.stepsShown, text: texts.all, chosen: isAll, act: () => app.zoomTo(null) },
      {
        group: texts.stepsShown,
        text: texts.whereLossesFall,
        chosen: false,
        act: () => app.zoomToFall(),
      },
    ];
  }
}

/** Letters of the measured run's name; with many runs the others show only their shapes. */
const LETTERS = { few: 10, many: 12 };

const MEASURES = Object.entries(MEASURE_TEXTS).map(([value, { text }]) => ({
  value: value as Measure,
  text,
}));

/** A menu's line: "np.abs(dW).sum(): All entries of dW, without signs, added." */
const lineOf = ({ formula, says }: { formula?: string; says: string }) =>
  [formula, says].filter(Boolean).join(": ");

export class GradientHead extends ExperimentElement {
  override shows(state: State) {
    return [
      state.view.panel,
      state.view.measure,
      state.view.layer,
      state.experiment?.id,
      choiceOf(state).value,
      costWords(state),
      readingWords(state),
      windowWords(state),
      ...runSwitchParts(state),
    ];
  }

  override render() {
    const { app, state } = this;
    const { panel, measure } = state.view;
    const isGradients = panel === "gradients";
    const { text, sign } = MEASURE_TEXTS[measure];
    return html`<h2>${isGradients ? texts.gradients : texts.instruments}</h2>${this.#choice(isGradients ? text : choiceOf(state).text)}
      ${
        isGradients
          ? termOf(measure, sign, `${sign}: ${TERMS[measure].name}`)
          : choiceOf(state).gauges.map((gauge) =>
              isTerm(kindOf(gauge)) ? termByKey(kindOf(gauge), gauge.name) : nothing,
            )
      }
      <span class="sub">${isGradients ? texts.perLayer + windowWords(state) : costWords(state)}</span>
      <span class="unseen">${readingWords(state)}</span>
      ${
        isGradients
          ? layerSwitch(state, app)
          : html`<span class="end"><span>${runSwitch(state, app, texts.runMeasured, LETTERS)}</span></span>`
      }`;
  }

  /** The button that names what stands below the loss, and changes it. */
  #choice(text: string) {
    return html`<button type="button" class="button quiet choice" aria-label=${texts.xChooseWhatIsBelowThe(text)}
      aria-haspopup="menu" @click=${this.#open}>${text}${icon("chevron")}</button>`;
  }

  #open() {
    const { app, state } = this;
    const { panel, measure } = state.view;
    const isGradients = panel === "gradients";
    openMenu(() => this.querySelector(".choice"), texts.belowTheLoss, [
      ...MEASURES.map(({ value, text }) => ({
        group: texts.gradientPerLayer,
        text,
        line: lineOf(TERMS[value]),
        chosen: isGradients && measure === value,
        act: () => app.setView({ panel: "gradients", measure: value }),
      })),
      ...choicesFor(state).map(({ value, text }) => ({
        group: texts.instruments,
        text,
        chosen: !isGradients && choiceOf(state).value === value,
        act: () => app.setView({ panel: "instruments", instruments: value }),
      })),
    ]);
  }
}
