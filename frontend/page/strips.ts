/**
 * Words of the strip above the table: waiting, lost connection, catching up, restarted server,
 * storage failure, refusal, diverged runs.
 * Owns: which one is shown, at most one, and its words. Pure.
 */

import { isClosed } from "../core/closed-strips.ts";
import { runBehind } from "../core/catching-up.ts";
import { openOf } from "../core/findings.ts";
import { integer, listed, plural } from "../core/format.ts";
import { isReadOnlyProblem } from "../core/problem-kinds.ts";
import { isFork, isInForce, noRoomWords, wholeWords } from "../features/doctor/remedies.ts";
import { isVisitor, mayChange } from "../core/selectors.ts";
import { metWords } from "../core/stops.ts";
import * as texts from "../words/english.ts";
import type { App, Connection, LineReason, Run, State } from "../core/types.ts";
import type { Glyph } from "../ui/icons.ts";

export interface Strip {
  kind: string;
  tone: string;
  glyph: Glyph;
  strong: string;
  text: string;
  urgent?: boolean; // announced at once (role alert)
  progress?: { have: number; of: number };
  act?: { text: string; do: (app: App) => void };
  more?: { text: string; href: string };
  close?: (app: App) => void;
}

const sentence = (title: string) => title.replace(/\.?$/, ".");

/** A server's reason with a capital, since it follows a sentence. The name of a field stays. */
const reasonWords = (detail: string) =>
  detail.startsWith("/") ? detail.slice(1) : detail.replace(/^[a-z]+(?=[ ,:])/, texts.capital);

/** True if a run moved when the connection broke: the page's numbers are of that moment. */
const wasMoving = ({ playback, pending }: State) =>
  playback.playing || Object.values(pending).some((command) => command.do === "step");

/** The server's promise for an unwatched experiment, all that is known while disconnected. */
function unwatchedWords({ catalog }: State) {
  const seconds = catalog?.idle_seconds;
  const pauses = seconds === undefined ? "" : texts.forUpToXTail(spanWords(seconds));
  return texts.trainingContinuesXMissedStepsLoad(pauses);
}

/** "10 minutes", "90 seconds". */
const spanWords = (seconds: number) =>
  seconds % 60 === 0
    ? plural(seconds / 60, "minute")
    : plural(Number(seconds.toPrecision(3)), "second");

function connectionStrip(state: State): Strip | null {
  const { status, lastStep, progress, areLinesBlocked } = state.connection;
  const at = lastStep === null ? "" : texts.whereItWasLost(integer(lastStep));
  if (status === "reconnecting" && areLinesBlocked) {
    return {
      kind: status,
      tone: "warn",
      glyph: "warning",
      urgent: true,
      strong: texts.thisNetworkLetsNoLineThrough,
      text: texts.theServerItselfAnswers,
      act: { text: texts.tryNow, do: (app) => app.retryNow() },
      more: { text: texts.checkWhichLineWorks, href: "check" },
    };
  }
  if (status === "reconnecting" || status === "offline") {
    return {
      kind: status,
      tone: "warn",
      glyph: "warning",
      urgent: true,
      strong: texts.connectionLostX(at),
      text: wasMoving(state) ? unwatchedWords(state) : texts.nothingWasPlayingSoNoStep,
      act: { text: texts.tryNow, do: (app) => app.retryNow() },
    };
  }
  if (status === "catching-up" && progress) {
    return {
      kind: status,
      tone: "warn",
      glyph: "warning",
      strong: texts.backOnline,
      progress,
      text: texts.catchingUpXOfY(integer(progress.have), integer(progress.of)),
    };
  }
  if (status === "restarted") {
    return {
      kind: status,
      tone: "ink",
      glyph: "dot",
      urgent: true,
      strong: texts.theServerNoLongerHasThisExperiment,
      ...(isVisitor(state)
        ? {
            text: texts.thePageShowsItsLastKnown,
            act: { text: texts.makeItMineACopy, do: (app: App) => void app.restart() },
          }
        : {
            text: texts.yourRecipeIsSafeTheRun,
            act: { text: texts.startLabel, do: (app: App) => void app.restart() },
          }),
    };
  }
  return null;
}

/** Which line the page has instead of a WebSocket, and why. Null for a WebSocket. */
export const lineWords = ({ kind, reason }: Connection) =>
  kind === "websocket" ? null : texts.connectedByXY(KINDS[kind], REASONS[reason ?? "refused"]);

const KINDS = {
  events: texts.lower(texts.serverSentEvents),
  polling: texts.lower(texts.longPolling),
};
const REASONS: Record<LineReason, string> = {
  refused: texts.thisNetworkRefusesWebsockets,
  swallowed: texts.websocketsGetNoAnswerHere,
  held: texts.thisNetworkHoldsStreamsBack,
};

function lineStrip({ connection }: State): Strip | null {
  const strong = lineWords(connection);
  if (!strong || connection.isNoteClosed) return null;
  return {
    kind: "line",
    tone: "warn",
    glyph: "dot",
    strong,
    text: "",
    close: (app) => app.closeLineNote(),
  };
}

/** The part of the documentation for the operator. */
const FIX = {
  text: texts.howToFixIt,
  href: "docs/how-to/operate.html#the-data-folder-is-not-writable",
};

/** Before there is an experiment. */
function waitingStrip({ experiment, waitingFor }: State): Strip | null {
  if (experiment || !waitingFor) return null;
  const look = { kind: "waiting", tone: "bad", glyph: "problem", urgent: true } as const;
  if (!isReadOnlyProblem(waitingFor))
    return {
      ...look,
      strong: sentence(waitingFor.title),
      text: texts.xThePageRetriesAutomatically(waitingFor.detail ?? "").trim(),
    };
  return {
    ...look,
    strong: texts.readOnly,
    text: texts.theServerCannotWriteToIts,
    more: FIX,
  };
}

