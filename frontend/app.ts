/**
 * The page's commands, joined from store, columns, connection, REST and storage.
 * Owns: the commands. No DOM. Pages and components receive an app; nothing here knows them.
 */

import { createApi, Refused } from "./core/net/api.ts";
import { createShareAddress } from "./features/sharing/share-address.ts";
import { createLinkOpener } from "./features/sharing/link-opener.ts";
import { createFinerColumns } from "./features/figures/finer-columns.ts";
import { createCommands } from "./core/net/commands.ts";
import { browserEnvironment } from "./core/net/environment.ts";
import { createSampleRequests } from "./features/predictions/sample-requests.ts";
import { createFallLineRequests } from "./features/fallline/fall-line-requests.ts";
import { createInstrumentRequests } from "./features/figures/instrument-requests.ts";
import { createStepRequests } from "./features/inspector/step-requests.ts";
import { createLocalStore } from "./core/net/local-storage.ts";
import { createConnection } from "./core/net/connection.ts";
import { createPastView } from "./features/transport/past-view.ts";
import { createRunRequests } from "./core/net/run-requests.ts";
import { pack } from "./features/sharing/link-packing.ts";
import { createRemedies } from "./features/doctor/remedy-runner.ts";
import { createChangeUndo } from "./features/transport/change-undo.ts";
import { createExperimentLoader, watchOf } from "./core/net/experiment-loader.ts";
import { exhibitCalled, exhibitOf, playbackOf } from "./core/exhibits.ts";
import { startWords } from "./features/exhibits/exhibits.ts";
import { createStoryRequests } from "./features/questions/story-requests.ts";
import { askedExhibit, openQuestion, untilOf } from "./core/questions.ts";
import { forkOf } from "./core/forks.ts";
import { FIRST } from "./core/instruments.ts";
import { inspectedRun } from "./core/inspected.ts";
import { endWords } from "./core/now-words.ts";
import { kernelWords } from "./core/kernel-words.ts";
import { linkOf } from "./features/sharing/links.ts";
import { isLong, zoomAround, zoomThatShows, zoomToFall } from "./core/long-runs.ts";
import { nextMarker } from "./core/markers.ts";
import { furthestStep, shownStep, stepOf } from "./core/state-on-view.ts";
import { isCut } from "./core/selectors.ts";
import { openedAs, recipeWords } from "./features/sharing/opened-file.ts";
import { overWords } from "./core/run-words.ts";
import { changedRecipe, freshWords, joinedChanges, nextRun } from "./core/recipes.ts";
import { labelAfterReset, namedEdit } from "./core/run-names.ts";
import { initialState, reduce } from "./core/reduce.ts";
import { createSeriesStore } from "./core/series.ts";
import { createStore } from "./core/store.ts";
import * as texts from "./words/english.ts";
import type { Changes } from "./core/recipes.ts";
import type { App, Environment, Json, View } from "./core/types.ts";

const READ_ONLY = {
  title: texts.thisPageIsReadOnly,
  detail: texts.onlyTheBrowserThatCreatedThis,
};

/** The result under its name, or why it failed. */
const outcome = (name: string, request: Promise<any>) =>
  request.then(
    (thing) => ({ [name]: thing }),
    (error) => {
      if (error instanceof Refused) return { problem: error.problem };
      throw error;
    },
  );

