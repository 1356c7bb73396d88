/**
 * Opens what the page's address names: an experiment in a link, or one to watch.
 * Owns: opening them at the start and later, and stepping the runs to the link's steps. The present
 * experiment stays until another replaces it.
 */

import { isPacked, unpack } from "./link-packing.ts";
import { START_GONE, TABLE_GONE } from "../../core/net/missing-uploads.ts";
import { watchOf } from "../../core/net/experiment-loader.ts";
import { integer } from "../../core/format.ts";
import { nextSteps, UnreadableLink } from "./links.ts";
import * as texts from "../../words/english.ts";
import type { Link } from "./links.ts";
import type { Environment, Json, Problem, State, Store } from "../../core/types.ts";
import type { createExperimentLoader } from "../../core/net/experiment-loader.ts";

const WATCH = /^watch=([A-Za-z0-9_-]{1,128})$/;

const OTHERS_TABLE: Problem = {
  title: texts.thisLinksDataIsNotOn,
  detail: texts.itUsesTheSharersOwnTable,
};

const OTHERS_START: Problem = {
  title: texts.thisLinksInitialWeightsAreNot,
  detail: texts.itUsesTheSharersOwnParameters,
};

/** Words for a refusal of a link's recipe. */
function wordsOf(problem: Problem | null) {
  if (problem === TABLE_GONE) return OTHERS_TABLE;
  return problem === START_GONE ? OTHERS_START : problem;
}

function openedWords({ steps, view }: Link) {
  const furthest = Math.max(0, ...Object.values(steps));
  const until = furthest ? texts.itsStepsAreReplayedUpToTail(integer(furthest)) : "";
  return texts.openedFromALinkXY(
    until,
    view.look === undefined ? "" : texts.itShowsStepXTail(integer(view.look)),
  );
}

export function createLinkOpener({
  environment,
  store,
  loader,
  command,
  lookAt,
  opened,
}: {
  environment: Environment;
  store: Store;
  loader: ReturnType<typeof createExperimentLoader>;
  command: (what: string, run: string | null, body: Json) => void;
  lookAt: (step: number | null) => void;
  opened: () => void; // called when undo should return to the former experiment
}) {
  const { dispatch } = store;
  let unwatch = () => {};
  /** The view before a link changed it. */
  let viewBefore: Partial<State["view"]> | null = null;

  async function open(link: Link): Promise<boolean> {
    const notice = { kind: "info", text: openedWords(link), undo: loader.hasOwn() };
    if (!(await loader.open(link.recipe, notice))) {
      dispatch({ type: "problem", problem: wordsOf(store.get().problem) });
      return false;
    }
    opened();
    show(link);
    goOn(link);
    return true;
  }

  function show({ view: { run, hidden = [], look, ...view } }: Link) {
    const {
      runs,
      view: { x, y, measure },
    } = store.get();
    viewBefore ??= { x, y, measure };
    dispatch({
      type: "view",
      part: { ...view, ...(run && runs[run] ? { selectedRun: run, networkRun: run } : {}) },
    });
    for (const name of Object.keys(runs))
      dispatch({ type: "hidden", run: name, hidden: hidden.includes(name) });
  }

  /** Makes a link's steps, one command at a time. A refusal or another command ends it. */
  function goOn({ steps, view: { look } }: Link) {
    const id = store.get().experiment?.id;
    unwatch();
    const turn = () => {
      const state = store.get();
      const commands = Object.values(state.pending).map((pending) => pending.do);
      if (
        state.experiment?.id !== id ||
        state.problem ||
        commands.some((what) => what !== "step" && what !== "edit")
      )
        return unwatch();
      if (commands.includes("step")) return;
      const next = nextSteps(state, steps);
      if (next) return command("step", next.run ?? null, { steps: next.steps });
      unwatch();
      if (look !== undefined) lookAt(look);
    };
    unwatch = store.watch((state) => [state.pending, state.experiment?.id, state.problem], turn);
    turn();
  }

  /**
   * Opens what a fragment names.
   * @returns whether it names anything, and why it could not be opened
   */
  async function follow(fragment: string): Promise<{ isLink: boolean; problem: Problem | null }> {
    const watched = WATCH.exec(fragment);
    if (watched) return { isLink: true, problem: await loader.watch(watched[1]) };
    if (!isPacked(fragment)) return { isLink: false, problem: null };
    try {
      const isOpen = await open(await unpack(fragment));
      return { isLink: true, problem: isOpen ? null : store.get().problem };
    } catch (error) {
      if (!(error instanceof UnreadableLink)) throw error;
      return { isLink: true, problem: error.problem };
    }
  }

  return {
    /** Starts the page: at the address's experiment, else at the stored one. */
    async begin() {
      let trouble: Problem | null = null;
      await loader.begin(async () => {
        const { isLink, problem } = await follow(environment.fragment());
        trouble = problem;
        return isLink && !problem;
      });
      if (trouble) dispatch({ type: "problem", problem: trouble });
    },
    /** Handles a link put into the address of the open page. */
    async followLink() {
      const { experiment, isWatching } = store.get();
      const { isLink, problem } = await follow(environment.fragment());
      if (problem) dispatch({ type: "problem", problem });
      // a place on the page, such as the skip link's, must not end watching
      if (!isLink && isWatching && experiment) environment.setFragment(watchOf(experiment.id));
    },
    open,
    /** Returns to the former experiment and its view. */
    async goBack() {
      await loader.goBack();
      if (viewBefore) dispatch({ type: "view", part: viewBefore });
      viewBefore = null;
    },
    stop: () => unwatch(),
  };
}