function readOnlyStrip({ isReadOnly }: State): Strip | null {
  if (!isReadOnly) return null;
  return {
    kind: "read-only",
    tone: "bad",
    glyph: "problem",
    urgent: true,
    strong: texts.readOnly,
    text: texts.theServerCannotWriteToItsSentence,
    more: FIX,
  };
}

/** "GD diverged at step 307, SGD at step 12 and Adam at step 40; all are stopped." */
function divergedWords(diverged: Run[]) {
  const places = diverged.map(({ label, divergedAt, step }, k) =>
    texts.xYAtStepZ(label, k ? "" : texts.divergedTail, integer(divergedAt ?? step)),
  );
  const stopped =
    ["", texts.andIsStoppedTail, texts.bothAreStoppedTail][places.length] ??
    texts.allAreStoppedTail;
  return listed(places) + stopped;
}

/** State of the other runs: finished and paused ones do not continue. */
function othersWords(others: Run[], playing: boolean) {
  const left = others.filter(({ status }) => status !== "finished").map(({ label }) => label);
  if (!left.length) return others.length ? "" : texts.lowerTheRateThenReset;
  return playing
    ? `${listed(left)} ${left.length === 1 ? texts.continueSingular : texts.continuePlural}.`
    : texts.xCanContinue(listed(left));
}

/** The Doctor's first remedy for a diverged run: "Rewind GD to 300, rate 0.03". */
function rewindAction(state: State, diverged: Run[]): Strip["act"] {
  if (!mayChange(state)) return undefined;
  const entry = diverged
    .map((run) => ({ run, finding: openOf(run, "diverged") }))
    .find(({ finding }) => finding?.remedies.length);
  const remedy = entry?.finding?.remedies[0];
  if (!entry?.finding || !remedy || (isFork(remedy) && noRoomWords(state))) return undefined;
  return {
    text: wholeWords(state, { run: entry.run, finding: entry.finding }, remedy),
    do: (app) => app.remedy(remedy),
  };
}

/** A run that reached its stop condition, and how to go on. */
function finishedStrip(state: State): Strip | null {
  const { order, runs } = state;
  const finished = order.map((name) => runs[name]).filter(({ status }) => status === "finished");
  const [run] = finished;
  if (!run) return null;
  const why = run.finishedBy ? `, ${metWords(run)}` : "";
  const others =
    finished.length > 1
      ? texts.xStoppedToo(listed(finished.slice(1).map(({ label }) => label)))
      : "";
  const act = mayChange(state)
    ? { text: texts.continueX(run.label), do: (app: App) => void app.edit(run.name, { stop: [] }) }
    : undefined;
  return {
    kind: "finished",
    tone: "ink",
    glyph: "check",
    strong: texts.xStoppedAtStepYZ(run.label, integer(run.step), why),
    text: others,
    act,
  };
}

/**
 * True if a fork replaces a diverged run; older forks do not count. A page that was not there uses
 * the Doctor's remedies.
 */
function isReplaced(state: State, { name, findings }: Run) {
  const { runs, experiment } = state;
  const goesOn = experiment?.recipe.runs.some(
    (recipe) => recipe.origin?.run === name && runs[recipe.name]?.isWayBack,
  );
  return (
    goesOn ||
    findings.some(
      ({ rule, remedies }) =>
        rule === "diverged" &&
        remedies.some((remedy) => isFork(remedy) && isInForce(state, remedy)),
    )
  );
}

function divergedStrip(state: State): Strip | null {
  const { order, runs, playback } = state;
  const all = order.map((name) => runs[name]);
  const open = all.filter(
    (run) => run.status === "diverged" && !isClosed(state, run) && !isReplaced(state, run),
  );
  if (!open.length) return null;
  const text = othersWords(
    all.filter(({ status }) => status !== "diverged"),
    playback.playing,
  );
  return {
    kind: "diverged",
    tone: "bad",
    glyph: "cross",
    urgent: true,
    strong: divergedWords(open),
    text,
    act: rewindAction(state, open),
    close: (app) => app.closeDivergence(open.map(({ name }) => name)),
  };
}

function refusalStrip({ problem }: State): Strip | null {
  if (!problem) return null;
  const detail = problem.detail ?? "";
  const reasons = (problem.errors ?? [])
    .map((error) => error.detail ?? error.message ?? "")
    .filter((reason) => !detail.includes(reason)); // mostly the detail has them
  return {
    kind: "refused",
    tone: "bad",
    glyph: "problem",
    urgent: true,
    strong: sentence(problem.title),
    text: [detail, ...reasons].map(reasonWords).filter(Boolean).join(" "),
    act: { text: texts.dismiss, do: (app) => app.dismiss() },
  };
}

/**
 * An added or restarted run, which would stay behind the others. It waits while the step inspector
 * is open, which leaves the chart little room.
 */
function behindStrip(state: State): Strip | null {
  const behind = mayChange(state) && !state.view.inspector ? runBehind(state) : null;
  if (!behind) return null;
  const { run, steps } = behind;
  return {
    kind: "behind",
    tone: "ink",
    glyph: "dot",
    strong: texts.xIsAtStep0(run.label),
    text: texts.otherRunsAreFurther,
    act: { text: texts.catchUpX(plural(steps, "step")), do: (app) => app.catchUp(run.name, steps) },
  };
}

export const stripFor = (state: State) =>
  waitingStrip(state) ??
  connectionStrip(state) ??
  readOnlyStrip(state) ??
  refusalStrip(state) ??
  divergedStrip(state) ??
  finishedStrip(state) ??
  lineStrip(state) ??
  behindStrip(state);
