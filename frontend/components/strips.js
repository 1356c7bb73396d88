/**
 * Words of the strip above the table: waiting, lost connection, catching up, restarted server, storage failure,
 * refusal, diverged runs.
 * Owns: which one is shown, at most one, and its words. Pure.
 */

import { isClosed } from "../state/closed.js";
import { openOf } from "../state/findings.js";
import { integer, plural } from "../state/format.js";
import { isFork, isInForce, noRoomWords, wholeWords } from "../state/remedies.js";
import { mayChange } from "../state/selectors.js";
import { metWords } from "../state/stops.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("./icons.js").Glyph} Glyph */
/**
 * @typedef {object} Strip
 * @property {string} kind
 * @property {string} tone
 * @property {Glyph} glyph
 * @property {string} strong
 * @property {string} text
 * @property {boolean} [urgent]  announced at once (role alert)
 * @property {{have: number, of: number}} [progress]
 * @property {{text: string, do: (app: App) => void}} [act]
 * @property {(app: App) => void} [close]
 */

const READ_ONLY = "/problems/read-only";

/** @param {string} title */
const sentence = (title) => title.replace(/\.?$/, ".");

/** True if a run moved when the connection broke: the page's numbers are of that moment. @param {State} state */
const wasMoving = ({ playback, pending }) => playback.playing || Object.values(pending).some((command) => command.do === "step");

/**
 * The server's promise for an unwatched experiment, all that is known while disconnected.
 * @param {State} state
 */
function unwatchedWords({ catalog }) {
  const seconds = catalog?.idle_seconds;
  const pauses = seconds === undefined ? "" : ` for up to ${spanWords(seconds)}`;
  return `Training continues${pauses}. Missed steps load when you reconnect.`;
}

/** "10 minutes", "90 seconds". @param {number} seconds */
const spanWords = (seconds) => (seconds % 60 === 0 ? plural(seconds / 60, "minute") : plural(Number(seconds.toPrecision(3)), "second"));

/** @param {State} state @returns {Strip|null} */
function connectionStrip(state) {
  const { status, lastStep, progress } = state.connection;
  const at = lastStep === null ? "" : ` at step ${integer(lastStep)}`;
  if (status === "reconnecting" || status === "offline") {
    return {
      kind: status, tone: "warn", glyph: "warning", urgent: true, strong: `Connection lost${at}.`,
      text: wasMoving(state) ? unwatchedWords(state) : "Nothing was playing, so no step is missed.",
      act: { text: "Try now", do: (app) => app.retryNow() },
    };
  }
  if (status === "catching-up" && progress) {
    return {
      kind: status, tone: "warn", glyph: "warning", strong: "Back online.", progress,
      text: `Catching up: ${integer(progress.have)} of ${integer(progress.of)}.`,
    };
  }
  if (status === "restarted") {
    return {
      kind: status, tone: "ink", glyph: "dot", urgent: true, strong: "The server restarted.",
      text: "Your recipe is safe; the run starts again at step 0.", act: { text: "Start", do: (app) => void app.restart() },
    };
  }
  return null;
}

/** Before there is an experiment. @param {State} state @returns {Strip|null} */
function waitingStrip({ experiment, waitingFor }) {
  if (experiment || !waitingFor) return null;
  const look = /** @type {const} */ ({ kind: "waiting", tone: "bad", glyph: "problem", urgent: true });
  if (waitingFor.type !== READ_ONLY) return { ...look, strong: sentence(waitingFor.title), text: `${waitingFor.detail ?? ""} The page retries automatically.`.trim() };
  return {
    ...look, strong: "Read-only:",
    text: "the server cannot write to its data folder. No experiment can start now. Stored ones can still be watched by their links. The page retries automatically.",
  };
}

/** @param {State} state @returns {Strip|null} */
function readOnlyStrip({ isReadOnly }) {
  if (!isReadOnly) return null;
  return {
    kind: "read-only", tone: "bad", glyph: "problem", urgent: true, strong: "Read-only:",
    text: "the server cannot write to its data folder. Changes would be lost.",
  };
}

/** @param {string[]} labels */
const listed = (labels) => (labels.length < 2 ? labels.join("") : `${labels.slice(0, -1).join(", ")} and ${labels.at(-1)}`);

