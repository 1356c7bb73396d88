/**
 * How far the page has come after a cut: told by the steps of the run that is furthest behind.
 * Owns: which run that is, and when it is there. Must not know sockets or columns.
 */

/** @typedef {Record<string, {generation: number, step: number}>} Positions */
/** @typedef {{name: string, generation: number, step: number}} Told */

/** @param {() => Positions} positions  first step not yet held, by run */
export function createCatchingUp(positions) {
  /** @type {{run: string, from: number, of: number}|null} */
  let chase = null;

  return {
    /**
     * The line is back: is anything missing?
     * @param {Told[]} runs  as the server has them now
     */
    begin(runs) {
      const held = positions();
      const [behind] = runs
        .map(({ name, generation, step }) => ({ run: name, from: held[name]?.generation === generation ? held[name].step : 0, of: step }))
        .sort((a, b) => b.of - b.from - (a.of - a.from));
      chase = behind && behind.of - behind.from > 1 ? behind : null;
    },
    end: () => void (chase = null),
    /** Steps held of those there are, and of which run; or null when all are held. */
    progress() {
      if (!chase) return null;
      const have = Math.max(chase.from, positions()[chase.run]?.step ?? 0);
      if (have < chase.of) return { have, of: chase.of, run: chase.run };
      chase = null;
      return null;
    },
    get busy() { return chase !== null; },
  };
}
