/** Words for the result of a run's self-check. Pure. */

import { integer } from "../../core/format.ts";
import * as texts from "../../words/english.ts";
import type { Check, SelfCheck } from "../../core/wire-types.ts";

export function verdictOf({ passed }: Check): {
  sign: "check" | "problem" | "dot";
  word: string;
  tone: "ok" | "bad" | "muted";
} {
  if (passed === null) return { sign: "dot", word: texts.doesNotApply, tone: "muted" };
  return passed
    ? { sign: "check", word: texts.passed, tone: "ok" }
    : { sign: "problem", word: texts.failed, tone: "bad" };
}

/** "SGD at step 1,284, made by the compiled kernel: 4 of 4 checks passed." */
export function checkWords(label: string, { step, kernel, checks }: SelfCheck) {
  const applicable = checks.filter(({ passed }) => passed !== null);
  const passed = applicable.filter((each) => each.passed).length;
  const name = kernel === "numpy" ? texts.numpys : texts.theX(kernel);
  return texts.xAtStepYByZ(label, integer(step), name, passed, applicable.length);
}
