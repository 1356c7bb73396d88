/**
 * Words while presenting: the caption and its line above the picture, and the words below it.
 * Owns: which of them stands there. Pure. pictures.ts has the pictures.
 */

import { openFindings } from "../features/doctor/doctor.ts";
import { dataWords } from "../core/data-picture.ts";
import { planeWords } from "../core/fall-line.ts";
import { glyphOf, toneOf } from "../core/findings.ts";
import { integer, listed, number, plural } from "../core/format.ts";
import { lossWords } from "../core/losses.ts";
import { openQuestion, verdictOf } from "../core/questions.ts";
import { stateOf } from "../core/selectors.ts";
import { shownRuns, shownStep, stateOnView } from "../core/state-on-view.ts";
import * as texts from "../words/english.ts";
import type { RunFinding } from "../features/doctor/doctor.ts";
import type { Glyph } from "../ui/icons.ts";
import type { Hero, Run, State, View } from "../core/types.ts";

const firstHero = ({ picture }: View): Hero =>
  picture === "fall" || picture === "data" ? picture : "loss";

/** Begins to present the picture on view, or leaves. */
export const toggledPresent = (view: View): Partial<View> => ({
  hero: view.hero ? null : firstHero(view),
});

export interface Caption {
  glyph: Glyph | null;
  tone: string;
  title: string;
  line: string;
}

/** Losses this near to each other are level. */
const LEVEL = 1.2;
/** Rules whose title is not about a state that lasts. */
const PASSING = ["diverged", "will_diverge", "spike", "worse_than_before"];

/** The worst finding, else what happened; before the first step the question. */
export function captionOf(state: State): Caption {
  const question = openQuestion(state);
  if (question) {
    const answers = question.choices.map(({ text }) => text).join(", ");
    return { glyph: null, tone: "muted", title: question.prompt, line: answers };
  }
  const worst = openFindings(state).find(({ finding }) => finding.severity !== "info");
  return worst ? captionOfFinding(worst) : captionOfRuns(state);
}

function captionOfFinding({ finding }: RunFinding): Caption {
  const { rule, title, since_step: since, evidence } = finding;
  const when = PASSING.includes(rule) ? "" : texts.sinceStepXTail(integer(since));
  return {
    glyph: glyphOf(finding),
    tone: toneOf(finding),
    title: title.replace(/\.$/, `${when}.`),
    line: evidence,
  };
}

const lossOf = ({ latest }: Run) => latest.train_loss?.value ?? Number.NaN;

/** How many times lower: "1.5", "8", "57". */
const times = (ratio: number) => (ratio < 10 ? `${Number(ratio.toPrecision(2))}` : number(ratio));

function comparison([best, next]: Run[], state: State) {
  if (!next) return texts.xIsY(best.label, stateOf(best, state).word || texts.onItsWay);
  if (lossOf(best) === 0) return texts.xHasLoss0(best.label);
  const ratio = lossOf(next) / lossOf(best);
  return ratio < LEVEL
    ? texts.xAndYAreLevel(best.label, next.label)
    : texts.xIsYTimesLower(best.label, times(ratio));
}

/** The lowest loss beside the next one, with all losses. */
function captionOfRuns(present: State): Caption {
  const state = stateOnView(present);
  const runs = shownRuns(state)
    .filter((run) => Number.isFinite(lossOf(run)))
    .sort((one, other) => lossOf(one) - lossOf(other));
  if (shownStep(state) === 0 || !runs.length)
    return {
      glyph: null,
      tone: "muted",
      title: texts.beforeTheFirstStep,
      line: texts.lossXAtTheStart(number(state.experiment?.initialLoss)),
    };
  const losses = listed(runs.map((run) => `${run.label} ${number(lossOf(run))}`));
  const line = [present.looking ? null : verdictOf(present)?.text, texts.lossX(losses)];
  const isGood = stateOf(runs[0], state).tone === "ok";
  return {
    glyph: isGood ? "check" : "dot",
    tone: isGood ? "ok" : "muted",
    title: comparison(runs, state),
    line: line.filter(Boolean).join(" "),
  };
}

/** The words for the picture. */
export function pictureWords(state: State, hero: Hero) {
  const { view, experiment } = state;
  if (hero === "fall") return planeWords(state);
  if (hero === "data") return dataWords(state);
  if (hero === "gradients")
    return view.panel === "instruments" ? texts.instrumentsWord : texts.gradientByLayerLogScale;
  const samples = plural(experiment?.trainSamples ?? 0, "sample");
  return texts.xOverYZScale(
    lossWords(experiment?.recipe.loss ?? "mse"),
    samples,
    texts.ways[view.y],
  );
}
