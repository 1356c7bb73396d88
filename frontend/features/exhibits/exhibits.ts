/** Words about the exhibit on the page. Pure. */

import { exhibitOf } from "../../core/exhibits.ts";
import { isVisitor } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { Exhibit } from "../../core/exhibits.ts";
import type { State } from "../../core/types.ts";

export const OWN = texts.yourOwnExperiment;

/**
 * The page's title: the exhibit's, or whose experiment it is; "" before either is known.
 */
export const titleOf = (state: State) =>
  state.experiment && state.catalog
    ? (exhibitOf(state)?.title ?? (isVisitor(state) ? texts.sharedExperiment : OWN))
    : "";

/** A title as its name and the explanation behind the colon, which may be "". */
export function titleParts(title: string): [name: string, explanation: string] {
  const end = title.indexOf(":");
  return end < 0 ? [title, ""] : [title.slice(0, end), title.slice(end)];
}

/** "Adam: both runs start at step 0." */
export function startWords({ title, recipe: { runs } }: Exhibit) {
  const who =
    runs.length === 1
      ? texts.theRunStarts
      : runs.length === 2
        ? texts.bothRunsStart
        : texts.allXRunsStart(runs.length);
  return texts.xYAtStep0(title, who);
}
