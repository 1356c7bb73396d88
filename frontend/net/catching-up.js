/**
 * How far the page has come after a cut: told by the steps of the run that is furthest behind.
 * Owns: which run that is, and when it is there. Must not know sockets or columns.
 */

/** @typedef {Record<string, {generation: number, step: number}>} Positions */
/** @typedef {{name: string, generation: number, step: number}} Told */

/** @param {() => Positions} positions  first step not yet held, by run */
export function createCatchingUp(positions) {
  /** Those that may be missing something, as the server had them when the line was back. @type {Told[]} */
  let told = [];
  /** @type {{run: string, generation: number, from: number, of: number}|null} */
  let chase = null;

  /** @param {Told} run */
  function heldOf({ name, generation }) {
    const held = positions()[name];
    return held?.generation === generation ? held.step : 0;
  }

  /** After the run that is furthest behind. */
  function choose() {
    const [behind] = told
      .map((run) => ({ run: run.name, generation: run.generation, from: heldOf(run), of: run.step }))
      .sort((a, b) => b.of - b.from - (a.of - a.from));
    chase = behind && behind.of - behind.from > 1 ? behind : null;
  }

  /** Of a run that is gone or began anew nothing more comes. @param {string} run */
  function removed(run) {
    told = told.filter(({ name }) => name !== run);
    if (chase?.run === run) choose();
  }

  /** @returns {{have: number, of: number, run: string}|null} */
  function progress() {
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
     * The line is back: is anything missing?
     * @param {Told[]} runs  as the server has them now
     */
    begin(runs) {
      told = runs;
      choose();
    },
    end: () => void (chase = null),
    removed,
    /** Steps held of those there are, and of which run; or null when all are held. */
    progress,
    get busy() { return chase !== null; },
  };
}
