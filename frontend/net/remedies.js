/**
 * What the Doctor advises, done: asked of the server at once, and told with its undo when it is done.
 * Owns: what was asked, until it is answered, and that a run is shown once it is there in place of the one it was made to help. Must
 * not know how a command travels, nor what a remedy is good for.
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
 * @param {(run: string, change: Json) => boolean} given.offer  an edit of the past can only be a fork: is it one, and offered?
 * @param {(words: string, undo: () => void, waits: string) => void} given.tell  it is done
 */
export function createRemedies({ store, command, offer, tell }) {
  /** @type {Awaited[]} */
  let awaited = [];

  /** @param {Asked} asked */
  const isPending = (asked) => Object.values(store.get().pending)
    .some((pending) => pending.do === asked.do && pending.run === asked.run && (asked.do === "edit" || pending.body.name === asked.body.name));

  /** @param {Asked} asked */
  const isDone = ({ do: what, body }) => (what === "add_run" ? store.get().runs[body.name] !== undefined : store.get().problem === null);

  /** That a run is there may be told after the answer, and a refusal with it. @param {Asked} asked */
  const isSettled = (asked) => !isPending(asked) && (isDone(asked) || store.get().problem !== null);

  /** @param {import("../state/types.js").State} state @param {Asked} asked */
  function showInstead({ view }, { do: what, body }) {
    if (what === "add_run" && view.networkRun === body.fork_of) store.dispatch({ type: "view", part: { networkRun: body.name } });
  }

  return {
    /** Pressed twice it is done once. @param {Remedy} remedy */
    take(remedy) {
      const state = store.get();
      if (awaited.some((each) => each.remedy === remedy)) return;
      const asked = askedBy(state, remedy);
      if (!state.experiment || (asked.do === "edit" && (!state.runs[asked.run ?? ""] || offer(asked.run ?? "", asked.body)))) return;
      if (state.experiment.token !== null) awaited = [...awaited, { experiment: state.experiment.id, remedy, asked, undo: undoing(state, asked) }];
      command(asked.do, asked.run, asked.body);
    },
    /** Something was answered, or a run has come. */
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
