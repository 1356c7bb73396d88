/**
 * Undo for a reset and for a removed run: the server keeps their steps for ten minutes.
 * Owns: what the notice says was kept, until the server confirms the change.
 */

import { Refused } from "../../core/net/api.ts";
import { plural } from "../../core/format.ts";
import { furthestStep } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { Clients } from "../../core/net/api.ts";
import type { State, Undoable } from "../../core/types.ts";

/** " The 500 steps are kept." */
const keptWords = (whose: string, steps: number) =>
  steps ? texts.xYZKeptTail(whose, plural(steps, "step"), steps === 1 ? texts.is : texts.are) : "";

/** The words for a change that takes something away; else empty. */
function lossWords(state: State, what: string, name: string | null) {
  const run = name === null ? null : state.runs[name];
  if (what === "remove_run")
    return run ? texts.xIsRemovedY(run.label, keptWords(texts.its, run.step)) : "";
  const steps = run ? run.step : furthestStep(state);
  return steps
    ? texts.xAtStep0Y(run ? texts.xIsBack(run.label) : texts.back, keptWords(texts.the, steps))
    : "";
}

export function createChangeUndo({
  api,
  store,
  notify,
}: Pick<Clients, "api" | "store"> & { notify: (text: string, undo: () => Promise<void>) => void }) {
  /** Words of changes without an answer. */
  const waiting: Map<string, string> = new Map();
  const keyOf = (what: string, run: string | null) => `${what} ${run ?? ""}`;

  async function undo({ undo: id }: Undoable) {
    const { experiment } = store.get();
    try {
      const state = await api.undo(id, experiment?.token ?? null);
      if (store.get().experiment?.id === experiment?.id)
        store.dispatch({ type: "experiment", state });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      store.dispatch({ type: "problem", problem: error.problem });
    }
  }

  const stop = store.watch(
    ({ undoable }) => undoable,
    (change) => {
      if (!change) return;
      const key = keyOf(change.do, change.run);
      const words = waiting.get(key);
      waiting.delete(key);
      if (words) notify(words, () => undo(change));
    },
  );

  return {
    /** Called before the change. */
    remember: (what: "reset" | "remove_run", run: string | null) =>
      void waiting.set(keyOf(what, run), lossWords(store.get(), what, run)),
    stop,
  };
}
