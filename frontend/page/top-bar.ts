/**
 * Connection, theme and help in the top bar.
 * Owns: words for the state of the connection.
 */

import { html } from "lit";
import { set } from "../ui/dom.ts";
import { icon, light } from "../ui/icons.ts";
import { LiveElement } from "../ui/live-element.ts";
import { nextTheme } from "./theme.ts";
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

/** Numbers that change too often to be read aloud: latency, seconds, progress. */
function figure({ status, latency, retryIn, progress }: Connection) {
  if (status === "reconnecting") return retryIn ? `in ${retryIn} s` : "now";
  if (status === "catching-up")
    return progress && progress.of > 0 ? percent(progress.have / progress.of) : "";
  return (status === "live" || status === "ready") && latency !== null
    ? `${Math.max(1, Math.round(latency))} ms`
    : "";
}

const SLOW =
  "Drawing is slow in this browser, so charts update less often. Training and numbers are not affected.";

const THEME_ICONS = { dark: "moon", light: "sun", auto: "halves" } as const;
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
      title: isDrawingSlow ? SLOW : null,
    });
    return html`${light(shape)}<span role="status" class="word-of-line">${word(connection)}</span
      ><span class="muted latency">${figure(connection)}</span
      ><span class="brief" aria-hidden="true">${brief}</span>`;
  }
}

/** Theme and help. */
export class PageButtons extends LiveElement {
  override shows({ view }: State) {
    return view.theme;
  }

  override render() {
    const { theme } = this.state.view;
    const next = nextTheme(theme);
    return html`<button type="button" class="button quiet square theme" data-theme-now=${theme}
        aria-label=${THEME_WORDS[next]} title=${THEME_WORDS[next]}
        @click=${() => this.app.setView({ theme: next })}>${icon(THEME_ICONS[next])}</button
      ><button type="button" class="button quiet square" aria-label="Help and keyboard shortcuts (?)"
        aria-haspopup="dialog" @click=${() => this.app.setView({ dialog: "help" })}>${icon("help")}</button>`;
  }
}
