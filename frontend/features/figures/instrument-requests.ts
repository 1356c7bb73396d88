/**
 * Requests the open instruments of the inspected run, and at a past step the maps and curves in sight:
 * one request at a time. At the present these come with the beat. The server says how long to pause after each, so that measuring slows
 * training by 5 % at most.
 * Owns: when to request, and what.
 */

import { CURVE, curvedRuns } from "../../core/data-picture.ts";
import { mappedRuns, mapRequest } from "../../core/decision-map.ts";
import { inspectedRun } from "../../core/inspected.ts";
import { choiceOf, measuredAt, openInstruments, placeOf } from "../../core/instruments.ts";
import type { Place } from "../../core/instruments.ts";
import type { State } from "../../core/types.ts";
import type { Clients } from "../../core/net/api.ts";

type Question = Place & { name: string };

/** Least time between two requests, in ms: people read the results. */
const LEAST = 100;
/** Wait after no request or no answer, in ms. */
const IDLE = 500;
const TROUBLED = 2_000;

const pastPictures = (state: State) =>
  state.looking
    ? [
        ...mappedRuns(state).map(({ name: run }) => ({ run, name: mapRequest(state) })),
        ...curvedRuns(state).map(({ name: run }) => ({ run, name: CURVE })),
      ]
    : [];

export function createInstrumentRequests({ api, store, environment }: Clients) {
  /** The moment of each last answer; the oldest is requested first. */
  let answers: Map<string, string> = new Map();
  let timer: any = null;
  let isAsking = false;
  let stopped = false;
  let freeAt = -Infinity;

  function open(state: State): Question[] {
    const at = state.view.panel === "instruments" ? measuredAt(state) : null;
    return [
      ...(at ? openInstruments(state).map((name) => ({ ...at, name })) : []),
      ...pastPictures(state).map(({ run, name }) => ({ ...placeOf(state, state.runs[run]), name })),
    ];
  }

  const keyOf = ({ run, name }: Question) => `${run.name} ${name}`;

  const momentOf = (state: State, { run, step }: Question) =>
    [state.experiment?.id, run.name, run.generation, step].join(" ");

  /** The panel is visible and the connection works. */
  const isOn = (state: State) =>
    state.experiment &&
    !environment.hidden() &&
    ["ready", "live"].includes(state.connection.status);

  /** Open requests without an answer for this moment, the oldest first. */
  function due(state: State) {
    const missing = isOn(state)
      ? open(state).filter((question) => answers.get(keyOf(question)) !== momentOf(state, question))
      : [];
    const order = [...answers.keys()];
    return missing.sort((a, b) => order.indexOf(keyOf(a)) - order.indexOf(keyOf(b)));
  }

  /** Open figures whose specification is not loaded. */
  const unknown = (state: State) =>
    state.view.panel === "instruments"
      ? choiceOf(state)
          .gauges.map(({ figure }) => figure)
          .filter((figure) => !state.figures[figure])
      : [];

  /** Loads a specification, once an experiment. */
  async function specify(state: State, id: string) {
    for (const name of unknown(state)) {
      const figure = await api.figure(id, name, { filled: false });
      if (store.get().experiment?.id === id) store.dispatch({ type: "figure", name, figure });
    }
  }

  /**
   * Loads a missing specification, and measures unless another figure has the same answer already.
   */
  async function ask(state: State, question: Question | undefined) {
    const id = (state.experiment as NonNullable<State["experiment"]>).id;
    await specify(state, id);
    if (!question) return 0;
    const { run, step, isPast, name } = question;
    const [instrument, query] = name.split("?");
    const answer = await api.instrument(id, run.name, instrument, isPast ? step : undefined, query);
    answers.delete(keyOf(question));
    answers.set(
      keyOf(question),
      state.playback.playing && !isPast ? "" : momentOf(state, question),
    );
    if (store.get().experiment?.id === id)
      store.dispatch({ type: "instrument", run: run.name, name, answer });
    return answer.again_seconds ?? 0;
  }

  async function turn() {
    timer = null;
    const state = store.get();
    const [question] = due(state);
    if (!question && !(isOn(state) && unknown(state).length)) return plan(IDLE);
    isAsking = true;
    const began = environment.now();
    const again = await ask(state, question).catch(() => null);
    isAsking = false;
    const plays = store.get().playback.playing;
    // a slow answer means a busy server: wait as long again
    const pause =
      again === null
        ? TROUBLED
        : plays
          ? Math.max(LEAST, 1000 * again, environment.now() - began)
          : 0;
    freeAt = environment.now() + pause;
    plan(pause);
  }

  function plan(ms: number) {
    environment.clearTimeout(timer);
    const state = store.get();
    if (!stopped && (openInstruments(state).length || pastPictures(state).length))
      timer = environment.setTimeout(turn, ms);
  }

  const hurry = () => void (isAsking || plan(Math.max(0, freeAt - environment.now())));

  const unwatch = [
    store.watch(
      (state) => [
        state.view.panel,
        state.view.instruments,
        inspectedRun(state)?.name,
        state.experiment?.id,
        mapRequest(state),
        ...pastPictures(state).map(({ run }) => run),
      ],
      hurry,
    ),
    store.watch(
      (state) =>
        state.playback.playing && !state.looking
          ? ""
          : open(state)
              .map((question) => momentOf(state, question))
              .join(),
      hurry,
    ),
  ];

  return {
    stop() {
      stopped = true;
      unwatch.forEach((stop) => stop());
      environment.clearTimeout(timer);
      answers = new Map();
    },
  };
}
