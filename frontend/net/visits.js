/**
 * Which experiment the page is at: the one kept from the last visit, the exhibit, a changed one, the one before, that of a link.
 * Owns: coming, leaving and going back; the figures that belong to an experiment. Must not know the socket's protocol.
 */

import { Refused } from "./api.js";
import { backoff } from "./backoff.js";
import { goneWords } from "./sent-before.js";
import { recipeNow, seriesFor } from "../state/recipes.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").ExperimentAnswer} ExperimentAnswer */
/** @typedef {import("../state/types.js").Problem} Problem */
/** @typedef {import("./keeper.js").Kept} Visit */

const FIGURES = ["loss", "gradients"];
/** For so long an experiment is not given up; nor before the socket has gone over to another, which may take longer on a bad line. */
const LEAVING = 2_000;
const RESTARTED = { kind: "info", text: "The server restarted. Your recipe is safe; the run starts again at step 0." };

/** @type {Problem} */
const NOT_THERE = {
  title: "The experiment to watch is not there.",
  detail: "It may have been deleted, or it is on another server. Your own is as you left it.",
};

/** The fragment that lets others watch. @param {string} id */
export const watchOf = (id) => `watch=${id}`;

/** @param {unknown} error @returns {error is Refused} */
const isPassing = (error) => error instanceof Refused && (error.problem.status === undefined || error.problem.status >= 500 || error.problem.status === 429);
/** @param {unknown} error */
const isUnknown = (error) => error instanceof Refused && error.problem.status === 404;

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./api.js").createApi>} given.api
 * @param {import("../state/types.js").Environment} given.environment
 * @param {ReturnType<typeof import("./keeper.js").createKeeper>} given.keeper
 * @param {ReturnType<typeof import("./line.js").createLine>} given.line
 * @param {ReturnType<typeof import("../state/series.js").createSeriesBook>} given.series
 * @param {import("../state/types.js").Store} given.store
 */
