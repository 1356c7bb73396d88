/**
 * What the strip over the race table says: lost line, catching up, restarted server, a refusal, diverged runs.
 * Owns: which of them is said, and in which words. At most one is. Pure; must not know elements.
 */

import { integer } from "../state/format.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("./icons.js").Glyph} Glyph */
/**
 * @typedef {object} Strip
 * @property {string} kind
 * @property {string} tone
 * @property {Glyph} glyph
 * @property {string} strong
 * @property {string} text
 * @property {boolean} [urgent]   said at once (role alert)
 * @property {{have: number, of: number}} [progress]
 * @property {{text: string, do: (app: App) => void}} [act]
 */

/** Did anything move when the line broke? What the page knows of the runs is of that moment. @param {State} state */
const wasMoving = ({ playback, pending }) => playback.playing || Object.values(pending).some((command) => command.do === "step");

/** @param {State} state @returns {Strip|null} */
function connectionStrip(state) {
  const { status, lastStep, progress } = state.connection;
  const at = lastStep === null ? "" : ` at step ${integer(lastStep)}`;
  if (status === "reconnecting" || status === "offline") {
    return {
      kind: status, tone: "warn", glyph: "warning", urgent: true, strong: `Connection lost${at}.`,
      text: wasMoving(state) ? "Training goes on; missed steps arrive when the line is back." : "Nothing was playing, so no step is missed.",
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

/** @param {string[]} labels */
const listed = (labels) => (labels.length < 2 ? labels.join("") : `${labels.slice(0, -1).join(", ")} and ${labels.at(-1)}`);

/** @param {State} state @returns {Strip|null} */
function divergedStrip({ order, runs }) {
  const all = order.map((name) => runs[name]);
  const diverged = all.filter(({ status }) => status === "diverged");
  if (!diverged.length) return null;
  const others = all.filter(({ status }) => status !== "diverged").map(({ label }) => label);
  const [first] = diverged;
  const strong = diverged.length === 1
    ? `${first.label} diverged at step ${integer(first.divergedAt ?? first.step)} and is stopped.`
    : `${listed(diverged.map(({ label }) => label))} diverged and are stopped.`;
  const text = others.length ? `${listed(others)} ${others.length === 1 ? "goes" : "go"} on.` : "Lower the rate, then reset.";
  return { kind: "diverged", tone: "bad", glyph: "cross", urgent: true, strong, text };
}

/** @param {State} state @returns {Strip|null} */
function refusalStrip({ problem }) {
  if (!problem) return null;
  const reasons = (problem.errors ?? []).map((error) => error.detail ?? error.message ?? "").filter(Boolean);
  return {
    kind: "refused", tone: "bad", glyph: "problem", urgent: true, strong: problem.title.replace(/\.?$/, "."),
    text: [problem.detail, ...reasons].filter(Boolean).join(" "), act: { text: "Dismiss", do: (app) => app.dismiss() },
  };
}

/** @param {State} state */
export const stripFor = (state) => connectionStrip(state) ?? refusalStrip(state) ?? divergedStrip(state);
