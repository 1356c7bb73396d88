/**
 * The pictures that an experiment and a screen have: over the gradients, and while presenting.
 * Owns: their names, their order, and which one is shown. Pure.
 */

import * as texts from "../words/english.ts";
import type { Experiment, Hero, State } from "./types.ts";

type Picture = State["view"]["picture"];

/** Screens from here on have room for loss and fall line together, and for two maps. */
export const WIDE = 1681;
/** From here on the data's picture stands beside the loss; narrower pages have it in its place. */
export const BESIDE = 960;

/** The data's own picture: of one input the fit, of two the map. */
export type DataPicture = "fit" | "map";

export const dataPictureOf = (experiment: Experiment | null): DataPicture | null =>
  experiment?.features === 1 ? "fit" : experiment?.features === 2 ? "map" : null;

export const DATA_NAMES: Record<DataPicture, string> = { fit: texts.fit, map: texts.mapLabel };

/** The choices of the switch, in the order of key V. */
export function picturesFor({ experiment }: State, width: number) {
  const data = dataPictureOf(experiment);
  const all: { value: Picture; text: string; isHere: boolean }[] = [
    { value: "loss", text: texts.loss, isHere: true },
    { value: "data", text: DATA_NAMES[data ?? "map"], isHere: data !== null && width < BESIDE },
    { value: "fall", text: texts.fallLine, isHere: true },
    { value: "both", text: texts.both, isHere: width >= WIDE },
  ];
  return all.filter(({ isHere }) => isHere).map(({ value, text }) => ({ value, text }));
}

/** The picture that the screen has room for. */
export function shownPicture(state: State, width: number): Picture {
  const { picture } = state.view;
  if (picturesFor(state, width).some(({ value }) => value === picture)) return picture;
  return picture === "both" ? "fall" : "loss";
}

/** The next of a list, in a circle. */
export const after = <T>(all: T[], present: T): T => all[(all.indexOf(present) + 1) % all.length];

export const nextPicture = (state: State, width: number) =>
  after(
    picturesFor(state, width).map(({ value }) => value),
    shownPicture(state, width),
  );

/** The pictures to present, in the order of key V. */
export function heroesFor({ experiment }: State): { value: Hero; text: string }[] {
  const data = dataPictureOf(experiment);
  return [
    { value: "loss", text: texts.loss },
    ...(data ? [{ value: "data" as const, text: DATA_NAMES[data] }] : []),
    { value: "fall", text: texts.fallLine },
    { value: "gradients", text: texts.gradients },
  ];
}

/** The picture presented; null if none is. Another experiment may not have it. */
export const heroOf = (state: State): Hero | null =>
  state.view.hero && !heroesFor(state).some(({ value }) => value === state.view.hero)
    ? "loss"
    : state.view.hero;

export const nextHero = (state: State, hero: Hero) =>
  after(
    heroesFor(state).map(({ value }) => value),
    hero,
  );
