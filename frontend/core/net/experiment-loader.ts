/**
 * The page's experiment: the stored one, the exhibit, a changed one, the previous one, or a link's.
 * Owns: opening, leaving and returning; the figures that belong to an experiment.
 */

import { Refused } from "./api.ts";
import { backoff } from "./backoff.ts";
import { missingUploadWords } from "./missing-uploads.ts";
import { plural } from "../format.ts";
import { recipeNow, seriesFor } from "../recipes.ts";
import { furthestStep } from "../state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { ColumnStore } from "../series.ts";
import type { ExperimentAnswer, Json, Problem } from "../types.ts";
import type { Clients } from "./api.ts";
import type { Connection } from "./connection.ts";
import type { Stored as Visit, createLocalStore } from "./local-storage.ts";

const FIGURES = ["loss", "gradients"];
/**
 * Delay before deleting an experiment. The socket must also have moved to the next one, which may
 * take longer.
 */
const LEAVING = 2_000;
/** Delay before bringing back what another tab deleted: its answer comes after the socket closed. */
const RETURNING = 500;
const RESTARTED = {
  kind: "info",
  text: texts.theServerNoLongerHasThisExperimentYourRecipe,
};

const NOT_THERE: Problem = {
  title: texts.theExperimentToWatchIsNot,
  detail: texts.itMayHaveBeenDeletedOr,
};

const NOTHING_TO_SHOW: Problem = {
  title: texts.thereIsNoExperimentToShow,
  detail: texts.theAddressNeedsWatchAndThe,
};

/** The fragment that lets others watch. */
export const watchOf = (id: string) => `watch=${id}`;

const isPassing = (error: unknown): error is Refused =>
  error instanceof Refused &&
  (error.problem.status === undefined ||
    error.problem.status >= 500 ||
    error.problem.status === 429);
const isUnknown = (error: unknown) => error instanceof Refused && error.problem.status === 404;

