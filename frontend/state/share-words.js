/**
 * Words about a link before it is sent: what it opens, and its limits.
 * Owns: the words. Pure.
 */

import { counter, integer, plural } from "./format.js";
import { shownStep } from "./moments.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {"moment"|"recipe"|"watch"} Kind */

/** Capacity of a QR code in bytes. */
export const MOST_QR_BYTES = 2_953;

/** @type {Record<Kind, (state: State) => string>} */
const OPENS = {
  moment: (state) => `Whoever opens it gets this experiment as one of their own: the recipe with all its edits, made again up to where its runs are, and step ${integer(shownStep(state))} to look at. Same numbers.`,
  recipe: () => "Whoever opens it gets this experiment as one of their own, at step 0: the recipe with all its edits.",
  watch: () => "Whoever opens it sees this very experiment, live, and cannot change it.",
};

/** @param {State} state @returns {{value: Kind, text: string}[]} */
export const kinds = (state) => [
  { value: "moment", text: `Step ${counter(shownStep(state))}` },
  { value: "recipe", text: "The recipe" },
  { value: "watch", text: "To watch live" },
];

/** Parts of an experiment that a link names but cannot contain. @type {{isIn: (recipe: import("./types.js").Recipe) => boolean, text: string}[]} */
const LEFT_BEHIND = [
  {
    isIn: ({ data }) => data.name === "csv",
    text: "The data is a table of your own, which no link can carry: this one opens on this server only, as long as the table is kept. Send the CSV file too.",
  },
  {
    isIn: ({ network }) => Boolean(network.start),
    text: "The first weights are parameters of your own, which no link can carry: this one opens on this server only, as long as they are kept. Send the .npz file too.",
  },
];

/**
 * What a kind of link opens, and what to know before sending it.
 * @param {State} state
 * @param {Kind} kind
 * @param {string} origin
 * @returns {string[]}
 */
export function shareWords(state, kind, origin) {
  const { hostname } = new URL(origin);
  const isHere = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  const here = kind === "watch"
    ? "This page's address is for this computer only: elsewhere the link finds nothing."
    : "This page's address is for this computer only: elsewhere, put what follows # behind the address of a fallline there.";
  const recipe = kind === "watch" ? null : state.experiment?.recipe;
  return [OPENS[kind](state), ...LEFT_BEHIND.filter(({ isIn }) => recipe && isIn(recipe)).map(({ text }) => text), ...(isHere ? [here] : [])];
}

/** For an experiment whose edits do not fit in a link. */
export const TOO_LONG = "This recipe has too many edits for a link. Send its file recipe.json instead.";

/** Why there is no QR code; empty if there can be one. @param {string} link */
export function noCodeWords(link) {
  const size = new TextEncoder().encode(link).length;
  return size > MOST_QR_BYTES ? `This link has ${plural(size, "byte")}, and a QR code holds ${integer(MOST_QR_BYTES)}: copy it instead.` : "";
}
