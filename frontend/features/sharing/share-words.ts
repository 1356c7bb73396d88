/**
 * Words about a link before it is sent: what it opens, and its limits.
 * Owns: the words. Pure.
 */

import { counter, integer, plural } from "../../core/format.ts";
import { shownStep } from "../../core/state-on-view.ts";
import type { Recipe, State } from "../../core/types.ts";

export type Kind = "moment" | "recipe" | "watch" | "embed";

/** Capacity of a QR code in bytes. */
export const MOST_QR_BYTES = 2_953;

const OPENS: Record<Kind, (state: State) => string> = {
  moment: (state) =>
    `Opens a copy with all edits, replayed to the same steps, at step ${integer(shownStep(state))}. Same numbers.`,
  recipe: () => "Opens a copy with all edits, at step 0.",
  watch: () => "Opens this experiment live and read-only.",
  embed: () =>
    "Shows the charts live in another page, read-only. FALLLINE_FRAME_ANCESTORS must name that page's origin.",
};

export const kinds = (state: State): { value: Kind; text: string }[] => [
  { value: "moment", text: `Step ${counter(shownStep(state))}` },
  { value: "recipe", text: "The recipe" },
  { value: "watch", text: "To watch live" },
  { value: "embed", text: "Embed" },
];

/** Parts of an experiment that a link names but cannot contain. */
const LEFT_BEHIND: { isIn: (recipe: Recipe) => boolean; text: string }[] = [
  {
    isIn: ({ data }) => data.name === "csv",
    text: "The data is your own table, which a link cannot contain. The link opens on this server only, while it stores the table. Send the CSV file too.",
  },
  {
    isIn: ({ network }) => Boolean(network.start),
    text: "The initial weights are your own file, which a link cannot contain. The link opens on this server only, while it stores the file. Send the .npz file too.",
  },
];

/** It shows the experiment itself, no copy. */
export const isLive = (kind: Kind) => kind === "watch" || kind === "embed";

/** Content of a kind of link, and warnings before sending it. */
export function shareWords(state: State, kind: Kind, address: string): string[] {
  const { hostname } = new URL(address);
  const isHere = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  const here = isLive(kind)
    ? "This address works on this computer only."
    : "This address works on this computer only. Elsewhere, append the part from # to another fallline's address.";
  const recipe = isLive(kind) ? null : state.experiment?.recipe;
  return [
    OPENS[kind](state),
    ...LEFT_BEHIND.filter(({ isIn }) => recipe && isIn(recipe)).map(({ text }) => text),
    ...(isHere ? [here] : []),
  ];
}

/** For an experiment whose edits do not fit in a link. */
export const TOO_LONG = "This recipe has too many edits for a link. Send recipe.json instead.";

/** Why there is no QR code; empty if there can be one. */
export function noCodeWords(link: string) {
  const size = new TextEncoder().encode(link).length;
  return size > MOST_QR_BYTES
    ? `This link has ${plural(size, "byte")}; a QR code holds ${integer(MOST_QR_BYTES)}. Copy the link instead.`
    : "";
}
