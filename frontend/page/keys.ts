/**
 * Actions of keys: one table for the listener and the help.
 * Owns: keys and their words.
 */

import { after, heroOf, nextHero, nextPicture } from "../core/pictures.ts";
import { nextSpeed } from "../ui/scales.ts";
import { toggledPresent } from "./present-words.ts";
import { nextTheme } from "./theme.ts";
import { lineFrom, toggledInspector } from "../features/inspector/inspection.ts";
import { openQuestion } from "../core/questions.ts";
import { batchOf, samplingOf } from "../core/sampling.ts";
import { isLogSteps } from "../core/long-runs.ts";
import { mayChange } from "../core/selectors.ts";
import * as texts from "../words/english.ts";
import type { Sampling } from "../core/sampling.ts";
import type { App, Experiment, Measure, Run, State, View } from "../core/types.ts";

/** what only the page itself can do */
export type Page = { fit: () => void; summary: () => void; recipe: () => void; axes: () => void };
interface Key {
  does: string;
  caps: string[]; // as printed in the help
  key: string; // KeyboardEvent.key, lower case; "" for Esc, which dialogs and sheets handle
  shift?: boolean;
  ctrl?: boolean; // with Ctrl or ⌘
  once?: boolean; // a held key counts once, else it would toggle
  always?: boolean; // works when single keys are off
  when?: (state: State) => boolean; // otherwise the browser gets the key
  act?: ((app: App, page: Page, key: string) => unknown) | undefined;
}

const MEASURES: Measure[] = ["grad_l1", "grad_l2", "grad_mean", "ratio", "whole"];
const SAMPLINGS: Sampling[] = ["gd", "mini", "sgd"];
const RULES = ["sgd", "momentum", "adam"];

function selected(app: App) {
  const { runs, order, view } = app.store.get();
  return runs[view.selectedRun ?? ""] ?? runs[order[0]];
}

const isPresenting = ({ view }: State) => view.hero !== null;

/** A sheet over the inspector closes first. */
const isDrawerOpen = ({ view }: State) => view.inspector && view.sheet === null;

const closeTop = (app: App) =>
  app.setView(isPresenting(app.store.get()) ? { hero: null } : { inspector: false });

/** Before play the number of an answer, then of a run. */
function betOrSelect(app: App, key: string) {
  const place = Number(key) - 1;
  const question = openQuestion(app.store.get());
  if (question && question.choices[place]) return app.bet(question.choices[place].id);
  const name = app.store.get().order[place];
  if (name) app.setView({ selectedRun: name, networkRun: name });
}

/** @param caps as printed in the help */
const on = (
  does: string,
  caps: string[],
  key: string,
  act?: Key["act"],
  more: Partial<Key> = {},
): Key => ({ does, caps, key, act, ...more });

const ALWAYS = { always: true };
const ON_THE_PAGE = { when: (state: State) => !isPresenting(state) };
const IN_A_STEP = { always: true, when: ({ view }: State) => view.inspector };
const RUNS = ["1", "2", "3", "4", "5", "6", "7", "8"];

