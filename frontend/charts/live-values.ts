/**
 * Values in labels that change with each beat: Plotly draws less often, and a label shows the same
 * step as the table.
 * Owns: which value a text shows, and writing it when it changes. Knows no chart and no DOM.
 */

import type { State } from "../core/types.ts";

/** the value of a run's series at the step on view, in words */
export interface LiveValue {
  run: string;
  series: string;
  word: (value: number | undefined) => string;
}

/** Shows other words in a label. */
export type Show = (words: string) => void;

export function createLiveValues() {
  let values: { value: LiveValue; show: Show; shown: string | null }[] = [];
  return {
    /** Forgets all: other labels are drawn. */
    clear: () => void (values = []),
    follow: (value: LiveValue, show: Show) => void values.push({ value, show, shown: null }),
    /** Writes the values on view; touches only what changes. */
    update({ runs }: State) {
      for (const each of values) {
        const { run, series, word } = each.value;
        if (!runs[run]) continue;
        const words = word(runs[run].latest[series]?.value);
        if (words !== each.shown) each.show(words);
        each.shown = words;
      }
    },
  };
}
