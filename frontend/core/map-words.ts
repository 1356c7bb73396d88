/**
 * Words about a map's answer that the large map and the small ones share.
 * Owns: its wrong samples, and the shares or the range of its plane. Pure.
 */

import { decode } from "./columns.ts";
import { integer, number, percent } from "./format.ts";
import * as texts from "../words/english.ts";
import type { Json } from "./types.ts";

/** "3 of 52 upper (as lower)", for each class with errors. */
export function wrongWords({ counts, classes }: Json): string[] {
  return counts.flatMap((row: number[], truth: number) => {
    const all = row.reduce((sum, count) => sum + count, 0);
    const mistakes = row
      .map((count, guess) => ({ count, guess }))
      .filter(({ count, guess }) => count && guess !== truth);
    const wrong = all - row[truth];
    const as = mistakes
      .map(({ count, guess }) =>
        mistakes.length > 1
          ? texts.xAsY(integer(count), classes[guess])
          : texts.asX(classes[guess]),
      )
      .join(", ");
    return wrong ? [texts.xOfYZ(integer(wrong), integer(all), classes[truth], as)] : [];
  });
}

/** There are inputs beside the two of the map. */
export const hasOthers = ({ others }: Json) => Object.keys(others ?? {}).length > 0;

/** Share of the plane of each class. */
export function shareWords({ cells, classes }: Json): string {
  const predicted = Array.from(decode(cells.predicted));
  return classes
    .map(
      (name: string, place: number) =>
        `${name} ${percent(predicted.filter((one) => one === place).length / predicted.length)}`,
    )
    .join(", ");
}

/** The values of a regression over the plane: "−1.2 to 3.4". */
export function rangeWords({ cells }: Json): string {
  const values = Array.from(decode(cells.predicted)).filter(Number.isFinite);
  if (!values.length) return texts.nothingFinite;
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, -Infinity],
  );
  return `${number(low)}${texts.toBetween}${number(high)}`;
}
