/**
 * state, message -> state. Messages are the server's and a few local ones.
 * Owns: the change of each message; events.ts handles events. Pure: no clock, no network, no DOM.
 * series.ts holds the columns.
 */

import { closedWith } from "./closed-strips.ts";
import { EVENTS, withStorage, without } from "./events.ts";
import { selectTroubledRun, withEvidence } from "./findings.ts";
import { experimentOf, newest, runsOf, withNewerRecipes } from "./experiment-answer.ts";
import { exhibitLanes } from "./exhibits.ts";
import { withFallLine } from "./fall-line.ts";
import { FIRST, withMeasured } from "./instruments.ts";
import { withoutLostZoom } from "./long-runs.ts";
import { frameOf, withoutLostPast } from "./state-on-view.ts";
import { withPlayback, reachesPlanned, settled, withRun } from "./parts.ts";
import type {
  ExperimentAnswer,
  Json,
  Lane,
  Message,
  PendingCommand,
  State,
  Undoable,
} from "./types.ts";
import type { RunAtBeat } from "./run-look.ts";

export function initialState(): State {
  return {
    connection: {
      kind: "websocket",
      reason: null,
      isNoteClosed: false,
      status: "connecting",
      latency: null,
      retryIn: null,
      progress: null,
      lastStep: null,
      areLinesBlocked: false,
    },
    catalog: null,
    experiment: null,
    runs: {},
    order: [],
    playback: { playing: false, speed: 60, pace: "steps" },
    view: {
      x: "steps",
      logSteps: null,
      zoom: null,
      y: "log",
      layer: null,
      showsTest: true,
      showsBand: true,
      measure: "grad_l1",
      panel: "gradients",
      instruments: FIRST,
      predicted: "map",
      mapInputs: null,
      isMapSeen: false,
      picture: "loss",
      maps: 0,
      hero: null,
      fallFrame: null,
      fallFits: 0,
      theme: "auto",
      selectedRun: null,
      networkRun: null,
      isRunChosen: false,
      singleKeys: true,
      closedDivergences: [],
      sheet: null,
      opened: null,
      dialog: null,
      word: null,
      explains: false,
      inspector: false,
      line: null,
      firstSample: 0,
      samplesShown: 4,
    },
    pending: {},
    undoable: null,
    notice: null,
    problem: null,
    loading: null,
    waitingFor: null,
    figures: {},
    instruments: {},
    fallLine: null,
    samples: null,
    frames: 0,
    finer: 0,
    beat: null,
    inspection: null,
    looking: null,
    offer: null,
    isDrawingSlow: false,
    isWatching: false,
    isReadOnly: false,
    bet: null,
    story: null,
  };
}

/** Playing follows an unanswered command, else the status of the runs. */
function withPlaying(state: State) {
  const commands = Object.values(state.pending).filter((command) =>
    ["play", "pause", "step", "reset"].includes(command.do),
  );
  const newest = commands.at(-1);
  const playing = newest
    ? newest.do === "play"
    : Object.values(state.runs).some((run) => run.status === "playing");
  const { status } = state.connection;
  const word: State["connection"]["status"] =
    status !== "ready" && status !== "live" ? status : playing ? "live" : "ready";
  const playback =
    playing === state.playback.playing ? state.playback : { ...state.playback, playing };
  const connection = word === status ? state.connection : { ...state.connection, status: word };
  return playback === state.playback && connection === state.connection
    ? state
    : { ...state, playback, connection };
}

/** The object before if the next one has the same content, so that nothing is drawn for it. */
const kept = <T>(before: T, after: T): T =>
  JSON.stringify(before) === JSON.stringify(after) ? before : after;

/**
 * The server's whole answer about an experiment. At full speed one comes every second, with finer
 * buckets of a run.
 * @param token only if it is new
 * @param lanes by run, if they are known from before
 */
