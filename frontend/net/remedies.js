/**
 * Applies a remedy of the Doctor at once, and reports it with undo when it is done.
 * Owns: remedies in progress, and showing a new run once it replaces the one in trouble.
 */

import { askedBy, doneWords, undoing, waitsWords } from "../state/remedies.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Remedy} Remedy */
/** @typedef {import("../state/remedies.js").Asked} Asked */
/** @typedef {{experiment: string, remedy: Remedy, asked: Asked, undo: Asked}} Awaited */

/**
 * @param {object} given
 * @param {import("../state/types.js").Store} given.store
 * @param {(what: string, run: string|null, body?: Json) => void} given.command
 * @param {(run: string, change: Json) => boolean} given.offer  offers an edit of the past as a fork; false in the present
 * @param {(words: string, undo: () => void, waits: string) => void} given.tell  called when it is done
 */
export function createRemedies({ store, command, offer, tell }) {
  /** @type {Awaited[]} */
  let awaited = [];

  /** @param {Asked} asked */
  const isPending = (asked) => Object.values(store.get().pending)
    .some((pending) => pending.do === asked.do && pending.run === asked.run && (asked.do === "edit" || pending.body.name === asked.body.name));

  /** @param {Asked} asked */
  const isDone = ({ do: what, body }) => (what === "add_run" ? store.get().runs[body.name] !== undefined : store.get().problem === null);

  /** A new run, or a refusal, may arrive after the answer. @param {Asked} asked */
  const isSettled = (asked) => !isPending(asked) && (isDone(asked) || store.get().problem !== null);

  /** @param {import("../state/types.js").State} state @param {Asked} asked */
  function showInstead({ view }, { do: what, body }) {
    if (what === "add_run" && view.networkRun === body.fork_of) store.dispatch({ type: "view", part: { networkRun: body.name } });
  }

  return {
    /** Pressing twice applies it once. @param {Remedy} remedy */
    take(remedy) {
      const state = store.get();
      if (awaited.some((each) => each.remedy === remedy)) return;
      const asked = askedBy(state, remedy);
      if (!state.experiment || (asked.do === "edit" && (!state.runs[asked.run ?? ""] || offer(asked.run ?? "", asked.body)))) return;
      if (state.experiment.token !== null) awaited = [...awaited, { experiment: state.experiment.id, remedy, asked, undo: undoing(state, asked) }];
      command(asked.do, asked.run, asked.body);
    },
    /** Called after an answer or a new run. */
    answered() {
      const settled = awaited.filter(({ asked }) => isSettled(asked));
      if (!settled.length) return;
      awaited = awaited.filter((each) => !settled.includes(each));
      const state = store.get();
      for (const { experiment, remedy, asked, undo } of settled) {
        if (state.experiment?.id !== experiment || !isDone(asked)) continue;
        showInstead(state, asked);
        tell(doneWords(state, remedy, asked), () => command(undo.do, undo.run, undo.body), waitsWords(asked));
      }
    },
  };
}
