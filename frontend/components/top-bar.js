/**
 * Wordmark, connection, export, theme, help; exhibit-picker.js stands between them.
 * Owns: words for the state of the connection.
 */

import { button } from "./controls.js";
import { make, makeOwn, set, write } from "./dom.js";
import { icon, light } from "./icons.js";
import { LiveElement, register } from "./live-element.js";
import { nextTheme } from "./theme.js";
import { percent } from "../state/format.js";

/** @typedef {import("../state/types.js").Connection} Connection */
/** @typedef {"full"|"ring"|"triangle"|"half"|"empty"} Light */
/** @typedef {{light: Light, tone: string, word: (c: Connection) => string, brief?: string}} Row  `brief`: on a phone, below the light */

/** @type {Record<Connection["status"], Row>} */
const LINE = {
  connecting: { light: "ring", tone: "muted", word: () => "Connecting" },
  ready: { light: "full", tone: "ok", word: () => "Ready", brief: "Ready" },
  live: { light: "full", tone: "ok", word: () => "Live", brief: "Live" },
  reconnecting: { light: "triangle", tone: "warn", word: () => "Reconnecting", brief: "Offline" },
  "catching-up": { light: "half", tone: "warn", word: () => "Catching up", brief: "Behind" },
  offline: { light: "empty", tone: "warn", word: () => "Offline", brief: "Offline" },
  restarted: { light: "ring", tone: "muted", word: () => "Server restarted", brief: "Restarted" },
};

/** Numbers that change too often to be read aloud: latency, seconds, progress. @param {Connection} connection */
function figure({ status, latency, retryIn, progress }) {
  if (status === "reconnecting") return retryIn ? `in ${retryIn} s` : "now";
  if (status === "catching-up") return progress && progress.of > 0 ? percent(progress.have / progress.of) : "";
  return (status === "live" || status === "ready") && latency !== null ? `${Math.max(1, Math.round(latency))} ms` : "";
}

const SLOW = "Drawing is slow in this browser, so charts update less often. Training and numbers are not affected.";

const THEME_ICONS = /** @type {const} */ ({ dark: "moon", light: "sun", auto: "halves" });
const THEME_WORDS = { dark: "Switch to the dark theme (T)", light: "Switch to the light theme (T)", auto: "Follow the theme of the system (T)" };

export class TopBar extends LiveElement {
  start() {
    if (this.querySelector(".connection .word-of-line")) return;
    const line = /** @type {HTMLElement} */ (this.querySelector(".connection"));
    this.#showConnection(line);
    const theme = button({ look: "quiet square theme", act: () => this.app.setView({ theme: nextTheme(this.app.store.get().view.theme) }) });
    const help = button({ name: "Help and keyboard shortcuts (?)", look: "quiet square", icon: "help", more: { "aria-haspopup": "dialog" }, act: () => this.app.setView({ dialog: "help" }) });
    this.append(makeOwn("share-menu"), makeOwn("export-menu"), theme, help);
    this.follow((state) => state.view.theme, (now) => {
      const next = nextTheme(now);
      set(theme, { "aria-label": THEME_WORDS[next], title: THEME_WORDS[next], "data-theme-now": now });
      theme.replaceChildren(icon(THEME_ICONS[next]));
    });
  }

  /** @param {HTMLElement} line */
  #showConnection(line) {
    const word = make("span", { role: "status", class: "word-of-line" });
    const number = make("span", { class: "muted latency" });
    const brief = make("span", { class: "brief", "aria-hidden": "true" });
    let last = "";
    this.follow((state) => state.connection, (connection) => {
      const row = LINE[connection.status];
      if (last !== connection.status) line.replaceChildren(light(row.light), word, number, brief);
      last = connection.status;
      set(line, { "data-status": connection.status, "data-tone": row.tone });
      write(word, row.word(connection));
      write(brief, row.brief ?? "");
      write(number, figure(connection));
    });
    this.follow((state) => state.isDrawingSlow, (slow) => set(line, { title: slow ? SLOW : null }));
  }
}

/** @param {import("../state/types.js").App} app */
export const registerTopBar = (app) => register("top-bar", TopBar, app);