export function createApp(environment: Environment = browserEnvironment()): App {
  const localStore = createLocalStore(environment.storage);
  const initial = initialState();
  const store = createStore(
    { ...initial, view: { ...initial.view, ...localStore.view() } },
    reduce,
  );
  const series = createSeriesStore();
  const api = createApi(environment.fetch, environment.address, () =>
    localStore.owner(environment.secret),
  );
  const connection = createConnection(environment, store, series);
  const clients = { api, store, environment, series };
  const shareAddress = createShareAddress(clients);
  const loader = createExperimentLoader(clients, localStore, connection, series);
  const runRequests = createRunRequests(clients);
  const instrumentRequests = createInstrumentRequests(clients);
  const fallLineRequests = createFallLineRequests(clients);
  const sampleRequests = createSampleRequests(clients);
  const lookCloser = createFinerColumns(clients);
  const pastView = createPastView(clients);
  const stepRequests = createStepRequests(clients);
  const storyRequests = createStoryRequests(clients);
  const commands = createCommands(store, environment.uuid, (message) =>
    connection.handle({ type: "command", message }),
  );
  const { dispatch } = store;
  const stops: (() => void)[] = [];
  const setView = (part: Partial<View>) => dispatch({ type: "view", part });

  function command(what: string, run?: string | null, body?: Json) {
    if (store.get().experiment?.token === null)
      return void dispatch({ type: "problem", problem: READ_ONLY });
    commands.command(what, run, body);
  }

  /**
   * Steps requested while others run are joined: a held key is one command at a time, and at most
   * one epoch waits.
   */
  const queued = { steps: 0, epochs: 0 };
  const isPending = (...what: string[]) =>
    Object.values(store.get().pending).some((pending) => what.includes(pending.do));

  /** Says what helps if no run can go on: the server would only refuse to play or to step. */
  function saysEnd() {
    const text = endWords(store.get());
    if (text) dispatch({ type: "notice", notice: { kind: "info", text } });
    return text !== null;
  }

  /** A step follows any play or pause requested before it, even one that still waits. */
  function stepOn() {
    const unit = queued.epochs ? "epochs" : "steps";
    const count = queued[unit];
    if (count === 0 || isPending("step", "play", "pause")) return;
    queued[unit] = 0;
    command("step", null, { [unit]: count });
  }

  /** Play, pause or reset cancels steps that wait. */
  function insteadOfSteps(what: string, run?: string | null, body?: Json) {
    Object.assign(queued, { steps: 0, epochs: 0 });
    command(what, run, body);
  }

  /** Changes to the experiment that is being created; later ones are added to it. */
  let changes: Changes = {};

  /** Reverts the last command that can be undone; its notice names it. */
  let takeBack: () => void | Promise<void> = loader.undo;

  function notifyWithUndo(text: string, undo: () => void | Promise<void>, waits?: string) {
    takeBack = undo;
    dispatch({ type: "notice", notice: { kind: "info", text, waits, undo: true } });
  }

  const changeUndo = createChangeUndo({ api, store, notify: notifyWithUndo });

  /** A reset, or the removal of a run, which can be undone. */
  function lose(what: "reset" | "remove_run", run: string | null) {
    const state = store.get();
    changeUndo.remember(what, run);
    if (run === null) insteadOfSteps(what);
    else command(what, run);
    for (const name of what === "reset" ? (run === null ? state.order : [run]) : []) {
      const label = labelAfterReset(state, name);
      if (label !== null) command("edit", name, { label });
    }
  }

  const remedies = createRemedies({
    store,
    command,
    offer: (run, change) => offer(run, change),
    notify: notifyWithUndo,
  });

  function followAnswers() {
    commands.answered();
    remedies.answered();
    stepOn();
  }

  /** Plays a fresh exhibit at its own speed and pace. */
  function playExhibit() {
    const part = playbackOf(store.get());
    if (part) dispatch({ type: "playback", part });
  }

  function recallBet(id?: string) {
    const bet = id === undefined ? null : localStore.bet(id);
    if (bet) dispatch({ type: "bet", bet });
  }

  /** The last play ends with the question. */
  let endsWithQuestion = false;

  function play() {
    const { speed, pace } = store.get().playback;
    const until = untilOf(store.get());
    endsWithQuestion = until !== null;
    insteadOfSteps("play", null, { speed, pace, ...(until && { until }) });
  }

  /** An edit makes an exhibit one's own experiment. That has no question, and does not end with it. */
  function playOn() {
    const state = store.get();
    if (endsWithQuestion && state.playback.playing && askedExhibit(state) === null) play();
  }

  /** Stepping with the step inspector open pauses first, so that its content stays. */
  function holdToRead() {
    const state = store.get();
    if (state.view.inspector && state.playback.playing && !state.looking) insteadOfSteps("pause");
  }

  /**
   * Shows a past step; looking at the newest step returns to live. Without a line half of the page
   * would stay at another step: the server has what units and predictions were then.
   */
  function lookAt(step: number | null) {
    const target =
      step === null || step >= furthestStep(store.get()) ? null : Math.max(0, Math.round(step));
    if (target !== null && isCut(store.get()))
      return dispatch({
        type: "notice",
        notice: { kind: "info", text: texts.lookingBackNeedsTheServer },
      });
    if (target !== (store.get().looking?.step ?? null)) dispatch({ type: "look", step: target });
    if (target !== null) zoom(zoomThatShows(store.get(), target));
  }

  function zoom(range: View["zoom"]) {
    if (range !== store.get().view.zoom) setView({ zoom: range });
  }

  /** Shows the next or previous mark; of a long run with some steps on either side. */
  function lookAtMarker(direction: 1 | -1) {
    const state = store.get();
    const step = nextMarker(state, shownStep(state), direction);
    if (isLong(state) && !isCut(state)) setView({ x: "steps", zoom: zoomAround(state, step) });
    lookAt(step);
  }

  const linkOpener = createLinkOpener({
    environment,
    store,
    loader,
    command,
    lookAt,
    opened: () => void (takeBack = linkOpener.goBack),
  });

  function fork(run: string, change: Json = {}) {
    const state = store.get();
    if (!state.runs[run]) return;
    command("add_run", null, forkOf(state, run, stepOf(state.runs[run], shownStep(state)), change));
    lookAt(null);
  }

  /** Past steps stay as they were: a change there is offered as a fork. */
  function offer(run: string, change: Json) {
    const { looking, runs } = store.get();
    const isPast = looking !== null && runs[run] !== undefined && looking.step < runs[run].step;
    if (isPast) dispatch({ type: "offer", offer: { run, change, step: looking.step } });
    return isPast;
  }

  /** In the past nothing can play: the selected run is offered a fork from there. */
  const continueHere = () => offer(store.get().view.selectedRun ?? store.get().order[0], {});

  function setPlayback(part: Json) {
    dispatch({ type: "playback", part });
    if (store.get().playback.playing) play();
  }

  /**
   * Creates a fresh experiment with Undo to the one before. Resolves to whether it was created:
   * another request may overtake it.
   */
  async function beginAnother(recipe: Json, text: string) {
    const { playback, experiment } = store.get();
    if (playback.playing && experiment?.token) commands.command("pause");
    const isHere = await loader.create(recipe, { kind: "info", text, undo: true });
    if (isHere) takeBack = loader.undo;
    return isHere;
  }

  return {
    store,
    series,
    async start() {
      stops.push(
        localStore.follow(store),
        store.watch((state) => state.pending, followAnswers),
        store.watch((state) => state.order, remedies.answered),
        store.watch(({ experiment, catalog }) => [experiment?.id, catalog], playExhibit),
        store.watch(({ experiment }) => experiment?.id, recallBet),
        store.watch((state) => askedExhibit(state) === null, playOn),
        // beside charts alone nothing explains the numbers of a story
        environment.isEmbedded ? () => {} : storyRequests.start(),
      );
      environment.listen((signal) =>
        signal === "link" ? void linkOpener.followLink() : connection.hear(signal),
      );
      runRequests.start();
      await linkOpener.begin();
    },
    stop() {
      stops.forEach((stop) => stop());
      runRequests.stop();
      changeUndo.stop();
      instrumentRequests.stop();
      fallLineRequests.stop();
      sampleRequests.stop();
      pastView.stop();
      stepRequests.stop();
      linkOpener.stop();
      loader.stop();
      connection.stop();
    },
    play,
    pause: () => insteadOfSteps("pause"),
    toggle() {
      if (store.get().playback.playing) insteadOfSteps("pause");
      else if (!continueHere() && !saysEnd()) play();
    },
    step(steps = 1) {
      if (saysEnd()) return;
      queued.steps = Math.min(1_000_000, queued.steps + steps);
      stepOn();
    },
    stepEpoch(epochs = 1) {
      if (saysEnd()) return;
      queued.epochs = epochs;
      stepOn();
    },
    catchUp: (run, steps) => command("step", run, { steps }),
    reset: (run) => lose("reset", run ?? null),
    setSpeed: (speed) => setPlayback({ speed }),
    setPace: (pace) => setPlayback({ pace }),
    edit(run, change) {
      if (offer(run, change)) return;
      command("edit", run, namedEdit(store.get(), run, change));
      const text = overWords(store.get().runs[run], change);
      if (text) dispatch({ type: "notice", notice: { kind: "info", text } });
    },
    lookCloser,
    lookAt,
    forward(steps = 1) {
      holdToRead();
      const state = store.get();
      if (state.looking) lookAt(state.looking.step + steps);
      else this.step(steps);
    },
    back(steps = 1) {
      holdToRead();
      const state = store.get();
      const run = inspectedRun(state);
      const here = run ? stepOf(run, shownStep(state)) : shownStep(state);
      lookAt(Math.max(0, here - steps));
    },
    forwardEpoch(epochs = 1) {
      const { looking, experiment, runs, view, order } = store.get();
      const samples = experiment?.trainSamples ?? 1;
      const batch = Math.min(
        samples,
        runs[view.selectedRun ?? order[0]]?.settings.batch_size ?? samples,
      );
      if (looking) lookAt(looking.step + epochs * Math.ceil(samples / batch));
      else this.stepEpoch(epochs);
    },
    lookAtMarker,
    zoomTo: (range) => setView({ x: "steps", zoom: range }),
    zoomToFall: () => setView({ x: "steps", zoom: zoomToFall(store.get(), series) }),
    fork,
    answerOffer(accepted) {
      const offer = store.get().offer;
      dispatch({ type: "offer", offer: null });
      if (accepted && offer) fork(offer.run, offer.change);
      else lookAt(null);
    },
    remedy(remedy) {
      remedies.take(remedy);
      if (remedy.command.do === "add_run") lookAt(null);
    },
    addRun: (body = nextRun(store.get())) => command("add_run", null, body),
    removeRun: (run) => lose("remove_run", run),
    renameRun: (run, label) => command("edit", run, { label }),
    setHidden: (run, hidden) => dispatch({ type: "hidden", run, hidden }),
    async newExperiment(change) {
      const state = store.get();
      if (!state.experiment) return;
      changes = joinedChanges(state.loading ? changes : {}, change);
      const { speed, pace } = state.playback;
      const text = freshWords(changes, state.order.length);
      // the same work goes on at the speed that was set
      if (await beginAnother(changedRecipe(state, changes), text))
        dispatch({ type: "playback", part: { speed, pace } });
    },
    async openExhibit(name) {
      const state = store.get();
      const exhibit = exhibitCalled(state, name);
      if (!exhibit) return;
      if (
        exhibitOf(state) === exhibit ||
        !(await beginAnother(exhibit.recipe, startWords(exhibit)))
      )
        return;
      const { x, measure, panel, instruments } = state.view;
      const { speed: _, pace: __, ...best } = exhibit.view;
      setView({ panel: "gradients", instruments: FIRST, ...best });
      takeBack = () => {
        setView({ x, measure, panel, instruments });
        return loader.undo();
      };
    },
    async openFile(file) {
      const opened = openedAs(file.name, /\.json$/i.test(file.name) ? await file.text() : "");
      if ("problem" in opened) return void dispatch({ type: "problem", problem: opened.problem });
      if ("recipe" in opened)
        return void (await beginAnother(opened.recipe, recipeWords(file.name)));
      const { parameters, problem } = (await outcome(
        "parameters",
        api.sendParameters(file),
      )) as Json;
      if (problem) dispatch({ type: "problem", problem });
      else await this.newExperiment({ network: { start: parameters.id } });
    },
    async undo() {
      const notice = { kind: "info", text: texts.undoing, isBusy: true } as const;
      dispatch({ type: "notice", notice });
      const back = takeBack;
      takeBack = loader.undo;
      try {
        await back();
      } finally {
        if (store.get().notice === notice) dispatch({ type: "notice", notice: null });
      }
    },
    sendTable: (file) => outcome("table", api.sendTable(file)),
    readTable: (id) => outcome("table", api.table(id)),
    restart: loader.restart,
    async linkTo(of, state = store.get()) {
      const link = of === "watch" ? null : linkOf(state, of);
      const fragment =
        of === "watch" ? watchOf(state.experiment?.id ?? "") : link && (await pack(link));
      return fragment && `${await shareAddress()}/#${fragment}`;
    },
    qr: (text) => outcome("svg", api.qr(text)),
    async changeScript() {
      const { inspection, experiment } = store.get();
      if (!inspection || !experiment) return { problem: READ_ONLY };
      return outcome(
        "script",
        api.changeScript(experiment.id, inspection.run, inspection.sheet.step),
      );
    },
    async check(run) {
      const { experiment } = store.get();
      return experiment ? outcome("check", api.check(experiment.id, run)) : {};
    },
    async copyOfOwn() {
      const link = linkOf(store.get(), "moment");
      if (link) await linkOpener.open(link);
    },
    hasFormer: loader.hasFormer,
    goBack: linkOpener.goBack,
    hasEarlier: () => loader.hasBefore() || loader.hasFormer(),
    async openEarlier() {
      const { playback, experiment } = store.get();
      if (playback.playing && experiment?.token) commands.command("pause");
      await (loader.hasBefore() ? loader.undo() : linkOpener.goBack());
    },
    retryNow: () => connection.handle({ type: "hurry" }),
    setView,
    bet(answer) {
      const state = store.get();
      const exhibit = openQuestion(state) && exhibitOf(state);
      if (!exhibit || !state.experiment) return;
      const bet = { experiment: state.experiment.id, exhibit: exhibit.name, answer };
      dispatch({ type: "bet", bet });
    },
    async kernelWords() {
      const { experiment, order, runs } = store.get();
      const [health, answer] = await Promise.all([
        api.health(),
        experiment ? api.experiment(experiment.id) : null,
      ]);
      const kernels = answer?.provenance.kernels ?? {};
      return kernelWords(
        health,
        order
          .filter((name) => kernels[name])
          .map((name) => ({ label: runs[name].label, kernel: kernels[name] })),
        answer?.next_kernel,
      );
    },
    closeLineNote: () => dispatch({ type: "connection", isNoteClosed: true }),
    closeDivergence: (runs) => dispatch({ type: "closed", runs }),
    dismiss() {
      dispatch({ type: "notice", notice: null });
      dispatch({ type: "problem", problem: null });
    },
  };
}