export const KEYS: Key[] = [
  on(texts.playOrPause, [texts.space], " ", (app) => app.toggle(), { once: true, always: true }),
  on(texts.oneStepOnBack, ["→", "←"], "arrowright", (app) => app.forward(1), ALWAYS),
  on(texts.oneStepOnBack, ["→", "←"], "arrowleft", (app) => app.back(1), ALWAYS),
  on(texts.oneEpoch, [texts.shift, "→"], "arrowright", (app) => app.forwardEpoch(1), {
    shift: true,
    always: true,
  }),
  on(texts.backToLive, ["L"], "l", (app) => app.lookAt(null)),
  on(texts.previousNextEvent, [",", "."], ",", (app) => app.lookAtMarker(-1)),
  on(texts.previousNextEvent, [",", "."], ".", (app) => app.lookAtMarker(1)),
  on(texts.resetToStep0, ["R"], "r", (app) => app.reset()),
  on(texts.undo, [texts.ctrl, "Z"], "z", (app) => app.undo(), {
    ctrl: true,
    always: true,
    when: ({ notice }) => Boolean(notice?.undo),
  }),
  on(texts.slowerFaster, ["[", "]"], "[", (app) => changeSpeed(app, -1)),
  on(texts.slowerFaster, ["[", "]"], "]", (app) => changeSpeed(app, 1)),
  ...RUNS.map((key) =>
    on(texts.betOnAnAnswerThenSelect, RUNS, key, (app) => betOrSelect(app, key)),
  ),
  on(texts.switchGDMiniBatchSGD, ["G"], "g", (app) =>
    edit(app, ({ settings }, experiment) => ({
      batch_size: batchOf(after(SAMPLINGS, samplingOf(settings, experiment)), experiment),
    })),
  ),
  on(texts.plainMomentumAdam, ["O"], "o", (app) =>
    edit(app, (run) => ({ optimizer: after(RULES, run.settings.optimizer) })),
  ),
  on(texts.nextPictureLossFitOrMap, ["V"], "v", (app) => {
    const state = app.store.get();
    const hero = heroOf(state);
    app.setView(
      hero ? { hero: nextHero(state, hero) } : { picture: nextPicture(state, innerWidth) },
    );
  }),
  on(texts.presentOnePictureStopPresenting, ["P"], "p", (app) => view(app, toggledPresent), {
    once: true,
    when: ({ experiment }) => experiment !== null,
  }),
  on(texts.stepsOrLogSteps, ["X"], "x", (app) => {
    const state = app.store.get();
    app.setView({ x: "steps", logSteps: state.view.x === "steps" ? !isLogSteps(state) : null });
  }),
  on(texts.axes, ["Y"], "y", (_, page) => page.axes()),
  on(texts.gradientMeasure, ["M"], "m", (app) =>
    view(app, ({ measure }) => ({ measure: after(MEASURES, measure) })),
  ),
  on(texts.fitTheAxes, ["0"], "0", (app, page) => {
    page.fit();
    view(app, ({ fallFits }) => ({ fallFits: fallFits + 1 }));
  }),
  on(texts.recipe, ["B"], "b", (_, page) => page.recipe(), ON_THE_PAGE),
  on(
    texts.theDoctorsFirstRemedy,
    ["D"],
    "d",
    (app) => mayChange(app.store.get()) && app.setView({ dialog: "remedy" }),
  ),
  on(
    texts.lineByLine,
    ["I"],
    "i",
    (app) => app.setView(toggledInspector(app.store.get())),
    ON_THE_PAGE,
  ),
  on(texts.previousNextLine, ["↑", "↓"], "arrowup", (app) => chooseLine(app, -1), IN_A_STEP),
  on(texts.previousNextLine, ["↑", "↓"], "arrowdown", (app) => chooseLine(app, 1), IN_A_STEP),
  on(
    texts.share,
    ["S"],
    "s",
    (app) => app.store.get().experiment && app.setView({ dialog: "share" }),
  ),
  on(texts.theme, ["T"], "t", (app) => view(app, ({ theme }) => ({ theme: nextTheme(theme) }))),
  on(texts.chartSummaryAsATable, ["A"], "a", (_, page) => page.summary()),
  on(texts.wordsAndKeys, ["?"], "?", (app) => app.setView({ dialog: "help", word: null })),
  on(texts.readAChartThatHasThe, ["←", "→", texts.home, texts.end], "", undefined, ALWAYS),
  on(texts.close, [texts.esc], "escape", closeTop, {
    always: true,
    when: (state) => isPresenting(state) || isDrawerOpen(state),
  }),
];

const view = (app: App, change: (view: View) => Partial<View>) =>
  app.setView(change(app.store.get().view));
const changeSpeed = (app: App, by: 1 | -1) =>
  app.setSpeed(nextSpeed(app.store.get().playback.speed, by));
const chooseLine = (app: App, by: 1 | -1) => app.setView(lineFrom(app.store.get(), by));

function edit(app: App, change: (run: Run, experiment: Experiment) => Record<string, any>) {
  const [run, { experiment }] = [selected(app), app.store.get()];
  if (run && experiment) app.edit(run.name, change(run, experiment));
}

/** One line of help for keys with the same meaning. */
export const helpLines = () =>
  KEYS.filter(({ does }, place) => KEYS.findIndex((other) => other.does === does) === place);
