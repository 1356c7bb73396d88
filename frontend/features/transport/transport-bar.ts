/**
 * The timeline, and below it play, one step, reset, "Line by line", speed and counter.
 * Owns: its buttons and their words, and the counter's motion.
 */

import { html, nothing } from "lit";
import { switchOf, watchingSign } from "../../ui/controls.ts";
import { write } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";
import { sliderOf } from "../../ui/knob.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { openPopover } from "../../ui/popover.ts";
import { termOf } from "../../ui/term.ts";
import { positionOfSpeed, SPEED, speedAt } from "../../ui/scales.ts";
import { counter, integer, plural } from "../../core/format.ts";
import { createGlide } from "../../core/glide.ts";
import { isLogSteps, isLong } from "../../core/long-runs.ts";
import { markersOf } from "../../core/markers.ts";
import { endWords, wayBackWords } from "../../core/now-words.ts";
import { countedStep, shownStep, stateOnView } from "../../core/state-on-view.ts";
import { furthest, isLocked, isVisitor } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

type Speed = number | "max";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** The scale of speeds has one position more than numbers: as fast as possible. */
const SPEED_SCALE = {
  positions: SPEED.positions + 1,
  page: SPEED.page,
  valueAt: (position: number) => asNumber(speedAt(position)),
  positionOf: (value: number) => positionOfSpeed(asSpeed(value)),
};
const asNumber = (speed: Speed) => (speed === "max" ? Infinity : speed);
const asSpeed = (value: number): Speed => (Number.isFinite(value) ? value : "max");

const speedText = (speed: Speed) =>
  speed === "max" ? texts.maxSpeed : texts.xPerSecondShort(integer(speed));
const speedSpoken = (value: number) =>
  Number.isFinite(value) ? texts.xPerSecond(plural(value, "step")) : texts.asFastAsPossible;

/** No run has made a step, nor diverged in its first one. */
const isFresh = (state: State) => furthest(state) === 0 && endWords(state) === null;

export class TransportBar extends ExperimentElement {
  /** The newest step of the counter. */
  #counted = 0;
  /** The step that it shows: while runs play it counts on to the newest one at the screen's rate. */
  #glide = createGlide(1);
  #isCounting = false;
  /** The speed at a slider that is dragged. */
  #dragged: Speed | null = null;
  #updatePanel = () => {};

