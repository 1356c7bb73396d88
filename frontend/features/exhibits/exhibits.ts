/** Words about the exhibit on the page. Pure. */

import { exhibitOf } from "../../core/exhibits.ts";
import type { Exhibit } from "../../core/exhibits.ts";
import type { State } from "../../core/types.ts";

export const OWN = "Your own experiment";

/**
 * The page's title: the exhibit's, or a fixed one for an own experiment; "" before either is known.
 */
export const titleOf = (state: State) =>
  state.experiment && state.catalog ? (exhibitOf(state)?.title ?? OWN) : "";

/** "Adam: both runs start at step 0." */
export function startWords({ title, recipe: { runs } }: Exhibit) {
  const who =
    runs.length === 1
      ? "the run starts"
      : runs.length === 2
        ? "both runs start"
        : `all ${runs.length} runs start`;
  return `${title}: ${who} at step 0.`;
}
