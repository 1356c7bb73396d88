/**
 * Opens what the page's address names: an experiment in a link, or one to watch.
 * Owns: opening them at the start and later, and stepping the runs to the link's steps. The present experiment stays
 * until another replaces it.
 */

import { isPacked, unpack } from "./packed.js";
import { START_GONE, TABLE_GONE } from "./sent-before.js";
import { watchOf } from "./visits.js";
import { integer } from "../state/format.js";
import { nextSteps, UnreadableLink } from "../state/links.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Problem} Problem */
/** @typedef {import("../state/links.js").Link} Link */

const WATCH = /^watch=([A-Za-z0-9_-]{1,128})$/;

/** @type {Problem} */
const OTHERS_TABLE = {
  title: "This link's data is not on this server.",
  detail: "It uses the sharer's own table, which a link cannot contain. Ask for the CSV file and drop it under Data. Your experiment is unchanged.",
};

/** @type {Problem} */
const OTHERS_START = {
  title: "This link's initial weights are not on this server.",
  detail: "It uses the sharer's own parameters, which a link cannot contain. Ask for the .npz file and open it under Export. Your experiment is unchanged.",
};

/** Words for a refusal of a link's recipe. @param {Problem|null} problem */
function wordsOf(problem) {
  if (problem === TABLE_GONE) return OTHERS_TABLE;
  return problem === START_GONE ? OTHERS_START : problem;
}

/** @param {Link} link */
function openedWords({ steps, view }) {
  const furthest = Math.max(0, ...Object.values(steps));
  const until = furthest ? ` Its steps are replayed, up to ${integer(furthest)}.` : "";
  return `Opened from a link.${until}${view.look === undefined ? "" : ` It shows step ${integer(view.look)}.`}`;
}

/**
 * @param {object} options
 * @param {import("../state/types.js").Environment} options.environment
 * @param {import("../state/types.js").Store} options.store
 * @param {ReturnType<typeof import("./visits.js").createExperimentLoader>} options.loader
 * @param {(what: string, run: string|null, body: import("../state/types.js").Json) => void} options.command
 * @param {(step: number|null) => void} options.lookAt
 * @param {() => void} options.opened  called when undo should return to the former experiment
 */
export function createLinkOpener({ environment, store, loader, command, lookAt, opened }) {
  const { dispatch } = store;
  let unwatch = () => {};
  /** The view before a link changed it. @type {Partial<State["view"]>|null} */
  let viewBefore = null;

  /** @param {Link} link @returns {Promise<boolean>} */
  async function open(link) {
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

  /** @param {Link} link */
  function show({ view: { run, hidden = [], look, ...view } }) {
    const { runs, view: { x, y, measure } } = store.get();
    viewBefore ??= { x, y, measure };
    dispatch({ type: "view", part: { ...view, ...(run && runs[run] ? { selectedRun: run, networkRun: run } : {}) } });
    for (const name of Object.keys(runs)) dispatch({ type: "hidden", run: name, hidden: hidden.includes(name) });
  }

  /** Makes a link's steps, one command at a time. A refusal or another command ends it. @param {Link} link */
  function goOn({ steps, view: { look } }) {
    const id = store.get().experiment?.id;
    unwatch();
    const turn = () => {
      const state = store.get();
      const commands = Object.values(state.pending).map((pending) => pending.do);
      if (state.experiment?.id !== id || state.problem || commands.some((what) => what !== "step" && what !== "edit")) return unwatch();
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
   * @param {string} fragment
   * @returns {Promise<{isLink: boolean, problem: Problem|null}>}  whether it names anything, and why it could not be opened
   */
  async function follow(fragment) {
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
      /** @type {Problem|null} */
      let trouble = null;
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