  override shows(state: State) {
    const { playing, speed } = state.playback;
    return [
      isLocked(state),
      isVisitor(state),
      !state.looking,
      playing,
      speed,
      countedStep(state, this.#counted),
      furthest(state),
      isFresh(state),
      state.view.x,
      isLogSteps(state),
      markersOf(state).length,
    ];
  }

  override render() {
    const { app, state } = this;
    const isWatching = isVisitor(state);
    const step = countedStep(state, this.#counted);
    this.#counted = step;
    const isOverview = isLong(state);
    this.toggleAttribute("data-long", isOverview);
    return html`
      <time-scrubber class="scrub"></time-scrubber>
      <div class="deck">
        <span class="left">
          <button type="button" class="button quiet square on-sheet" aria-label=${texts.recipeB} title=${texts.recipeB}
            aria-haspopup="dialog" @click=${() => app.setView({ sheet: "recipe" })}>${icon("recipe")}</button>
          ${isWatching ? watchingSign() : this.#play()}
          ${isWatching && !state.looking ? nothing : this.#step()}
          ${isWatching ? nothing : this.#reset()}
          <line-button></line-button>
          ${isOverview ? this.#nextEvent() : nothing}
          ${isWatching ? nothing : this.#briefSpeed()}
        </span>
        ${state.looking ? this.#wayBack() : nothing}
        ${isOverview ? this.#steps() : nothing}
        ${isWatching ? nothing : this.#speed("speed")}
        <dl class="counter">
          <dt>${state.looking ? texts.ofStepX(counter(furthest(state))) : termOf("step", step === 1 ? texts.stepWord : texts.steps)}</dt><dd data-counter="step" title=${integer(step)}><span class="count"><span></span></span></dd>
        </dl>
      </div>`;
  }

  override updated() {
    this.#updatePanel();
    const { playback, looking } = this.state;
    const isStill = !playback.playing || looking !== null || CALM.matches;
    this.#glide.toward(this.#counted, performance.now(), isStill);
    this.#count();
  }

  #count() {
    const now = performance.now();
    const place = this.querySelector(".count > span") as HTMLElement;
    // never behind the table
    const least = Math.min(this.#counted, shownStep(stateOnView(this.state)));
    const isCalm = CALM.matches && this.state.playback.playing; // then it changes with the table
    const words = counter(isCalm ? least : Math.max(least, Math.floor(this.#glide.at(now))));
    if (place.textContent !== words) {
      write(place, words);
      // its room is that of as many zeros, so that a new number lays out nothing else
      const room = words.replace(/\d/g, "0");
      const { dataset } = place.parentElement as HTMLElement;
      if (dataset.room !== room) dataset.room = room;
    }
    if (this.#isCounting || this.#glide.isThere(now)) return;
    this.#isCounting = true;
    requestAnimationFrame(() => ((this.#isCounting = false), this.#count()));
  }

  #play() {
    const { app, state } = this;
    const { playing } = state.playback;
    const isAtStart = isFresh(state);
    return html`<button type="button" class="button solid play" data-playing=${playing} data-fresh=${isAtStart}
      aria-label=${playing ? texts.pauseSpace : texts.playSpace} ?disabled=${isLocked(state)}
      @click=${() => app.toggle()}>${icon(playing ? "pause" : "play")}<span class="caption" ?hidden=${!isAtStart || playing}>${texts.play}</span></button>`;
  }

  /** In the past it moves the view, also for visitors. */
  #step() {
    const { app, state } = this;
    return html`<button type="button" class="button quiet square" aria-label=${texts.oneStepRightArrow} title=${texts.oneStepArrow}
      ?disabled=${isLocked(state) && !state.looking} @click=${() => app.forward(1)}>${icon("step")}</button>`;
  }

  #reset() {
    const { app, state } = this;
    return html`<button type="button" class="button quiet square reset" aria-label=${texts.backToStep0R} title=${texts.backToStep0R}
      ?hidden=${isFresh(state)} ?disabled=${isLocked(state)} @click=${() => app.reset()}>${icon("reset")}</button>`;
  }

  #briefSpeed() {
    const { speed } = this.state.playback;
    return html`<button type="button" class="button quiet square brief-speed" aria-haspopup="dialog"
      aria-label=${texts.speedX(speedSpoken(asNumber(speed)))} title=${texts.speedKeys} @click=${this.#openSpeed}
      >${icon("speed")}</button>`;
  }

  /** Where there is room; elsewhere a shorter one stands beside the timeline. */
  #wayBack() {
    const { back, text, title } = wayBackWords(this.state);
    return html`<button type="button" class="button way-back" title=${title} @click=${() => this.app.lookAt(null)}
      ><span>${back}</span><b>${text}</b><kbd>L</kbd></button>`;
  }

  #nextEvent() {
    return html`<button type="button" class="button quiet next-event" aria-label=${texts.nextEvent} title=${texts.nextEventBack}
      ?disabled=${!markersOf(this.state).length} @click=${() => this.app.lookAtMarker(1)}
      >${icon("flag")}<span class="fitting caption"><span>&#8203;</span><span>${texts.nextEventLabel}</span></span></button>`;
  }

  /** Steps of the overview as they are, or on a log axis; those of the charts too, unless they show others. */
  #steps() {
    const { app, state } = this;
    return switchOf(isLogSteps(state) ? "log" : "even", {
      name: state.view.x === "steps" ? texts.horizontalAxisX : texts.axisOfTheTimeline,
      look: "tiny steps",
      choices: [
        { value: "even", text: texts.steps },
        { value: "log", text: texts.logSteps },
      ],
      choose: (value) => app.setView({ logSteps: value === "log" }),
    });
  }

  /** On a phone the slider has a panel of its own. */
  #openSpeed({ currentTarget }: Event) {
    this.#updatePanel = openPopover({
      anchor: () => currentTarget as Element,
      name: texts.speed,
      role: "dialog",
      content: () => this.#speed("rows"),
      closed: () => (this.#updatePanel = () => {}),
    }).update;
  }

  #speed(look: string) {
    const { speed } = this.state.playback;
    const slider = sliderOf(asNumber(speed), {
      name: texts.speed,
      scale: SPEED_SCALE,
      say: speedSpoken,
      preview: (value) => this.#drag(asSpeed(value)),
      apply: (value) => {
        this.#drag(null);
        this.app.setSpeed(asSpeed(value));
      },
    });
    return html`<div class=${look}><span class="label" aria-hidden="true">${texts.speed}</span>${slider}
      <output aria-hidden="true">${speedText(this.#dragged ?? speed)}</output></div>`;
  }

  #drag(speed: Speed | null) {
    this.#dragged = speed;
    this.requestUpdate();
  }
}