/** "GD diverged at step 307, SGD at step 12 and Adam at step 40; all are stopped." @param {Run[]} diverged */
function divergedWords(diverged) {
  const places = diverged.map(({ label, divergedAt, step }, k) => `${label}${k ? "" : " diverged"} at step ${integer(divergedAt ?? step)}`);
  const stopped = ["", " and is stopped.", "; both are stopped."][places.length] ?? "; all are stopped.";
  return listed(places) + stopped;
}

/** State of the other runs: finished and paused ones do not continue. @param {Run[]} others @param {boolean} playing */
function othersWords(others, playing) {
  const left = others.filter(({ status }) => status !== "finished").map(({ label }) => label);
  if (!left.length) return others.length ? "" : "Lower the rate, then reset.";
  return playing ? `${listed(left)} ${left.length === 1 ? "continues" : "continue"}.` : `${listed(left)} can continue.`;
}

/** The Doctor's first remedy for a diverged run: "Rewind GD to 300, rate 0.03". @param {State} state @param {Run[]} diverged @returns {Strip["act"]} */
function rewindAction(state, diverged) {
  if (!mayChange(state)) return undefined;
  const entry = diverged.map((run) => ({ run, finding: openOf(run, "diverged") })).find(({ finding }) => finding?.remedies.length);
  const remedy = entry?.finding?.remedies[0];
  if (!entry?.finding || !remedy || (isFork(remedy) && noRoomWords(state))) return undefined;
  return { text: wholeWords(state, { run: entry.run, finding: entry.finding }, remedy), do: (app) => app.remedy(remedy) };
}

/** A run that reached its stop condition, and how to go on. @param {State} state @returns {Strip|null} */
function finishedStrip(state) {
  const { order, runs } = state;
  const finished = order.map((name) => runs[name]).filter(({ status }) => status === "finished");
  const [run] = finished;
  if (!run) return null;
  const why = run.finishedBy ? `, ${metWords(run)}` : "";
  const others = finished.length > 1 ? `${listed(finished.slice(1).map(({ label }) => label))} stopped too.` : "";
  const act = mayChange(state) ? { text: `Continue ${run.label}`, do: (/** @type {App} */ app) => void app.edit(run.name, { stop: [] }) } : undefined;
  return { kind: "finished", tone: "ink", glyph: "check", strong: `${run.label} stopped at step ${integer(run.step)}${why}.`, text: others, act };
}

/**
 * True if a fork replaces a diverged run; older forks do not count. A page that was not there uses the Doctor's
 * remedies.
 * @param {State} state
 * @param {Run} run
 */
function isReplaced(state, { name, findings }) {
  const { runs, experiment } = state;
  const goesOn = experiment?.recipe.runs.some((recipe) => recipe.origin?.run === name && runs[recipe.name]?.isWayBack);
  return goesOn || findings.some(({ rule, remedies }) => rule === "diverged" && remedies.some((remedy) => isFork(remedy) && isInForce(state, remedy)));
}

/** @param {State} state @returns {Strip|null} */
function divergedStrip(state) {
  const { order, runs, playback } = state;
  const all = order.map((name) => runs[name]);
  const open = all.filter((run) => run.status === "diverged" && !isClosed(state, run) && !isReplaced(state, run));
  if (!open.length) return null;
  const text = othersWords(all.filter(({ status }) => status !== "diverged"), playback.playing);
  return {
    kind: "diverged", tone: "bad", glyph: "cross", urgent: true, strong: divergedWords(open), text, act: rewindAction(state, open),
    close: (app) => app.closeDivergence(open.map(({ name }) => name)),
  };
}

/** @param {State} state @returns {Strip|null} */
function refusalStrip({ problem }) {
  if (!problem) return null;
  const reasons = (problem.errors ?? []).map((error) => error.detail ?? error.message ?? "").filter(Boolean);
  return {
    kind: "refused", tone: "bad", glyph: "problem", urgent: true, strong: sentence(problem.title),
    text: [problem.detail, ...reasons].filter(Boolean).join(" "), act: { text: "Dismiss", do: (app) => app.dismiss() },
  };
}

/** @param {State} state */
export const stripFor = (state) => waitingStrip(state) ?? connectionStrip(state) ?? readOnlyStrip(state) ?? refusalStrip(state) ?? divergedStrip(state) ?? finishedStrip(state);
