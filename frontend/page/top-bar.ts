/**
 * Connection and menu in the top bar.
 * Owns: words for the state of the connection, and what the menu has.
 */

import { html } from "lit";
import { openFiles } from "../features/sharing/export-panel.ts";
import { set } from "../ui/dom.ts";
import { icon, light } from "../ui/icons.ts";
import { LiveElement } from "../ui/live-element.ts";
import { openMenu } from "../ui/popover.ts";
import { toggledPresent } from "./present-words.ts";
import { nextTheme } from "./theme.ts";
import { lineWords } from "./strips.ts";
import { percent } from "../core/format.ts";
import type { Connection, State } from "../core/types.ts";

type Light = "full" | "ring" | "triangle" | "half" | "empty";
/** `brief`: on a phone, below the light */
type Row = { light: Light; tone: string; word: (c: Connection) => string; brief?: string };

const LINE: Record<Connection["status"], Row> = {
  connecting: { light: "ring", tone: "muted", word: () => "Connecting" },
  ready: { light: "full", tone: "ok", word: () => "Ready", brief: "Ready" },
  live: { light: "full", tone: "ok", word: () => "Live", brief: "Live" },
  reconnecting: { light: "triangle", tone: "warn", word: () => "Reconnecting", brief: "Offline" },
  "catching-up": { light: "half", tone: "warn", word: () => "Catching up", brief: "Behind" },
  offline: { light: "empty", tone: "warn", word: () => "Offline", brief: "Offline" },
  restarted: { light: "ring", tone: "muted", word: () => "Server restarted", brief: "Restarted" },
};

/** Numbers that change too often to be read aloud: seconds, progress. */
function figure({ status, retryIn, progress }: Connection) {
  if (status === "reconnecting") return retryIn ? `in ${retryIn} s` : "now";
  if (status === "catching-up")
    return progress && progress.of > 0 ? percent(progress.have / progress.of) : "";
  return "";
}

/** "22 ms there and back". */
const latencyWords = ({ latency }: Connection) =>
  latency === null ? null : `${Math.max(1, Math.round(latency))} ms there and back`;

/** "22 ms there and back. Connected by long polling: …" */
const titleOf = (connection: Connection) =>
  [latencyWords(connection), lineWords(connection)].filter(Boolean).join(". ") || null;

const SLOW =
  "Drawing is slow in this browser, so charts update less often. Training and numbers are not affected.";

const THEME_WORDS = {
  dark: "Switch to the dark theme (T)",
  light: "Switch to the light theme (T)",
  auto: "Follow the theme of the system (T)",
};

export class ConnectionLine extends LiveElement {
  override shows({ connection, isDrawingSlow }: State) {
    return [connection, isDrawingSlow];
  }

  override render() {
    const { connection, isDrawingSlow } = this.state;
    const { light: shape, tone, word, brief } = LINE[connection.status];
    set(this, {
      "data-status": connection.status,
      "data-tone": tone,
      title: isDrawingSlow ? SLOW : titleOf(connection),
    });
    return html`${light(shape)}<span role="status" class="word-of-line">${word(connection)}</span
      ><span class="muted latency">${figure(connection)}</span
      ><span class="brief" aria-hidden="true">${brief}</span>`;
  }
}

/** Files, theme, words and keys. */
export class MoreMenu extends LiveElement {
  override shows({ experiment }: State) {
    return experiment === null;
  }

  override render() {
    return html`<button type="button" class="button quiet square" aria-label="More: files, theme, keys"
      title="More" aria-haspopup="menu" @click=${this.#open}>${icon("more")}</button>`;
  }

  #open() {
    const { app } = this;
    const anchor = () => this.querySelector("button");
    const next = nextTheme(this.state.view.theme);
    openMenu(anchor, "More", [
      {
        text: "Files",
        disabled: this.state.experiment === null,
        act: () => openFiles(app, anchor),
      },
      {
        text: "Present (P)",
        disabled: this.state.experiment === null,
        act: () => app.setView(toggledPresent(this.state.view)),
      },
      {
        text: "Print a sheet",
        disabled: this.state.experiment === null,
        act: () => window.print(),
      },
      { text: THEME_WORDS[next], act: () => app.setView({ theme: next }) },
      { text: "Words and keys (?)", act: () => app.setView({ dialog: "help", word: null }) },
    ]);
  }
}
