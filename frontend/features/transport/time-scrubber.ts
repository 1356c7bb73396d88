/**
 * The timeline: one handle over all steps, marks above it, and the way back to live.
 * Owns: handle, marks and pill. core/markers.ts chooses marks.
 */

import { button } from "../../ui/controls.ts";
import { draw, make, nodeOf, set, write } from "../../ui/dom.ts";
import { glyph, light, marker } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { counter, integer, plural } from "../../core/format.ts";
import { flagsOf, flagWords, markersOf, snapped, stepFrom } from "../../core/markers.ts";
import { missingIn } from "../../core/missing-steps.ts";
import { furthest } from "../../core/selectors.ts";
import { shownStep, stepsAhead } from "../../core/state-on-view.ts";
import type { Marker } from "../../core/markers.ts";
import type { State } from "../../core/types.ts";

/** A mark's shape: its run's or its event's. */
function shapeOf({ kind, lane }: Marker) {
  if (kind === "diverged") return glyph("cross");
  if (kind === "finding") return glyph("dead");
  if (kind === "reset")
    return draw(
      "svg",
      { viewBox: "0 0 10 10", "data-glyph": "reset" },
      draw("path", { d: "M9 1v8L2.5 5zM1 1h1.2v8H1z" }),
    );
  if (kind === "fork")
    return draw(
      "svg",
      { viewBox: "0 0 10 10", "data-glyph": "fork" },
      draw("path", {
        d: "M5 9V5.5L1.5 1M5 5.5 8.5 1",
        fill: "none",
        stroke: "currentColor",
        "stroke-width": 1.8,
      }),
    );
  return marker(lane);
}

/** Shapes of a flag: two edits of a run share one. */
function shapesOf(marks: Marker[]) {
  const others = marks.filter(
    ({ kind, run }, place) =>
      marks.findIndex((mark) => mark.kind === kind && mark.run === run) === place,
  );
  return others.map((mark) =>
    make(
      "span",
      {
        class: "shape",
        "data-lane": mark.lane,
        "data-kind": mark.kind,
        "data-run": mark.run,
        "data-tone": mark.tone ?? null,
      },
      shapeOf(mark),
    ),
  );
}

/** End of the track: the axis's end, or beyond it if later steps are not received yet. */
const endOf = (state: State) => Math.max(furthest(state), Math.round(missingIn(state)?.to ?? 0));

export class TimeScrubber extends LiveElement {
  #slider = make("input", {
    type: "range",
    min: 0,
    step: 1,
    "aria-label": "Time travel",
    on: {
      input: () => this.#scrub(),
      pointerdown: (event: PointerEvent) => (this.#isTouched = event.pointerType === "touch"),
      keydown: () => (this.#isTouched = false),
    },
  });
  #flags = make("div", { class: "flags" });
  /** Length of the track, in px. */
  #length = 0;
  #isTouched = false;

  override start() {
    const pill = this.#pill();
    this.append(make("span", {}), make("div", { class: "track" }, this.#flags, this.#slider), pill);
    this.follow(
      (state) => [shownStep(state), endOf(state), state.runs],
      (_, state) => this.#show(state),
    );
    this.follow(
      (state) => [
        endOf(state),
        ...markersOf(state).map(({ step, text, lane }) => `${step} ${text} ${lane}`),
      ],
      (_, state) => this.#showFlags(state),
    );
    const room = new ResizeObserver(([{ contentRect }]) => {
      this.#length = contentRect.width;
      this.#showFlags(this.app.store.get());
    });
    room.observe(this.#flags);
    this.whenGone(() => room.disconnect());
  }

  #scrub() {
    const state = this.app.store.get();
    const step = Number(this.#slider.value);
    this.app.lookAt(
      this.#isTouched
        ? snapped(markersOf(state), step, endOf(state), this.#slider.clientWidth)
        : step,
    );
    // nothing is known beyond that place
    this.#show(this.app.store.get());
  }

  #show(state: State) {
    const end = endOf(state);
    const step = Math.min(shownStep(state), furthest(state));
    set(this.#slider, { max: Math.max(1, end), disabled: end === 0 });
    this.#slider.value = String(step);
    this.style.setProperty("--place", String(end ? step / end : 0));
    const here = markersOf(state)
      .filter((mark) => mark.step === step)
      .map(({ text }) => text);
    set(this.#slider, {
      "aria-valuetext": `step ${integer(step)} of ${integer(furthest(state))}${here.length ? `, marker: ${here.join("; ")}` : ""}`,
    });
  }

  #showFlags(state: State) {
    const end = endOf(state);
    const flags = end ? flagsOf(markersOf(state), end, this.#length) : [];
    const buttons = [...this.#flags.children] as HTMLButtonElement[];
    buttons.slice(flags.length).forEach((flag) => flag.remove());
    flags.forEach((marks, place) => {
      const flag =
        buttons[place] ??
        this.#flags.appendChild(make("button", { type: "button", class: "flag", tabindex: -1 }));
      const words = flagWords(marks);
      set(flag, {
        "data-step": marks[0].step,
        title: marks.length > 1 ? words.join("\n") : marks[0].text,
        "aria-label": `Go to ${words.join("; ")}`,
        style: { "--at": marks[0].step / end },
      });
      flag.onclick = () => this.app.lookAt(stepFrom(marks, shownStep(this.app.store.get())));
      flag.replaceChildren(...shapesOf(marks));
    });
  }

  /** "Live", or how far training is ahead of the view. */
  #pill() {
    const words = make("span", {});
    const pill = button({ look: "live", act: () => this.app.lookAt(null) });
    pill.append(nodeOf(light("full")), words);
    this.follow(
      (state) => [
        stepsAhead(state),
        state.looking === null,
        endOf(state) === 0,
        state.connection.status,
      ],
      (_, state) => {
        const ahead = stepsAhead(state);
        write(words, state.looking ? `Live, ${counter(ahead)} ahead` : "Live");
        set(pill, {
          "data-live": String(state.looking === null),
          title: state.looking
            ? `Back to live (L): training is ${plural(ahead, "step")} ahead`
            : "The page shows the present",
          "data-tone":
            state.looking === null &&
            endOf(state) > 0 &&
            ["ready", "live"].includes(state.connection.status)
              ? "ok"
              : "muted",
        });
        pill.disabled = endOf(state) === 0;
      },
    );
    return pill;
  }
}
