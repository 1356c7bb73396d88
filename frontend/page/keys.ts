/**
 * Actions of keys: one table for the listener and the help.
 * Owns: keys and their words.
 */

import { samplingOf } from "../features/runs/run-card.ts";
import { nextSpeed } from "../ui/scales.ts";
import { nextTheme } from "./theme.ts";
import { isInspectorOpen } from "../core/inspected.ts";
import { lineFrom, toggledInspector } from "../features/inspector/inspection.ts";
import { mayChange, X_AXES } from "../core/selectors.ts";
import type { App, Measure, Run, State } from "../core/types.ts";

/** what only the page itself can do */
export type Page = { fit: () => void; summary: () => void; recipe: () => void };
interface Key {
  does: string;
  caps: string[]; // as printed in the help
  key: string; // KeyboardEvent.key, lower case; "" for Esc, which dialogs and sheets handle
  shift?: boolean;
  once?: boolean; // a held key counts once, else it would toggle
  always?: boolean; // works when single keys are off
  when?: (state: State, isPhone: boolean) => boolean; // otherwise the browser gets the key
  act?: (app: App, page: Page, key: string) => void;
}

const MEASURES: Measure[] = ["grad_l1", "grad_l2", "grad_mean", "ratio"];
const SIZES = { gd: 32, mini: 1, sgd: null };
const RULES = ["sgd", "momentum", "adam"];

const after = <T>(list: T[], present: T): T => list[(list.indexOf(present) + 1) % list.length];

function selected(app: App) {
  const { runs, order, view } = app.store.get();
  return runs[view.selectedRun ?? ""] ?? runs[order[0]];
}

/** A sheet over the inspector closes first. */
const isDrawerOpen = ({ view }: State, isPhone: boolean) =>
  view.inspector && !isPhone && view.sheet === null;

function select(app: App, key: string) {
  const name = app.store.get().order[Number(key) - 1];
  if (name) app.setView({ selectedRun: name, networkRun: name });
}

export const KEYS: Key[] = [
  {
    does: "Play or pause",
    caps: ["Space"],
    key: " ",
    once: true,
    always: true,
    act: (app) => app.toggle(),
  },
  {
    does: "One step on, back",
    caps: ["→", "←"],
    key: "arrowright",
    always: true,
    act: (app) => app.forward(1),
  },
  {
    does: "One step on, back",
    caps: ["→", "←"],
    key: "arrowleft",
    always: true,
    act: (app) => app.back(1),
  },
  {
    does: "One epoch",
    caps: ["Shift", "→"],
    key: "arrowright",
    shift: true,
    always: true,
    act: (app) => app.forwardEpoch(1),
  },
  { does: "Back to live", caps: ["L"], key: "l", act: (app) => app.lookAt(null) },
  { does: "Previous, next marker", caps: [",", "."], key: ",", act: (app) => app.lookAtMarker(-1) },
  { does: "Previous, next marker", caps: [",", "."], key: ".", act: (app) => app.lookAtMarker(1) },
  { does: "Reset to step 0", caps: ["R"], key: "r", act: (app) => app.reset() },
  {
    does: "Slower, faster",
    caps: ["[", "]"],
    key: "[",
    act: (app) => app.setSpeed(nextSpeed(app.store.get().playback.speed, -1)),
  },
  {
    does: "Slower, faster",
    caps: ["[", "]"],
    key: "]",
    act: (app) => app.setSpeed(nextSpeed(app.store.get().playback.speed, 1)),
  },
  ...["1", "2", "3", "4"].map((key) => ({
    does: "Select run 1 to 4",
    caps: ["1", "2", "3", "4"],
    key,
    act: (app: App) => select(app, key),
  })),
  {
    does: "Switch GD, mini-batch, SGD",
    caps: ["G"],
    key: "g",
    act: (app) => edit(app, (run) => ({ batch_size: SIZES[samplingOf(run)] })),
  },
  {
    does: "Plain, momentum, Adam",
    caps: ["O"],
    key: "o",
    act: (app) => edit(app, (run) => ({ optimizer: after(RULES, run.settings.optimizer) })),
  },
  {
    does: "Horizontal axis",
    caps: ["X"],
    key: "x",
    act: (app) =>
      app.setView({
        x: after(
          X_AXES.map(({ value }) => value),
          app.store.get().view.x,
        ),
      }),
  },
  {
    does: "Log or linear loss",
    caps: ["Y"],
    key: "y",
    act: (app) => app.setView({ y: app.store.get().view.y === "log" ? "linear" : "log" }),
  },
  {
    does: "Gradient measure",
    caps: ["M"],
    key: "m",
    act: (app) => app.setView({ measure: after(MEASURES, app.store.get().view.measure) }),
  },
  { does: "Fit the axes", caps: ["0"], key: "0", act: (_, page) => page.fit() },
  { does: "Recipe", caps: ["B"], key: "b", act: (_, page) => page.recipe() },
  {
    does: "The Doctor's first remedy (asks first)",
    caps: ["D"],
    key: "d",
    act: (app) => mayChange(app.store.get()) && app.setView({ dialog: "remedy" }),
  },
  {
    does: "Line by line",
    caps: ["I"],
    key: "i",
    act: (app) => app.setView(toggledInspector(app.store.get(), app.environment.narrow())),
  },
  {
    does: "Previous, next line",
    caps: ["↑", "↓"],
    key: "arrowup",
    always: true,
    when: isInspectorOpen,
    act: (app) => app.setView(lineFrom(app.store.get(), -1)),
  },
  {
    does: "Previous, next line",
    caps: ["↑", "↓"],
    key: "arrowdown",
    always: true,
    when: isInspectorOpen,
    act: (app) => app.setView(lineFrom(app.store.get(), 1)),
  },
  {
    does: "Share",
    caps: ["S"],
    key: "s",
    act: (app) => app.store.get().experiment && app.setView({ dialog: "share" }),
  },
  {
    does: "Theme",
    caps: ["T"],
    key: "t",
    act: (app) => app.setView({ theme: nextTheme(app.store.get().view.theme) }),
  },
  { does: "Chart summary as a table", caps: ["A"], key: "a", act: (_, page) => page.summary() },
  { does: "This help", caps: ["?"], key: "?", act: (app) => app.setView({ dialog: "help" }) },
  {
    does: "Read a chart that has the focus",
    caps: ["←", "→", "Home", "End"],
    key: "",
    always: true,
  },
  {
    does: "Close",
    caps: ["Esc"],
    key: "escape",
    always: true,
    when: isDrawerOpen,
    act: (app) => app.setView({ inspector: false }),
  },
];

function edit(app: App, change: (run: Run) => Record<string, any>) {
  const run = selected(app);
  if (run) app.edit(run.name, change(run));
}

/** One line of help for keys with the same meaning. */
export const helpLines = () =>
  KEYS.filter(({ does }, place) => KEYS.findIndex((other) => other.does === does) === place);
