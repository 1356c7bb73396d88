/**
 * The last event, with Undo where possible. It leaves after ten seconds unless in use; a notice
 * about play leaves with play.
 * Owns: showing and leaving, its place in the transport, and the room it needs on the page.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { set } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import { LiveElement } from "../ui/live-element.ts";
import * as texts from "../words/english.ts";
import type { State } from "../core/types.ts";

const STAYS_MS = 10_000;
/** px around it */
const APART = 8;

const PARTS = [".deck .left", ".scrub", ".counter", ".speed"];

const partOf = (name: string) => document.querySelector<HTMLElement>(`transport-bar ${name}`);
const boxOf = (name: string) => partOf(name)?.getBoundingClientRect();

export class NoticeToast extends LiveElement {
  #timer = 0;
  /** The transport's parts change their size with the window and with what they show. */
  #room = new ResizeObserver(() => this.#place());
  /** The notice during which play began. */
  #played: State["notice"] = null;

  override shows({ notice, playback }: State) {
    return [notice, playback.playing];
  }

  override start() {
    this.setAttribute("role", "status");
    this.follow(
      ({ notice }) => notice,
      (notice) => {
        clearTimeout(this.#timer);
        if (notice && !notice.isBusy) this.#leaveLater();
      },
    );
    this.whenGone(() => {
      clearTimeout(this.#timer);
      this.#room.disconnect();
    });
  }

  override updated() {
    if (this.hidden) return this.#room.disconnect();
    for (const part of [this, ...PARTS.map(partOf)]) if (part) this.#room.observe(part);
  }

  /** Is beside the last buttons, or the timeline if that shares their row; on phones above it. */
  #place() {
    const [buttons, timeline, counter, speed] = PARTS.map(boxOf);
    if (!buttons || !timeline || !counter) return;
    const isOneRow = timeline.top < buttons.bottom && buttons.top < timeline.bottom;
    const start = isOneRow ? timeline.right : buttons.right;
    const end = speed?.width ? speed.left : counter.left;
    this.style.setProperty("--notice-left", `${start + APART}px`);
    this.style.setProperty("--notice-right", `${innerWidth - end + APART}px`);
    this.style.setProperty("--notice-bottom", `${innerHeight - timeline.top + APART}px`);
    const { height } = this.getBoundingClientRect();
    partOf("")?.style.setProperty("--notice-room", `${height + APART}px`);
  }

  override render() {
    const { notice, playback } = this.state;
    if (playback.playing) this.#played = notice;
    this.hidden = !notice;
    set(document.querySelector(".app") as Element, { "data-notice": Boolean(notice) });
    if (!notice) return nothing;
    const waits = notice.waits && this.#played !== notice ? ` ${notice.waits}` : "";
    return keyed(
      notice,
      html`<div class="notice" data-kind=${notice.kind} aria-busy=${notice.isBusy ? "true" : nothing}>
        <span>${notice.text}<span>${waits}</span></span>
        ${
          notice.undo
            ? html`<button type="button" class="button small" @click=${() => this.app.undo()}>${texts.undo}</button>`
            : nothing
        }
        ${
          notice.isBusy
            ? nothing
            : html`<button type="button" class="button small square quiet" aria-label=${texts.closeTheNotice}
                @click=${() => this.app.dismiss()}>${icon("close")}</button>`
        }
      </div>`,
    );
  }

  #leaveLater() {
    this.#timer = window.setTimeout(() => {
      if (this.matches(":hover, :focus-within")) this.#leaveLater();
      else this.app.dismiss();
    }, STAYS_MS);
  }
}