export function createExperimentLoader(
  { api, environment, store }: Clients,
  localStore: ReturnType<typeof createLocalStore>,
  connection: Connection,
  series: ColumnStore,
) {
  const { dispatch } = store;
  /** The latest request wins, in any order of answers. */
  let latest = 0;
  let before: Visit | null = null;
  const unwatchMeasure = store.watch(({ view }) => view.measure, watchFrames);
  const unwatchRuns = store.watch(
    (state) => [state.experiment?.id, ...state.order],
    () => void drawAgain(),
  );

  function enter(answer: ExperimentAnswer, token: string | null, watching = false) {
    series.clear();
    dispatch({ type: "opened", answer, token, watching, lanes: localStore.lanes(answer.id) });
    environment.setFragment(watching ? watchOf(answer.id) : "");
    watchFrames();
  }

  /** Requests frames with the series on view. */
  function watchFrames() {
    const { experiment, view } = store.get();
    if (!experiment) return;
    const { id, token } = experiment;
    const series = seriesFor(experiment, view.measure);
    connection.handle({ type: "watch", what: { experiment: id, token, series } });
  }

  /** Loads the figures' specifications; the page fills them. */
  async function drawAgain() {
    const id = store.get().experiment?.id;
    if (!id) return;
    await Promise.all(
      FIGURES.map(async (name) => {
        const figure = await persist(() => api.figure(id, name, { filled: false })).catch(
          () => null,
        );
        if (figure && store.get().experiment?.id === id) dispatch({ type: "figure", name, figure });
      }),
    );
  }

  /** Shows why there is nothing to see yet. */
  function sayWhy({ problem }: Refused) {
    if (!store.get().experiment) dispatch({ type: "waiting", problem });
  }

  /** Retries while the server does not answer, is full, or cannot store. */
  async function persist<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (!isPassing(error) || stopped) throw error;
        sayWhy(error);
        const wait = Math.max(
          1000 * error.retryAfter,
          100 + backoff(attempt, 0, environment.random()),
        );
        await new Promise((go) => environment.setTimeout(() => go(undefined), wait));
      }
    }
  }

  let stopped = false;

  /** Opens an experiment. One that this browser has deleted comes back with its steps. */
  async function reopened({ id, token }: Pick<Visit, "id" | "token">): Promise<ExperimentAnswer> {
    try {
      return await persist(() => api.experiment(id));
    } catch (error) {
      const undo = isUnknown(error) ? localStore.undoOf(id) : null;
      if (undo === null) throw error;
      return await persist(() => api.undo(undo, token)).catch(() => {
        throw error; // too late
      });
    }
  }

  /** A tab of this browser has deleted the experiment that is shown here. */
  const unwatchLine = store.watch(
    ({ connection: { status } }) => status,
    (status) => {
      if (status === "restarted") environment.setTimeout(() => void returnDeleted(), RETURNING);
    },
  );

  async function returnDeleted() {
    const { experiment, connection: line } = store.get();
    if (line.status !== "restarted" || !experiment?.token || !localStore.undoOf(experiment.id))
      return;
    const turn = ++latest;
    const answer = await reopened(experiment).catch(() => null);
    if (answer && turn === latest) enter(answer, experiment.token);
  }

  /**
   * @param keep what to do with the experiment that is left
   * @returns whether the page shows it now
   */
  async function create(
    recipe: Json,
    notice: Json | null,
    keep: (left: Visit | null) => void = remember,
  ): Promise<boolean> {
    if (environment.isEmbedded) {
      dispatch({ type: "waiting", problem: NOTHING_TO_SHOW });
      return false;
    }
    const turn = ++latest;
    // leaving a watched experiment leads back to one's own
    const left = leaving() ?? (store.get().isWatching ? localStore.experiment() : null);
    dispatch({ type: "loading", since: environment.now() });
    try {
      const { token, ...answer } = await persist(() => api.create(recipe));
      if (turn !== latest) {
        giveUp({ id: answer.id, token });
        return false;
      }
      keep(left);
      enter(answer, token);
      dispatch({ type: "notice", notice });
      return true;
    } catch (error) {
      if (turn === latest) refuse(error);
      return false;
    }
  }

  /** Remembers one's own experiment while a link's is open; it is not deleted. */
  const keepFormer = (left: Visit | null) =>
    void localStore.addFormer(left ?? localStore.experiment());

  /**
   * Shows somebody else's experiment.
   * @returns why not
   */
  async function watch(id: string): Promise<Problem | null> {
    const turn = ++latest;
    const left = leaving();
    try {
      const answer = await persist(() => api.experiment(id));
      if (turn !== latest) return null;
      keepFormer(left);
      enter(answer, null, true);
      dispatch({ type: "notice", notice: null });
      return null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return isUnknown(error) ? NOT_THERE : error.problem;
    }
  }

  /** Opens the experiment last left for a link. */
  async function goBack() {
    const back = localStore.formers().at(-1);
    if (!back) return;
    const turn = ++latest;
    const left = leaving();
    try {
      const answer = await reopened(back);
      if (turn !== latest) return;
      localStore.turnFormers(left);
      enter(answer, back.token);
      dispatch({ type: "notice", notice: null });
    } catch (error) {
      if (!isUnknown(error)) return refuse(error);
      await create(back.recipe, RESTARTED, localStore.turnFormers);
    }
  }

  function refuse(error: unknown) {
    if (!(error instanceof Refused)) throw error;
    dispatch({ type: "loading", since: null });
    dispatch({ type: "problem", problem: missingUploadWords(error.problem) });
  }

  /** One's own. */
  function leaving(): Visit | null {
    const state = store.get();
    const recipe = recipeNow(state);
    return state.experiment && recipe && !state.isWatching
      ? { id: state.experiment.id, token: state.experiment.token, recipe }
      : null;
  }

  /**
   * Keeps one step back. Older experiments are deleted on the server too, unless left for a link.
   */
  function remember(left: Visit | null) {
    if (
      before &&
      before.id !== left?.id &&
      !localStore.formers().some(({ id }) => id === before?.id)
    )
      giveUp(before);
    before = left;
  }

  /** The socket leaves first: deleting an experiment closes the sockets that watch it. */
  function giveUp(visit: { id: string; token: string | null }) {
    const leave = () =>
      connection.hasArrived() ? void remove(visit).catch(() => {}) : giveUp(visit);
    environment.setTimeout(leave, LEAVING);
  }

  async function remove({ id, token }: { id: string; token: string | null }) {
    const undo = await api.remove(id, token);
    if (undo) localStore.addDeletion(id, undo);
  }

  /** The catalog's first exhibit, or the server's default. */
  const exhibit = () => store.get().catalog?.exhibits?.[0]?.recipe ?? {};

  /** @param byLink opens a link's experiment; false if there is none or it failed */
  async function begin(byLink: () => Promise<boolean>) {
    dispatch({ type: "loading", since: environment.now() });
    const learned = persist(api.catalog).then((catalog) => dispatch({ type: "catalog", catalog }));
    learned.catch(() => {}); // awaited below; until then it must not count as unhandled
    if (await byLink()) return void (await learned.catch(refuse));
    const saved = localStore.experiment();
    try {
      if (saved) enter(await reopened(saved), saved.token);
      await learned;
      if (!saved) await create(exhibit(), null);
    } catch (error) {
      if (!saved || !isUnknown(error)) return refuse(error);
      localStore.forget();
      await learned.catch(refuse);
      await create(saved.recipe, RESTARTED);
      const { experiment, problem } = store.get();
      if (experiment) return;
      await create(exhibit(), null);
      dispatch({ type: "problem", problem });
    }
  }

  async function undo() {
    const back = before;
    if (!back) return;
    const turn = ++latest;
    before = null;
    const left = leaving();
    const steps = furthestStep(store.get());
    try {
      const answer = await reopened(back);
      if (turn !== latest) return;
      enter(answer, back.token);
      if (left && steps) keepUndone(left, steps);
      else if (left) giveUp(left);
    } catch (error) {
      if (!isUnknown(error)) return refuse(error);
      await create(back.recipe, null);
    }
  }

  /** Undo leaves an experiment too: a second undo returns to its steps. */
  function keepUndone(left: Visit, steps: number) {
    before = left;
    const text = texts.theXOfTheOtherExperimentAreKept(plural(steps, "step"), steps);
    dispatch({ type: "notice", notice: { kind: "info", text, undo: true } });
  }

  return {
    begin,
    create,
    /** As `create`, for a link. */
    open: (recipe: Json, notice: Json | null) => create(recipe, notice, keepFormer),
    watch,
    goBack,
    /** True if there is an own experiment to return to. */
    hasOwn: () => (leaving() ?? localStore.experiment()) !== null,
    hasFormer: () => localStore.formers().length > 0,
    /** True if `undo` leads to the experiment before. */
    hasBefore: () => before !== null,
    undo,
    async restart() {
      const recipe = recipeNow(store.get()) ?? localStore.experiment()?.recipe ?? exhibit();
      before = null;
      if (store.get().isWatching) return void (await create(recipe, null, keepFormer));
      await create(recipe, null);
      before = null;
    },
    stop() {
      stopped = true;
      unwatchMeasure();
      unwatchRuns();
      unwatchLine();
    },
  };
}
