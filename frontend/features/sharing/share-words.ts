/**
 * Words about a link before it is sent: what it opens, and its limits.
 * Owns: the words. Pure.
 */

import { counter, integer, plural } from "../../core/format.ts";
import { isHere } from "../../core/net/here.ts";
import { shownStep } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { Recipe, State } from "../../core/types.ts";

export type Kind = "moment" | "recipe" | "watch" | "embed";

/** Capacity of a QR code in bytes. */
export const MOST_QR_BYTES = 2_953;

const OPENS: Record<Kind, (state: State) => string> = {
  moment: (state) => texts.opensACopyWithAllEdits(integer(shownStep(state))),
  recipe: () => texts.opensACopyWithAllEditsSentence,
  watch: () => texts.opensThisExperimentLiveAndRead,
  embed: () => texts.showsTheChartsLiveInAnother,
};

export const kinds = (state: State): { value: Kind; text: string }[] => [
  { value: "moment", text: texts.stepXLabel(counter(shownStep(state))) },
  { value: "recipe", text: texts.theRecipe },
  { value: "watch", text: texts.toWatchLive },
  { value: "embed", text: texts.embed },
];

/** Parts of an experiment that a link names but cannot contain. */
const LEFT_BEHIND: { isIn: (recipe: Recipe) => boolean; text: string }[] = [
  {
    isIn: ({ data }) => data.name === "csv",
    text: texts.theDataIsYourOwnTable,
  },
  {
    isIn: ({ network }) => Boolean(network.start),
    text: texts.theInitialWeightsAreYourOwn,
  },
];

/** It shows the experiment itself, no copy. */
export const isLive = (kind: Kind) => kind === "watch" || kind === "embed";

/**
 * Content of a kind of link, and warnings before sending it.
 * @param address of the link, once it is known
 */
export function shareWords(state: State, kind: Kind, address: string | null): string[] {
  const here = [
    texts.onlyThisComputerCanOpenIt,
    ...(isLive(kind) ? [] : [texts.elsewhereAppendThePartFrom]),
  ];
  const recipe = isLive(kind) ? null : state.experiment?.recipe;
  return [
    OPENS[kind](state),
    ...LEFT_BEHIND.filter(({ isIn }) => recipe && isIn(recipe)).map(({ text }) => text),
    ...(address && isHere(address) ? here : []),
  ];
}

/** For an experiment whose edits do not fit in a link. */
export const TOO_LONG = texts.thisRecipeHasTooManyEdits;

/** Only others need a QR code: none for an address that they cannot reach. */
export const hasCode = (link: string | null): link is string => link !== null && !isHere(link);

/** Why a link is too long for a QR code; empty if it is not. */
export function noCodeWords(link: string) {
  const size = new TextEncoder().encode(link).length;
  return size > MOST_QR_BYTES
    ? texts.thisLinkHasXAQR(plural(size, "byte"), integer(MOST_QR_BYTES))
    : "";
}
