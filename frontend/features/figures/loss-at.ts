/**
 * A run's train loss at a step, in words.
 * Owns: honest ranges: a bucket of several steps gives its minimum and maximum.
 */

import { number } from "../../core/format.ts";
import * as texts from "../../words/english.ts";
import type { RunSeries } from "../../core/types.ts";

/** @returns null if no loss was evaluated there */
export function lossAt(
  series: RunSeries | null,
  step: number,
): { least: number; most: number } | null {
  const loss = series?.values("train_loss");
  if (!series || !loss) return null;
  const k = series.last.findIndex((last) => last >= step);
  if (k < 0 || series.first[k] > step || !Number.isFinite(loss.min[k])) return null;
  return { least: loss.min[k], most: loss.max[k] };
}

/**
 * The nearby step at which most losses are known: not all are evaluated at every step or at the
 * same ones.
 * @param reach greatest distance
 */
export function tellingStep(all: (RunSeries | null)[], step: number, reach: number) {
  const near = all
    .flatMap((series) => {
      const loss = series?.values("train_loss");
      if (!series || !loss) return [];
      return [...series.last].map((last, k) =>
        Number.isFinite(loss.min[k]) ? Math.min(last, Math.max(series.first[k], step)) : Infinity,
      );
    })
    .filter((each) => Math.abs(each - step) <= reach);
  const count = (at: number) => all.filter((series) => lossAt(series, at)).length;
  return [...new Set([step, ...near])]
    .map((at) => ({ at, count: count(at) }))
    .sort(
      (a, b) => b.count - a.count || Math.abs(a.at - step) - Math.abs(b.at - step) || a.at - b.at,
    )[0].at;
}

/** "0.0118", or "0.0118 to 0.0170". */
export function lossAtWords(loss: ReturnType<typeof lossAt>) {
  if (!loss) return "–";
  const [least, most] = [number(loss.least), number(loss.most)];
  return least === most ? least : texts.xToY(least, most);
}
