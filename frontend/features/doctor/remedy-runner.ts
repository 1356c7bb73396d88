/**
 * Applies a remedy of the Doctor at once, and reports it with undo when it is done.
 * Owns: remedies in progress, and showing a new run once it replaces the one in trouble.
 */

import { requestFor, doneWords, undoing, undoingNow, waitsWords } from "./remedies.ts";
import { waitsForLine } from "../../core/selectors.ts";
import type { CommandRequest } from "./remedies.ts";
import type { Json, Remedy, State, Store } from "../../core/types.ts";

type Awaited = {
  experiment: string;
  remedy: Remedy;
  request: CommandRequest;
  undo: CommandRequest;
};

export function createRemedies({
  store,
  command,
  offer,
  notify,
}: {
  store: Store;
  command: (what: string, run: string | null, body?: Json) => void;
  /** offers an edit of the past as a fork; false in the present */
  offer: (run: string, change: Json) => boolean;
  notify: (words: string, undo: () => void, waits: string) => void; // called when it is done
}) {
  let awaited: Awaited[] = [];

  const isPending = (request: CommandRequest) =>
    Object.values(store.get().pending).some(
      (pending) =>
        pending.do === request.do &&
        pending.run === request.run &&
        (request.do === "edit" || pending.body.name === request.body.name),
    );

  const isDone = ({ do: what, body }: CommandRequest) =>
    what === "add_run" ? store.get().runs[body.name] !== undefined : store.get().problem === null;

  /** A new run, or a refusal, may arrive after the answer. */
  const isSettled = (request: CommandRequest) =>
    !isPending(request) && (isDone(request) || store.get().problem !== null);

  function showInstead({ view }: State, { do: what, body }: CommandRequest) {
    if (what === "add_run" && view.networkRun === body.fork_of)
      store.dispatch({ type: "view", part: { networkRun: body.name } });
  }

  return {
    /** Pressing twice applies it once. */
    take(remedy: Remedy) {
      const state = store.get();
      if (awaited.some((each) => each.remedy === remedy)) return;
      // after a lost connection it would be applied some time later, to another step
      if (waitsForLine(state)) return;
      const request = requestFor(state, remedy);
      if (
        !state.experiment ||
        (request.do === "edit" &&
          (!state.runs[request.run ?? ""] || offer(request.run ?? "", request.body)))
      )
        return;
      if (state.experiment.token !== null)
        awaited = [
          ...awaited,
          { experiment: state.experiment.id, remedy, request, undo: undoing(state, request) },
        ];
      command(request.do, request.run, request.body);
    },
    /** Called after an answer or a new run. */
    answered() {
      const settled = awaited.filter(({ request }) => isSettled(request));
      if (!settled.length) return;
      awaited = awaited.filter((each) => !settled.includes(each));
      const state = store.get();
      for (const { experiment, remedy, request, undo } of settled) {
        if (state.experiment?.id !== experiment || !isDone(request)) continue;
        showInstead(state, request);
        notify(
          doneWords(state, remedy, request, undo.body.label),
          () => {
            const { do: what, run, body } = undoingNow(store.get(), request, undo);
            command(what, run, body);
          },
          waitsWords(request),
        );
      }
    },
  };
}
