/**
 * Words about a map's answer that the large map and the small ones share.
 * Owns: its wrong samples, and the shares or the range of its plane. Pure.
 */

import { decode } from "./columns.ts";
import { integer, number, percent } from "./format.ts";
import { extent } from "./numbers.ts";
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

/**
 * A result, the wrong samples, and the plane with its classes or values: "... Wrong: 3 of 52 upper
 * (as lower). Plane of x1 and x2: upper 48 %, lower 52 %."
 * @param isStandard its inputs are standardized
 */
export function mapSentences(result: string, answer: Json, isStandard: boolean) {
  const isClassified = answer.classes.length > 0;
  const wrong = isClassified ? wrongWords(answer) : [];
  return [
    result,
    wrong.length ? texts.wrongX(wrong.join("; ")) : "",
    texts.planeOfXYZU(
      answer.inputs.join(texts.andBetween),
      isStandard ? texts.bothStandardizedTail : "",
      hasOthers(answer) ? texts.theOthersAtTheirMeanTail : "",
      isClassified ? shareWords(answer) : rangeWords(answer),
    ),
  ]
    .filter(Boolean)
    .join(" ");
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
  const range = extent(Array.from(decode(cells.predicted)).filter(Number.isFinite));
  return range ? range.map(number).join(texts.toBetween) : texts.nothingFinite;
}