function opened(
  state: State,
  incoming: ExperimentAnswer,
  token?: string | null,
  lanes: Record<string, Lane> = {},
): State {
  const again = state.experiment?.id === incoming.id;
  const answer = again ? withNewerRecipes(incoming, state) : incoming;
  const allLanes = again ? lanes : { ...exhibitLanes(state, answer.recipe), ...lanes };
  const runs = runsOf(answer, state.runs, again, allLanes);
  const order = answer.runs.map(({ name }) => name);
  const keep = (name: string | null) => (name && order.includes(name) ? name : (order[0] ?? null));
  const playback = again
    ? withPlayback(state, answer)
    : withPlayback(
        { ...state, pending: {}, playback: { ...state.playback, isOwn: false } },
        answer,
      );
  return selectTroubledRun(
    settled({
      ...withStorage(state, answer.read_only ?? false),
      experiment: kept(
        state.experiment,
        experimentOf(answer, again ? state.experiment : null, token),
      ),
      runs,
      order,
      playback,
      loading: null,
      waitingFor: null,
      pending: again ? state.pending : {},
      beat: again ? state.beat : null,
      looking: again ? state.looking : null,
      offer: again ? state.offer : null,
      figures: again ? state.figures : {},
      instruments: again ? state.instruments : {},
      fallLine: again ? state.fallLine : null,
      view: kept(state.view, {
        ...state.view,
        selectedRun: keep(state.view.selectedRun),
        networkRun: keep(state.view.networkRun),
        isRunChosen: again && state.view.isRunChosen,
      }),
    }),
  );
}

/** @param incoming a run in a frame */
function framed(state: State, name: string, incoming: Json) {
  const run = state.runs[name];
  if (!run || incoming.generation < run.generation) return state;
  const again = incoming.generation > run.generation;
  if (!again && incoming.step < run.step)
    return withRun(state, name, { latest: newest(run.latest, incoming.latest) });
  const next = withRun(state, name, {
    status: incoming.status,
    step: incoming.step,
    epoch: incoming.epoch,
    samplesSeen: incoming.samples_seen,
    generation: incoming.generation,
    doctor: incoming.doctor ?? run.doctor, // only in frames where it changed
    latest: newest(again ? {} : run.latest, incoming.latest),
    divergedAt: incoming.status === "diverged" ? (run.divergedAt ?? incoming.step) : null,
    findings: again ? [] : withEvidence(run.findings, incoming.findings),
    findingsCompleteTo: incoming.findings_complete_to ?? 0,
    verdict: incoming.verdict ?? null,
    harm: incoming.harm ?? null,
    ...(again ? { units: null, predictions: null, weights: null } : {}),
  });
  return reachesPlanned(run, incoming.step) ? settled(next) : next;
}

const undoableOf = ({ do: what, run, body }: PendingCommand, undo: string): Undoable => ({
  do: what,
  run: run ?? body?.run ?? null,
  undo,
});

/** Removes a command from the pending ones, and applies its answer if there is one. */
function answered(state: State, id: string, answer: Json | null) {
  const { [id]: command, ...pending } = state.pending;
  const undoable = command && answer?.undo ? undoableOf(command, answer.undo) : state.undoable;
  const before = command ? { ...state, pending, undoable } : state;
  if (command?.do === "remove_run" && answer) return without(before, command.run ?? "");
  if (answer && Array.isArray(answer.runs)) return opened(before, answer as any);
  if (command?.do === "edit" && answer)
    return EVENTS.edit(settled(before), { run: command.run, ...answer });
  return settled(before);
}

/** A refused edit leaves no label behind; one given since stays. */
function withLabelBefore(state: State, { run, body, labelBefore }: Partial<PendingCommand> = {}) {
  const isOwn = labelBefore !== undefined && state.runs[run ?? ""]?.label === body?.label;
  return isOwn ? withRun(state, run as string, { label: labelBefore }) : state;
}

/**
 * The runs at this beat, with their units, weights and predictions. An answer for a past generation
 * is dropped, and one that is later than frames shown without it moves no counter back.
 */
function withBeat(state: State, incoming: Record<string, RunAtBeat>): State {
  const current = Object.entries(incoming).filter(
    ([name, { shown }]) => state.runs[name]?.generation === shown.generation,
  );
  const next = current.reduce(
    (before, [name, { shown, looks }]) =>
      withRun(before, name, {
        ...looks,
        latest: newest(before.runs[name].latest, shown.latest),
      }),
    state,
  );
  const newer = ([name, { shown }]: [string, RunAtBeat]) => {
    const before = state.beat?.[name];
    const isOld = before?.generation === shown.generation && before.step > shown.step;
    return [name, isOld ? before : shown];
  };
  return { ...next, beat: Object.fromEntries(current.map(newer)) };
}

const withMaps = (state: State, maps: { run: string; name: string; answer: Json }[] = []) =>
  maps.reduce(withMeasured, state);

const withSheet = (state: State, inspection: State["inspection"] = null): State =>
  inspection && inspection.experiment === state.experiment?.id ? { ...state, inspection } : state;

