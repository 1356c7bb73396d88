/**
 * The overview of long runs: for each run a band from the least to the greatest loss, from step 0 to
 * the end.
 * Owns: its outlines, in a box of BOX. Pure.
 */

import { columnsFor } from "./scene.ts";
import { px } from "./paths.ts";
import { shareOf } from "../core/long-runs.ts";
import { shownRuns } from "../core/state-on-view.ts";
import type { Track } from "../core/long-runs.ts";
import type { Lane, SeriesStore, State } from "../core/types.ts";
import type { Bound } from "./bind.ts";
import type { Horizontal } from "./horizontal.ts";

type Band = { run: string; lane: Lane; d: string };

export const BOX = { width: 1000, height: 100 };
/** Buckets of a run; extremes stay exact. */
const MOST = 250;
/** Free space above and below, as a share of the height. */
const PAD = 0.06;
/** A diverged run leaves through the top, at this many times the first loss. */
const JUMP = 100;

const SERIES = "train_loss";

/** Height of a loss as a share of the box. */
function heights(losses: number[], isLog: boolean, initial: number | null) {
  const place = (loss: number) => (isLog ? Math.log10(loss) : loss);
  const most = Math.max(...losses, 0);
  const top = place(initial ? Math.min(most, JUMP * Math.max(initial, 1)) : most);
  const positive = losses.filter((loss) => loss > 0);
  const bottom = isLog ? place(Math.min(...positive)) : 0;
  const high = top > bottom ? top - bottom : 1;
  return (loss: number) =>
    loss > 0 || !isLog ? Math.min(1, Math.max(0, (place(loss) - bottom) / high)) : 0;
}

function extremes({ first, last, series }: Bound) {
  const stat = series[SERIES];
  return Array.from(first, (step, i) => ({
    step: (step + last[i]) / 2,
    min: (stat?.min[i] ?? Number.NaN) as number,
    max: (stat?.max[i] ?? Number.NaN) as number,
  })).filter(({ min, max }) => Number.isFinite(min) && Number.isFinite(max));
}

export function overviewBands(state: State, series: SeriesStore, track: Track): Band[] {
  const zoom = { x: null, y: null };
  const { end, log } = track;
  const axis: Horizontal = { axis: "steps", log, range: [0, end], end };
  const columns = columnsFor({ state, series, zoom }, axis, [SERIES], MOST);
  const bands = shownRuns(state)
    .filter(({ name }) => columns[name])
    .map(({ name, lane }) => ({ name, lane, places: extremes(columns[name]) }));
  const losses = bands.flatMap(({ places }) => places.flatMap(({ min, max }) => [min, max]));
  if (!losses.length) return [];
  const { y } = state.view;
  const heightOf = heights(losses, y === "log", state.experiment?.initialLoss ?? null);
  const down = (loss: number) => BOX.height * (1 - PAD - (1 - 2 * PAD) * heightOf(loss));
  return bands.map(({ name, lane, places }) => {
    const edge = (which: "min" | "max") =>
      places.map((at) => `${px(BOX.width * shareOf(track, at.step))},${px(down(at[which]))}`);
    const outline = [...edge("max"), ...edge("min").reverse()];
    return { run: name, lane, d: outline.length ? `M${outline.join("L")}Z` : "" };
  });
}
