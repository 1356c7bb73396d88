/**
 * Wordmark, connection, export, theme, help; exhibit-picker.ts stands between them.
 * Owns: words for the state of the connection.
 */

import { button } from "../ui/controls.ts";
import { make, makeOwn, set, write } from "../ui/dom.ts";
import { icon, light } from "../ui/icons.ts";
import { LiveElement } from "../ui/live-element.ts";
import { nextTheme } from "./theme.ts";
import { percent } from "../core/format.ts";
import type { Connection } from "../core/types.ts";

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

export class TopBar extends LiveElement {
  override start() {
    if (this.querySelector(".connection .word-of-line")) return;
    const line = this.querySelector(".connection") as HTMLElement;
    this.#showConnection(line);
    const theme = button({
      look: "quiet square theme",
      act: () => this.app.setView({ theme: nextTheme(this.app.store.get().view.theme) }),
    });
    const help = button({
      name: "Help and keyboard shortcuts (?)",
      look: "quiet square",
      icon: "help",
      more: { "aria-haspopup": "dialog" },
      act: () => this.app.setView({ dialog: "help" }),
    });
    this.append(makeOwn("share-menu"), makeOwn("export-menu"), theme, help);
    this.follow(
      (state) => state.view.theme,
      (now) => {
        const next = nextTheme(now);
        set(theme, {
          "aria-label": THEME_WORDS[next],
          title: THEME_WORDS[next],
          "data-theme-now": now,
        });
        theme.replaceChildren(icon(THEME_ICONS[next]));
      },
    );
  }

  #showConnection(line: HTMLElement) {
    const word = make("span", { role: "status", class: "word-of-line" });
    const number = make("span", { class: "muted latency" });
    const brief = make("span", { class: "brief", "aria-hidden": "true" });
    let last = "";
    this.follow(
      (state) => state.connection,
      (connection) => {
        const row = LINE[connection.status];
        if (last !== connection.status) line.replaceChildren(light(row.light), word, number, brief);
        last = connection.status;
        set(line, { "data-status": connection.status, "data-tone": row.tone });
        write(word, row.word(connection));
        write(brief, row.brief ?? "");
        write(number, figure(connection));
      },
    );
    this.follow(
      (state) => state.isDrawingSlow,
      (slow) => set(line, { title: slow ? SLOW : null }),
    );
  }
}
