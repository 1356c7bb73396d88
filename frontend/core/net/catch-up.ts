/**
 * Progress of the page after a cut, by the steps of the run furthest behind.
 * Owns: which run that is, and when it has caught up.
 */

export type Positions = Record<string, { generation: number; step: number }>;
export type RunPosition = { name: string; generation: number; step: number };

/** @param positions first missing step, by run */
export function createCatchingUp(positions: () => Positions) {
  /** Runs that may lack something, as the server reported them on reconnecting. */
  let lagging: RunPosition[] = [];
  let chase: { run: string; generation: number; from: number; of: number } | null = null;

  function heldOf({ name, generation }: RunPosition) {
    const position = positions()[name];
    return position?.generation === generation ? position.step : 0;
  }

  /** Follows the run that is furthest behind. */
  function choose() {
    const [behind] = lagging
      .map((run) => ({
        run: run.name,
        generation: run.generation,
        from: heldOf(run),
        of: run.step,
      }))
      .sort((a, b) => b.of - b.from - (a.of - a.from));
    chase = behind && behind.of - behind.from > 1 ? behind : null;
  }

  /** A removed or restarted run sends nothing more. */
  function removed(run: string) {
    lagging = lagging.filter(({ name }) => name !== run);
    if (chase?.run === run) choose();
  }

  function progress(): { have: number; of: number; run: string } | null {
    if (!chase) return null;
    const { run, generation, from, of } = chase;
    if ((positions()[run]?.generation ?? 0) > generation) {
      removed(run);
      return progress();
    }
    const have = Math.max(from, heldOf({ name: run, generation, step: of }));
    if (have < of) return { have, of, run };
    chase = null;
    return null;
  }

  return {
    /**
     * Reconnected: is anything missing?
     * @param runs as the server reports them now
     */
    begin(runs: RunPosition[]) {
      lagging = runs;
      choose();
    },
    end: () => void (chase = null),
    removed,
    /** Steps held, their total, and the run; null when nothing is missing. */
    progress,
    get busy() {
      return chase !== null;
    },
  };
}
