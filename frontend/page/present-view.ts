/**
 * Presenting: one picture as large as the window, readable from the back of a room, below its
 * caption. Controls fade, and return with any key, pointer or focus.
 * Owns: the caption, the controls and when they fade, the picture's magnification, and the button
 * that begins. present-words.ts has the words. present.css has the sizes.
 */

import { html, nothing } from "lit";
import { switchOf, watchingSign } from "../ui/controls.ts";
import { glyph, icon } from "../ui/icons.ts";
import { ExperimentElement, LiveElement } from "../ui/live-element.ts";
import { layerSwitch } from "../features/figures/layer-switch.ts";
import { titleOf } from "../features/exhibits/exhibits.ts";
import { exhibitParts } from "../core/exhibits.ts";
import { counter, integer } from "../core/format.ts";
import { heroesFor, heroOf } from "../core/pictures.ts";
import { furthest, isLocked, isVisitor } from "../core/selectors.ts";
import { shownStep, stepOnView } from "../core/state-on-view.ts";
import { captionOf, pictureWords, toggledPresent } from "./present-words.ts";
import { stripFor } from "./strips.ts";
import * as texts from "../words/english.ts";
import type { Hero, State } from "../core/types.ts";

/** ms after the last key, move or focus */
const FADES_AFTER = 3_000;
/** The screen that present.css has its sizes for, and what a picture is magnified by there. */
const SCREEN = { width: 1920, height: 1080, magnification: 2 };

/** The part of a strip over the table that the caption does not say: a cut line, a refusal. */
function troubleOf(state: State) {
  const strip = stripFor(state);
  return strip && !["diverged", "finished"].includes(strip.kind) ? strip.strong : null;
}

const EVENTS = ["pointermove", "pointerdown", "keydown", "focusin"];

export class PresentView extends ExperimentElement {
  #timer = 0;
  /** The element that had the focus before. */
  #before: HTMLElement | null = null;

  override shows(state: State) {
    if (!state.view.hero) return null;
    return [
      state.view,
      state.beat,
      state.looking,
      state.bet,
      state.story,
      state.fallLine?.plane,
      troubleOf(state),
      state.playback.playing,
      isLocked(state),
      isVisitor(state),
      shownStep(state),
      ...state.order.map((name) => state.runs[name]),
      ...exhibitParts(state),
    ];
  }

  override start() {
    const wake = () => this.#wake();
    const signal = this.gone;
    for (const event of EVENTS) document.addEventListener(event, wake, { passive: true, signal });
    window.addEventListener("resize", () => this.#fit(), { signal });
    this.whenGone(() => clearTimeout(this.#timer));
    this.follow(
      ({ view }) => view.hero !== null,
      (isOn) => (isOn ? this.#enter() : this.#leave()),
    );
  }

  #enter() {
    this.#before = document.activeElement as HTMLElement | null;
    this.#before?.blur();
    document.documentElement.dataset.mode = "present";
    this.#fit();
    this.#wake();
    this.#say(texts.presentingVChangesThePictureP);
  }

  #leave() {
    if (document.documentElement.dataset.mode !== "present") return;
    delete document.documentElement.dataset.mode;
    this.#before?.focus();
    this.#before = null;
  }

  #say(detail: string) {
    queueMicrotask(() => document.dispatchEvent(new CustomEvent("spoken", { detail })));
  }

  /** The picture is drawn for a smaller window and magnified: its text and lines grow with it. */
  #fit() {
    const share = Math.min(innerWidth / SCREEN.width, innerHeight / SCREEN.height);
    const magnified = Math.max(1, SCREEN.magnification * share);
    document.documentElement.style.setProperty("--magnified", magnified.toFixed(4));
  }

  #wake() {
    if (!this.state.view.hero) return;
    this.removeAttribute("data-faded");
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.setAttribute("data-faded", ""), FADES_AFTER);
  }

  override render() {
    const { state } = this;
    const hero = heroOf(state);
    if (!hero) return nothing;
    const { glyph: shape, tone, title, line } = captionOf(state);
    const step = shownStep(state);
    const trouble = troubleOf(state);
    const brand = document.querySelector(".brand svg")?.cloneNode(true);
    return html`<header class="present-caption" data-tone=${tone} data-step=${stepOnView(state)}>
        ${shape ? glyph(shape) : nothing}
        <div><h1>${title}</h1><p>${line}</p></div>
        <p class="present-counter"><b title=${integer(step)}>${counter(step)}</b>
          <span>${state.looking ? texts.pastStep : step === 1 ? texts.stepWord : texts.steps}</span></p>
      </header>
      <footer class="present-foot">
        <span class="present-brand">${brand}fallline</span><span>${titleOf(state)}</span>
        <span class="end">${trouble ?? pictureWords(state, hero)}</span>
        ${this.#controls(hero, state)}
      </footer>`;
  }

  #controls(hero: Hero, state: State) {
    const { app } = this;
    const { playing } = state.playback;
    const isStill = isLocked(state);
    const isWatching = isVisitor(state);
    const play = html`<button type="button" class="button quiet square" aria-label=${texts.backToStep0R} title=${texts.backToStep0R}
        ?disabled=${isStill || furthest(state) === 0} @click=${() => app.reset()}>${icon("reset")}</button>
      <button type="button" class="button solid square" aria-label=${playing ? texts.pauseSpace : texts.playSpace}
        title=${playing ? texts.pauseSpace : texts.playSpace} ?disabled=${isStill}
        @click=${() => app.toggle()}>${icon(playing ? "pause" : "play")}</button>`;
    const step = html`<button type="button" class="button quiet square" aria-label=${texts.oneStepRightArrow} title=${texts.oneStepArrow}
        ?disabled=${isStill && !state.looking} @click=${() => app.forward(1)}>${icon("step")}</button>`;
    return html`<div class="present-controls" role="group" aria-label=${texts.presenting}>
      ${isWatching ? watchingSign() : play}
      ${isWatching && !state.looking ? nothing : step}
      ${switchOf(hero, { name: texts.pictureV, choices: heroesFor(state), choose: (value) => app.setView({ hero: value }) })}
      ${hero === "gradients" ? layerSwitch(state, app) : nothing}
      <button type="button" class="button quiet square" aria-label=${texts.stopPresentingP} title=${texts.stopPresentingP}
        @click=${() => app.setView({ hero: null })}>${icon("close")}</button>
    </div>`;
  }
}

/** Begins to present. On a phone the menu does. */
export class PresentButton extends LiveElement {
  override shows({ experiment }: State) {
    return experiment === null;
  }

  override render() {
    return html`<button type="button" class="button quiet" aria-label=${texts.presentP} title=${texts.presentP}
      ?disabled=${this.state.experiment === null}
      @click=${() => this.app.setView(toggledPresent(this.state.view))}
      >${icon("screen")}<span class="caption">${texts.present}</span></button>`;
  }
}
