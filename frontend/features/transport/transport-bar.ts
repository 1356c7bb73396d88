/**
 * The timeline, and below it reset, play, one step, one epoch, speed, counter, horizontal axis.
 * Owns: its buttons and their words.
 */

import { button, segmentedSwitch } from "../../ui/controls.ts";
import { make, makeOwn, nodeOf, set, write } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";
import { scaledSlider } from "../../ui/knob.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { openPopover } from "../../ui/popover.ts";
import { positionOfSpeed, SPEED, speedAt } from "../../ui/scales.ts";
import { counter, integer } from "../../core/format.ts";
import { shownStep } from "../../core/state-on-view.ts";
import { isLocked, X_AXES } from "../../core/selectors.ts";

type Speed = number | "max";

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
  speed === "max" ? "max" : `${integer(speed)} step${speed === 1 ? "" : "s"}/s`;
const speedSpoken = (value: number) =>
  Number.isFinite(value)
    ? `${integer(value)} step${value === 1 ? "" : "s"} per second`
    : "as fast as possible";

/** The button for one step or epoch. */
const onward = (unit: "step" | "epoch", keyName: string, key: string, act: () => void) =>
  button(
    {
      name: `1 ${unit} (${keyName})`,
      title: `1 ${unit} (${key})`,
      look: "quiet",
      icon: unit,
      more: { "data-caption": unit },
      act,
    },
    make("span", { class: "caption" }, `1 ${unit}`),
  );

export class TransportBar extends LiveElement {
  override start() {
    this.onceOpened(() => this.append(makeOwn("time-scrubber", { class: "scrub" }), this.#deck()));
  }

  #deck() {
    const play = this.#play();
    const { app } = this;
    const reset = button({
      name: "Back to step 0 (R)",
      title: "Back to step 0 (R)",
      look: "quiet square",
      icon: "reset",
      more: { "data-caption": "reset" },
      act: () => app.reset(),
    });
    // in the past these move the view, which visitors may do
    const moving = [
      onward("step", "right arrow", "→", () => app.forward(1)),
      onward("epoch", "Shift and right arrow", "Shift →", () => app.forwardEpoch(1)),
    ];
    this.follow(isLocked, (locked) => [play, reset].forEach((one) => (one.disabled = locked)));
    this.follow(
      (state) => isLocked(state) && !state.looking,
      (locked) => moving.forEach((one) => (one.disabled = locked)),
    );
    return make(
      "div",
      { class: "deck" },
      make("span", { class: "group" }, this.#recipeButton(), reset),
      play,
      make("span", { class: "group" }, ...moving, this.#speedButton()),
      this.#speed("Speed", "speed").root,
      this.#counter(),
      this.#axis().root,
    );
  }

  #play() {
    const play = button({ look: "solid play", act: () => this.app.toggle() });
    this.follow(
      (state) => state.playback.playing,
      (playing) => {
        set(play, {
          "aria-label": playing ? "Pause (Space)" : "Play (Space)",
          "data-playing": String(playing),
        });
        play.replaceChildren(nodeOf(icon(playing ? "pause" : "play")));
      },
    );
    return play;
  }

  #recipeButton() {
    return button({
      name: "Recipe (B)",
      title: "Recipe (B)",
      look: "quiet square on-sheet",
      icon: "recipe",
      more: { "data-caption": "recipe", "aria-haspopup": "dialog" },
      act: () => this.app.setView({ sheet: "recipe" }),
    });
  }

  /** On a phone the slider has a panel of its own. */
  #speedButton() {
    const open = button({
      look: "quiet square on-phone",
      icon: "speed",
      more: { "aria-haspopup": "dialog" },
      act: () => {
        const speed = this.#speed("Speed", "rows");
        openPopover({
          anchor: () => open,
          name: "Speed",
          role: "dialog",
          content: () => speed.root,
          closed: speed.stop,
        });
      },
    });
    this.follow(
      (state) => state.playback.speed,
      (speed) => {
        set(open, {
          "data-caption": speed === "max" ? "max" : `${integer(speed)}/s`,
          "aria-label": `Speed: ${speedSpoken(asNumber(speed))}`,
        });
      },
    );
    return open;
  }

  #speed(text: string, look: string) {
    const output = make("output", { "aria-hidden": "true" });
    const say = (value: number) => write(output, speedText(asSpeed(value)));
    const { slider, show } = scaledSlider({
      name: "Speed",
      scale: SPEED_SCALE,
      say: speedSpoken,
      preview: say,
      apply: (value) => this.app.setSpeed(asSpeed(value)),
    });
    const showSpeed = (speed: Speed) => {
      show(asNumber(speed));
      say(asNumber(speed));
    };
    showSpeed(this.app.store.get().playback.speed);
    const stop = this.app.store.watch((state) => state.playback.speed, showSpeed);
    this.whenGone(stop);
    return {
      root: make(
        "div",
        { class: look },
        make("span", { class: "label", "aria-hidden": "true" }, text),
        slider,
        output,
      ),
      stop,
    };
  }

  #counter() {
    const number = make("dd", { "data-counter": "step" });
    this.follow(shownStep, (step) => {
      write(number, counter(step));
      number.title = integer(step);
    });
    return make("dl", { class: "counter" }, make("dt", {}, "step"), number);
  }

  #axis() {
    const axis = segmentedSwitch({
      name: "Horizontal axis",
      look: "axis-switch",
      choices: X_AXES,
      choose: (x) => this.app.setView({ x }),
    });
    this.follow((state) => state.view.x, axis.show);
    return axis;
  }
}