export function createVisits({ api, environment, keeper, line, series, store }) {
  const { dispatch } = store;
  /** The latest asked for wins, in whatever order answers come. */
  let asked = 0;
  /** @type {Visit|null} */
  let before = null;
  const unwatchRuns = store.watch((state) => [state.experiment?.id, ...state.order], () => void drawAgain());

  /** @param {ExperimentAnswer} answer @param {string|null} token @param {boolean} [watching] */
  function enter(answer, token, watching = false) {
    series.clear();
    dispatch({ type: "opened", answer, token, watching });
    environment.setFragment(watching ? watchOf(answer.id) : "");
    const { experiment } = store.get();
    if (experiment) line.handle({ type: "watch", what: { experiment: answer.id, token, series: seriesFor(experiment) } });
  }

  /** Figures are specified by the server; the page fills them itself. */
  async function drawAgain() {
    const id = store.get().experiment?.id;
    if (!id) return;
    await Promise.all(FIGURES.map(async (name) => {
      const figure = await persist(() => api.figure(id, name)).catch(() => null);
      if (figure && store.get().experiment?.id === id) dispatch({ type: "figure", name, figure });
    }));
  }

  /** Where there is nothing else to see yet, the page says what it waits for. @param {Refused} refused */
  function sayWhy({ problem }) {
    if (!store.get().experiment) dispatch({ type: "waiting", problem });
  }

  /**
   * Again and again while the server does not answer, is full, or cannot store.
   * @template T
   * @param {() => Promise<T>} call
   * @returns {Promise<T>}
   */
  async function persist(call) {
    for (let attempt = 0; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (!isPassing(error) || stopped) throw error;
        sayWhy(error);
        const wait = Math.max(1000 * error.retryAfter, 100 + backoff(attempt, 0, environment.random()));
        await new Promise((go) => environment.setTimeout(() => go(undefined), wait));
      }
    }
  }

  let stopped = false;

  /**
   * @param {Json} recipe
   * @param {Json|null} notice
   * @param {(left: Visit|null) => void} [keep]  what becomes of the one that is left
   * @returns {Promise<boolean>}  is it what the page shows now?
   */
  async function create(recipe, notice, keep = remember) {
    const turn = ++asked;
    // who leaves what they watch has their own to go back to
    const left = leaving() ?? (store.get().isWatching ? keeper.experiment() : null);
    dispatch({ type: "loading", since: environment.now() });
    try {
      const { token, ...answer } = await persist(() => api.create(recipe));
      if (turn !== asked) {
        giveUp({ id: answer.id, token });
        return false;
      }
      keep(left);
      enter(answer, token);
      dispatch({ type: "notice", notice });
      return true;
    } catch (error) {
      if (turn === asked) refuse(error);
      return false;
    }
  }

  /** One's own experiment is left for a link's: it is not given up however much comes after. @param {Visit|null} left */
  const keepFormer = (left) => void keeper.addFormer(left ?? keeper.experiment());

  /**
   * Somebody else's experiment, to be looked at.
   * @param {string} id
   * @returns {Promise<Problem|null>}  why not
   */
  async function watch(id) {
    const turn = ++asked;
    const left = leaving();
    try {
      const answer = await persist(() => api.experiment(id));
      if (turn !== asked) return null;
      keepFormer(left);
      enter(answer, null, true);
      dispatch({ type: "notice", notice: null });
      return null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return isUnknown(error) ? NOT_THERE : error.problem;
    }
  }

  /** To the experiment that was left last for a link's. */
  async function goBack() {
    const back = keeper.formers().at(-1);
    if (!back) return;
    const turn = ++asked;
    const left = leaving();
    try {
      const answer = await persist(() => api.experiment(back.id));
      if (turn !== asked) return;
      keeper.turnFormers(left);
      enter(answer, back.token);
      dispatch({ type: "notice", notice: null });
    } catch (error) {
      if (!isUnknown(error)) return refuse(error);
      await create(back.recipe, RESTARTED, keeper.turnFormers);
    }
  }

  /** @param {unknown} error */
  function refuse(error) {
    if (!(error instanceof Refused)) throw error;
    dispatch({ type: "loading", since: null });
    dispatch({ type: "problem", problem: goneWords(error.problem) });
  }

  /** One's own. @returns {Visit|null} */
  function leaving() {
    const state = store.get();
    const recipe = recipeNow(state);
    return state.experiment && recipe && !state.isWatching ? { id: state.experiment.id, token: state.experiment.token, recipe } : null;
  }

  /** One step back is kept; what lies further back is given up, on the server too, unless it was left for a link's. @param {Visit|null} left */
  function remember(left) {
    if (before && before.id !== left?.id && !keeper.formers().some(({ id }) => id === before?.id)) giveUp(before);
    before = left;
  }

  /** The socket leaves first: an experiment that ends while it is watched ends the socket too. @param {{id: string, token: string|null}} visit */
  function giveUp(visit) {
    const leave = () => (line.hasArrived() ? void api.remove(visit.id, visit.token).catch(() => {}) : giveUp(visit));
    environment.setTimeout(leave, LEAVING);
  }

  /** The catalog's first exhibit; the server's own default where it has none. */
  const exhibit = () => store.get().catalog?.exhibits?.[0]?.recipe ?? {};

  /** @param {() => Promise<boolean>} byLink  opens what a link asks for; false where there is none, or it cannot */
  async function begin(byLink) {
    dispatch({ type: "loading", since: environment.now() });
    const learned = persist(api.catalog).then((catalog) => dispatch({ type: "catalog", catalog }));
    learned.catch(() => {}); // awaited below; until then it must not count as unhandled
    if (await byLink()) return void (await learned.catch(refuse));
    const kept = keeper.experiment();
    try {
      if (kept) enter(await persist(() => api.experiment(kept.id)), kept.token);
      await learned;
      if (!kept) await create(exhibit(), null);
    } catch (error) {
      if (!kept || !isUnknown(error)) return refuse(error);
      keeper.forget();
      await learned.catch(refuse);
      await create(kept.recipe, RESTARTED);
      const { experiment, problem } = store.get();
      if (experiment) return;
      await create(exhibit(), null);
      dispatch({ type: "problem", problem });
    }
  }

  async function undo() {
    const back = before;
    if (!back) return;
    const turn = ++asked;
    before = null;
    const left = leaving();
    dispatch({ type: "notice", notice: null });
    try {
      const answer = await persist(() => api.experiment(back.id));
      if (turn !== asked) return;
      enter(answer, back.token);
      if (left) giveUp(left);
    } catch (error) {
      if (!isUnknown(error)) return refuse(error);
      await create(back.recipe, null);
    }
  }

  return {
    begin,
    create,
    /** As `create`, of a link. @param {Json} recipe @param {Json|null} notice */
    open: (recipe, notice) => create(recipe, notice, keepFormer),
    watch,
    goBack,
    /** Is there an experiment of one's own to come back to? */
    hasOwn: () => (leaving() ?? keeper.experiment()) !== null,
    hasFormer: () => keeper.formers().length > 0,
    undo,
    async restart() {
      const recipe = recipeNow(store.get()) ?? keeper.experiment()?.recipe ?? exhibit();
      before = null;
      if (store.get().isWatching) return void (await create(recipe, null, keepFormer));
      await create(recipe, null);
      before = null;
    },
    stop() {
      stopped = true;
      unwatchRuns();
    },
  };
}
