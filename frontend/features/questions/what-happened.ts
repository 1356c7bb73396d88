/**
 * The section "What happened" stands in the Doctor's place once every run has come to the end. It
 * has the verdict on the bet, and clauses that each lead to their step. Beyond the end the Doctor
 * is back, and a button opens the section.
 * Owns: the section, whether it was opened, or closed to show the Doctor, and bringing the outcome
 * into view.
 */

import { html, nothing } from "lit";
import { focusPlay } from "../../ui/controls.ts";
import { glyph, icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { explained, hoverTerm } from "../../ui/term.ts";
import { exhibitAfter, exhibitParts } from "../../core/exhibits.ts";
import { integer, plural } from "../../core/format.ts";
import { clausesOf, isAtEnd, storyOf, verdictOf } from "../../core/questions.ts";
import { shownStep } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { NumberedClause, Story } from "../../core/questions.ts";
import type { State } from "../../core/types.ts";

const CHANGED = texts.youChangedTheRecipeSoThe;
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
/** A reader who scrolls further, in heights of the window, is elsewhere. */
const NEAR = 0.25;

export class WhatHappened extends LiveElement {
  /** Key of the story that was closed at the end, and of the one that was opened beyond it. */
  #closed = "";
  #opened = "";
  #spoken = "";
  /** The scroll position of the page when play began, in px; null if the page has not seen it. */
  #top: number | null = null;

  override start() {
    this.follow(
      ({ playback }) => playback.playing,
      (isPlaying) => {
        if (isPlaying) this.#top = scrollY;
      },
    );
  }

  override shows(state: State) {
    return [
      storyOf(state),
      isAtEnd(state),
      state.playback.playing,
      state.bet,
      state.looking?.step,
      ...exhibitParts(state),
    ];
  }

  override render() {
    const { state } = this;
    const story = storyOf(state);
    const isOver = story !== null && !state.playback.playing;
    const isOpen =
      isOver && (isAtEnd(state) ? this.#closed !== story.key : this.#opened === story.key);
    this.hidden = !isOver;
    this.toggleAttribute("data-open", isOpen);
    this.toggleAttribute("data-beyond", !isOpen && !isAtEnd(state));
    if (!isOver) return nothing;
    if (!isOpen)
      return html`<button type="button" class="button quiet"
        @click=${() => this.#show("", story.key)}>${texts.whatHappened}</button>`;
    this.#report(story);
    const verdict = verdictOf(state);
    return html`
      <div class="head"><h2>${texts.whatHappened}</h2><button type="button" class="button quiet small end"
        @click=${() => this.#show(story.key, "")}>${texts.doctor}</button></div>
      ${verdict ? html`<p class="outcome" data-tone=${verdict.isRight ? "ok" : "muted"}>${glyph(verdict.isRight ? "check" : "dot")}<b>${verdict.text}</b></p>` : nothing}
      ${story.changed ? html`<p class="hint">${CHANGED}</p>` : nothing}
      <ol class="story" role="list">${clausesOf(state).map((clause) => this.#clause(clause))}</ol>
      <button type="button" class="button quiet next" @click=${() => this.#next(story)}
        >${texts.nextExhibit} ${icon("next")}</button>`;
  }

  #clause({ place, step, text, tone }: NumberedClause) {
    const number = html`<span class="place" data-tone=${tone} aria-hidden="true">${place}</span>`;
    if (step === undefined)
      return html`<li class="clause">${number}<span>${explained(text)}</span></li>`;
    const isHere = this.state.looking !== null && shownStep(this.state) === step;
    return html`<li><button type="button" class="clause" data-step=${step}
      aria-current=${isHere ? "step" : nothing} @click=${() => this.app.lookAt(step)}
      >${number}<span><u>${texts.stepXLabel(integer(step))}</u>. ${explained(text, hoverTerm)}</span></button></li>`;
  }

  #show(closed: string, opened: string) {
    this.#closed = closed;
    this.#opened = opened;
    this.requestUpdate();
  }

  #next({ exhibit }: Story) {
    void this.app.openExhibit(exhibitAfter(this.state, exhibit).name).then(focusPlay);
  }

  /** One polite message: the verdict and the number of clauses. The outcome comes into view. */
  #report(story: Story) {
    if (this.#spoken === story.key) return;
    this.#spoken = story.key;
    const words = [
      verdictOf(this.state)?.text,
      texts.whatHappenedX(plural(story.explain.length, "step")),
    ];
    const detail = words.filter(Boolean).join(" ");
    queueMicrotask(() => document.dispatchEvent(new CustomEvent("spoken", { detail })));
    void this.updateComplete.then(() => this.#reveal());
  }

  #reveal() {
    if (this.#top === null || Math.abs(scrollY - this.#top) > NEAR * innerHeight) return;
    const behavior = CALM.matches ? "instant" : "smooth";
    const place = this.querySelector(".outcome") ?? this.querySelector(".head");
    place?.scrollIntoView({ block: "nearest", behavior });
  }

  /** The button that shows the Doctor, or this again. */
  override passFocus() {
    const button = this.querySelector("button");
    if (button) button.focus();
    else super.passFocus();
  }
}