const MESSAGES: Record<string, (state: State, message: Message) => State> = {
  catalog: (state, { catalog }) => settled({ ...state, catalog }),
  loading: (state, { since }) => ({
    ...state,
    loading: since === null ? null : { since },
    waitingFor: null,
  }),
  waiting: (state, { problem }) => ({ ...state, waitingFor: problem }),
  opened: (state, { answer, token = null, watching = false, lanes }) => ({
    ...opened({ ...state, problem: null }, answer, token, lanes),
    isWatching: watching,
  }),
  experiment: (state, { state: answer }) => opened(state, answer),
  frame(state, { runs }) {
    const next = Object.entries<Json>(runs).reduce(
      (before, [name, incoming]) => framed(before, name, incoming),
      state,
    );
    return { ...next, frames: state.frames + 1 };
  },
  event: (state, event) => EVENTS[event.event]?.(state, event) ?? state,
  sent(state, { id, do: what, run = null, body }) {
    // a command that waits may be sent again: it moves to the end
    const { [id]: waited, ...others } = state.pending;
    const labelBefore = waited?.labelBefore ?? state.runs[run ?? ""]?.label;
    const renames = what === "edit" && body.label;
    const pending = {
      ...others,
      [id]: { do: what, run, body, ...(renames ? { labelBefore } : {}) },
    };
    const playback =
      what === "play" ? { ...state.playback, ...body, isOwn: false } : state.playback;
    const next = settled({ ...state, pending, playback, problem: null });
    return renames ? withRun(next, run, { label: body.label }) : next;
  },
  ack: (state, { id, answer }) => answered(state, id, answer ?? {}),
  error: (state, { id, problem }) => ({
    ...answered(withLabelBefore(state, state.pending[id ?? ""]), id ?? "", null),
    problem,
  }),
  connection: (state, { type: _, ...part }) => ({
    ...state,
    connection: { ...state.connection, ...part },
    beat: ["ready", "live", undefined].includes(part.status) ? state.beat : null,
  }),
  token: (state, { token }) =>
    state.experiment ? { ...state, experiment: { ...state.experiment, token } } : state,
  view: (state, { part }) => ({
    ...state,
    view: kept(state.view, {
      ...state.view,
      ...(part.networkRun ? { isRunChosen: true } : {}),
      // a zoom is one of its axis
      ...(part.x && part.x !== state.view.x ? { zoom: null } : {}),
      ...part,
    }),
  }),
  playback: (state, { part }) => ({
    ...state,
    playback: { ...state.playback, ...part, isOwn: true },
  }),
  hidden: (state, { run, hidden }) => withRun(state, run, { hidden }),
  closed: (state, { runs }) => ({
    ...state,
    view: { ...state.view, closedDivergences: closedWith(state, runs) },
  }),
  beat: (state, { runs, maps, sheet }) => withSheet(withMaps(withBeat(state, runs), maps), sheet),
  late: (state) => ({
    ...state,
    beat: Object.fromEntries(Object.values(state.runs).map((run) => [run.name, frameOf(run)])),
  }),
  look: (state, { step }) => ({
    ...state,
    offer: null,
    beat: null,
    looking: step === null ? null : { step, moments: state.looking?.moments ?? {} },
  }),
  moments: (state, { moments }) =>
    state.looking
      ? {
          ...state,
          looking: { ...state.looking, moments: { ...state.looking.moments, ...moments } },
        }
      : state,
  inspected: (state, { inspection }) => ({ ...state, inspection }),
  offer: (state, { offer }) => ({ ...state, offer }),
  instrument: (state, message) => withMeasured(state, message as any),
  "fall line": (state, message) => withFallLine(state, message),
  figure: (state, { name, figure }) => ({
    ...state,
    figures: { ...state.figures, [name]: figure },
  }),
  samples: (state, { samples }) => ({ ...state, samples }),
  bet: (state, { bet }) => ({ ...state, bet }),
  story: (state, { story }) => ({ ...state, story }),
  notice: (state, { notice }) => ({ ...state, notice }),
  problem: (state, { problem }) => ({ ...state, problem }),
  closer: (state) => ({ ...state, finer: state.finer + 1 }),
  slowed: (state, { isSlow }) => ({ ...state, isDrawingSlow: isSlow }),
};

export function reduce(state: State, message: Message): State {
  const change = MESSAGES[message.type];
  return change
    ? withPlaying(withoutLostZoom(state, withoutLostPast(change(state, message))))
    : state;
}
