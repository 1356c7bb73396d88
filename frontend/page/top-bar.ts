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
import { aheadWords, restWord } from "../core/now-words.ts";
import * as texts from "../words/english.ts";
import type { Connection, State } from "../core/types.ts";

type Light = "full" | "ring" | "triangle" | "half" | "empty";
/** `brief`: on a phone, below the light */
type Row = { light: Light; tone: string; word: (c: Connection) => string; brief?: string };

/** Without training the word says whether there are steps. */
const rowOf = (state: State): Row => {
  const row = LINE[state.connection.status];
  const rest = restWord(state);
  return state.connection.status === "ready" ? { ...row, word: () => rest, brief: rest } : row;
};

const LINE: Record<Connection["status"], Row> = {
  connecting: { light: "ring", tone: "muted", word: () => texts.connecting },
  ready: { light: "full", tone: "ok", word: () => texts.ready, brief: texts.ready },
  live: { light: "full", tone: "ok", word: () => texts.live, brief: texts.live },
  reconnecting: {
    light: "triangle",
    tone: "warn",
    word: () => texts.reconnecting,
    brief: texts.offline,
  },
  "catching-up": { light: "half", tone: "warn", word: () => texts.catchingUp, brief: texts.behind },
  offline: { light: "empty", tone: "warn", word: () => texts.offline, brief: texts.offline },
  restarted: {
    light: "ring",
    tone: "muted",
    word: () => texts.experimentGone,
    brief: texts.gone,
  },
};

/** Numbers that change too often to be read aloud: seconds, progress, steps ahead. */
function figure(state: State) {
  const { status, retryIn, progress } = state.connection;
  if (status === "live") return aheadWords(state);
  if (status === "reconnecting") return retryIn ? texts.inXS(retryIn) : texts.nowWord;
  if (status === "catching-up")
    return progress && progress.of > 0 ? percent(progress.have / progress.of) : "";
  return "";
}

/** "22 ms there and back". */
const latencyWords = ({ latency }: Connection) =>
  latency === null ? null : texts.xMsThereAndBack(Math.max(1, Math.round(latency)));

/** "22 ms there and back. Connected by long polling: …" */
const titleOf = (connection: Connection) =>
  [latencyWords(connection), lineWords(connection)].filter(Boolean).join(". ") || null;

/** "Drawing is slow in this browser, … Connected by long polling: …" */
const slowTitleOf = (connection: Connection) =>
  [texts.drawingIsSlowInThisBrowser, lineWords(connection)].filter(Boolean).join(" ");

const THEME_WORDS = {
  dark: texts.switchToTheDarkThemeT,
  light: texts.switchToTheLightThemeT,
  auto: texts.followTheThemeOfTheSystemT,
};

export class ConnectionLine extends LiveElement {
  override shows(state: State) {
    return [state.connection, state.isDrawingSlow, restWord(state), aheadWords(state)];
  }

  override render() {
    const { connection, isDrawingSlow } = this.state;
    const { light: shape, tone, word, brief } = rowOf(this.state);
    set(this, {
      "data-status": connection.status,
      "data-tone": tone,
      title: isDrawingSlow ? slowTitleOf(connection) : titleOf(connection),
    });
    return html`${light(shape)}<span role="status" class="word-of-line">${word(connection)}</span
      ><span class="muted latency">${figure(this.state)}</span
      ><span class="brief" aria-hidden="true">${brief}</span>`;
  }
}

/** Files, theme, words and keys. */
export class MoreMenu extends LiveElement {
  override shows({ experiment }: State) {
    return experiment === null;
  }

  override render() {
    return html`<button type="button" class="button quiet square" aria-label=${texts.moreFilesThemeKeys}
      title=${texts.more} aria-haspopup="menu" @click=${this.#open}>${icon("more")}</button>`;
  }

  #open() {
    const { app } = this;
    const anchor = () => this.querySelector("button");
    const next = nextTheme(this.state.view.theme);
    openMenu(anchor, texts.more, [
      {
        text: texts.files,
        disabled: this.state.experiment === null,
        act: () => openFiles(app, anchor),
      },
      {
        text: texts.presentP,
        disabled: this.state.experiment === null,
        act: () => app.setView(toggledPresent(this.state.view)),
      },
      {
        text: texts.printASheet,
        disabled: this.state.experiment === null,
        act: () => window.print(),
      },
      { text: THEME_WORDS[next], act: () => app.setView({ theme: next }) },
      { text: texts.wordsAndKeysKey, act: () => app.setView({ dialog: "help", word: null }) },
    ]);
  }
}
