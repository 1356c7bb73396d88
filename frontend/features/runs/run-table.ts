/**
 * The table of runs: one row a run, all numbers of the step in its first heading. A row has the
 * run's switch where the recipe is hidden; on a phone the run's name opens it.
 * Owns: rows and cells. core/ has words and formats.
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { methodSwitch, samplesOf } from "./method-switch.ts";
import {
  areLong,
  columnsOf,
  headRoom,
  lowRoom,
  MANY,
  nameRoom,
  phoneRoom,
} from "./table-columns.ts";
import { widthOf } from "../../charts/text-width.ts";
import { glyph, icon, marker } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { termOf } from "../../ui/term.ts";
import { linesWithin } from "../../core/brief-names.ts";
import { betWords } from "../../core/questions.ts";
import { counter, epochs, integer, number, plural, score } from "../../core/format.ts";
import { originWords } from "../../core/forks.ts";
import { stateOnView, shownStep } from "../../core/state-on-view.ts";
import { DESCENDED, descendedWords, runSentence } from "../../core/run-words.ts";
import { isLocked, rangeWords, STATE_WORDS, stateOf, whereWords } from "../../core/selectors.ts";
import { lossTerm, TERMS } from "../../core/terms.ts";
import * as texts from "../../words/english.ts";
import type { Columns } from "./table-columns.ts";
import type { Experiment, Run, State } from "../../core/types.ts";

/** Above this many runs in two columns, other bars are lower, and a short page has no room for the heading. */
const CROWDED = 6;
const PHONE = matchMedia(
  "(max-width: 720px), (min-width: 600px) and (max-width: 900px) and (max-height: 480px)",
);
/** A low phone has its rows in two columns, each row with its own widths. */
const LOW = matchMedia("(min-width: 600px) and (max-width: 900px) and (max-height: 480px)");
/** The parts of a row stand closer. */
const NARROW = matchMedia("(max-width: 360px)");

/** The recipe stands beside the table, with a switch for each run. */
const WIDE = matchMedia("(min-width: 1381px)");
/** Between the step and the bet in one line. */
const WIDE_SPACE = "\u2003";
const NAME_SIZE = 13;
const HEAD_SIZE = 12;
/** px of a state's words in two columns, and on a phone on one line; longer ones need more. */
const STATE_ROOM = 88;
const PHONE_STATE_ROOM = 100;

/**
 * The step of a run's numbers. Frames bring losses of the last evaluated step, also after a pause
 * until the answer about its step is there.
 */
function placeOf({ label, status, step, latest }: Run) {
  const isInPlay = status === "playing" || status === "paused";
  const evaluated = isInPlay ? latest.train_loss?.step : undefined;
  return { label, step: Math.min(step, evaluated ?? step) };
}

/** The numbers may be older than the server's. */
const isLost = ({ looking, connection: { status } }: State) =>
  !looking && (status === "reconnecting" || status === "offline");

/**
 * The step of all numbers in the table, and the runs that stand elsewhere.
 * @param whereIs the place in words
 */
function moment(state: State, whereIs = whereWords) {
  if (isLost(state)) return texts.lastKnownStepX(whereIs(state));
  if (state.looking) return texts.asOfStepXLabel(whereIs(state));
  const places = state.order.map((name) => placeOf(state.runs[name]));
  return shownStep(state) === 0 ? texts.beforeTheFirstStep : texts.atStepX(whereIs(state, places));
}

/**
 * "At steps 7–3,799" and shorter words for the room beside samples seen; none where all runs stand
 * at one step.
 */
function rangeMoments(state: State): string[] {
  const steps = state.order.map((name) => placeOf(state.runs[name]).step);
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  if (
    rangeWords(
      state,
      steps.map((step) => ({ step })),
    ) === integer(most)
  )
    return [];
  const range = texts.xToYBrief(integer(least), integer(most));
  if (isLost(state)) return [texts.lastKnownStepsX(range)];
  return state.looking ? [texts.asOfStepsX(range)] : [texts.atStepsX(range), texts.stepsX(range)];
}

/**
 * The words over the names of one of two columns, and further words for a line above.
 * @param room px over the names; null where the words have room anyway
 */
function headMoment(state: State, room: number | null) {
  const moments = room === null ? [] : rangeMoments(state);
  const fitting = moments.find((words) => widthOf(words, HEAD_SIZE) <= (room ?? 0));
  if (moments.length && !fitting) return { inHead: null, above: moments[0] };
  return { inHead: fitting ?? moment(state, rangeWords), above: null };
}

/** The words of a phone's heading, on two lines at most: no names of runs that stand elsewhere. */
const phoneMoment = (state: State) => rangeMoments(state)[0] ?? moment(state, rangeWords);

/** A break inside a range at the end would make three lines of two. */
function unbrokenRange(words: string) {
  const place = words.search(/[\d,]+–[\d,]+$/);
  return place < 0
    ? words
    : html`${words.slice(0, place)}<span class="unbroken">${words.slice(place)}</span>`;
}

/** Settings stand over the recipe's cards, so that the table has the switches. */
function isOpened({ view: { opened }, runs }: State) {
  const run = opened?.match(/^run (.+)$/)?.[1];
  return opened !== null && (run === undefined || run in runs);
}

const nameWidth = (words: string) => widthOf(words, NAME_SIZE);

/** px of the longest word for a state beyond the room of a state: 0 in English. */
const moreForStates = (room: number) =>
  Math.max(0, ...STATE_WORDS.map((word) => widthOf(word, NAME_SIZE, 400) - room));

const labelsOf = ({ order, runs }: State) => order.map((name) => runs[name].label);

const latest = (run: Run, series: string) => run.latest[series]?.value;

/** The score of test samples if there are any. */
const scoreSeries = ({ testSamples, score }: Experiment) =>
  `${testSamples ? "test" : "train"}_${score}`;

export class RaceTable extends ExperimentElement {
  /** The runs whose switch is open, on a phone. */
  #open: Set<string> = new Set();
  /** px */
  #room = 0;
  /** Width of a name's cell, in px: beside its numbers. */
  #cell = 0;
  /** The heading and the first name's cell, which are measured. */
  #measured: Element[] = [];
  #sizes: ResizeObserver | null = null;

  override shows(state: State) {
    return [
      ...state.order,
      ...Object.values(stateOnView(state).runs),
      state.connection,
      state.experiment,
      state.playback.playing,
      state.looking,
      betWords(state),
      isLocked(state),
      isOpened(state),
    ];
  }

  override start() {
    const update = () => this.requestUpdate();
    for (const width of [PHONE, LOW, NARROW, WIDE])
      width.addEventListener("change", update, { signal: this.gone });
    // beside a question the table itself is as narrow as its names
    this.followSize(this.parentElement as HTMLElement, (width) => {
      if (width === this.#room) return;
      this.#room = width;
      update();
    });
    this.#sizes = new ResizeObserver((entries) => this.#measure(entries));
    this.#measured = [];
    this.whenGone(() => this.#sizes?.disconnect());
  }

  override updated() {
    const parts = [...this.querySelectorAll("thead, tbody tr:first-child th.who")];
    if (parts.every((part, k) => part === this.#measured[k])) return;
    this.#sizes?.disconnect();
    this.#measured = parts;
    for (const part of parts) this.#sizes?.observe(part);
  }

  /** Many rows are scrolled in a box that ends between two of them. */
  #measure(entries: ResizeObserverEntry[]) {
    for (const { target, contentRect } of entries)
      if (target.matches("thead")) {
        // an unseen heading is 1 px high
        const high = contentRect.height > 1 ? contentRect.height : 0;
        this.style.setProperty("--head", `${high}px`);
      } else if (contentRect.width !== this.#cell) {
        this.#cell = contentRect.width;
        this.requestUpdate();
      }
  }

  /** The name as it has room: whole, or in brief. Low rows have one line, others two. */
  #brief({ label, settings }: Run, state: State) {
    if (this.#room === 0 || this.classList.contains("two")) return label;
    const isPhone = PHONE.matches;
    const hasSwitch = !WIDE.matches || isOpened(this.state);
    const room = LOW.matches
      ? lowRoom(this.#room)
      : isPhone
        ? phoneRoom(this.#cell, NARROW.matches)
        : nameRoom(this.#room, hasSwitch, Boolean(settings.l1 || settings.l2));
    if (isPhone && !LOW.matches && this.#cell === 0) return label;
    if (nameWidth(label) <= room) return label;
    const all = labelsOf(state);
    const lines = !isPhone && all.length >= MANY ? 1 : 2;
    return linesWithin(label, all, room, lines, nameWidth).join(" ");
  }

  #columns(state: State): Columns {
    if (PHONE.matches || this.#room === 0)
      return { isTwo: false, isBrief: false, hasSamples: false };
    const rows = state.order.map((name) => {
      const { label, settings } = state.runs[name];
      return {
        name: nameWidth(label) + moreForStates(STATE_ROOM),
        isPenalized: Boolean(settings.l1 || settings.l2),
      };
    });
    const sizes = new Set(state.order.map((name) => state.runs[name].settings.batch_size));
    return columnsOf(rows, this.#room, !WIDE.matches || isOpened(this.state), sizes.size > 1);
  }

  override render() {
    const state = stateOnView(this.state);
    const words = moment(state);
    const { length } = state.order;
    const { isTwo, isBrief, hasSamples } = this.#columns(state);
    const { inHead, above } = isTwo
      ? headMoment(state, hasSamples ? headRoom(this.#room) : null)
      : { inHead: PHONE.matches ? phoneMoment(state) : words, above: null };
    this.classList.toggle("many", length >= MANY);
    this.classList.toggle("crowded", length > CROWDED);
    this.classList.toggle("two", isTwo);
    this.closest(".app")?.toggleAttribute("data-crowded", isTwo && length > CROWDED);
    this.style.setProperty("--more-state", `${moreForStates(STATE_ROOM)}px`);
    this.classList.toggle("brief", isBrief);
    this.classList.toggle("samples-too", hasSamples);
    this.classList.toggle(
      "long",
      PHONE.matches &&
        !LOW.matches &&
        (areLong(labelsOf(state).map(nameWidth)) || moreForStates(PHONE_STATE_ROOM) > 0),
    );
    const bet = betWords(this.state);
    // a heading of half a table has no room for it
    const note = isTwo ? [above, bet].filter(Boolean).join(WIDE_SPACE) : "";
    return html`${note ? html`<p class="bet">${note}</p>` : nothing}<table>
      <caption class="unseen">${texts.allRunsX(words)}</caption>
      <thead>${this.#head(words, inHead, isTwo ? null : bet, hasSamples)}${isTwo ? this.#head("", "", null, hasSamples, true) : nothing}</thead>
      <tbody>${repeat(
        state.order,
        (name) => name,
        (name) => this.#row(state.runs[name], state, hasSamples),
      )}</tbody>
    </table>`;
  }

  /**
   * @param inHead the words in the room of half a table where there are many runs; null if a line
   *   above has them
   * @param isShort little room for the samples seen
   * @param isAgain over the second column, for eyes only; a name and its step stay on one line
   */
  #head(
    words: string,
    inHead: string | null,
    bet: string | null,
    isShort: boolean,
    isAgain = false,
  ) {
    const { experiment } = this;
    const word = (key: string, text: string) => (isAgain ? text : termOf(key, text));
    return html`<tr class=${isAgain ? "again" : ""} aria-hidden=${isAgain ? "true" : nothing}>
      <th scope="col" class=${isAgain ? "who" : "who moment"} title=${words || nothing}>${inHead === null ? html`<span class="unseen">${words}</span>` : PHONE.matches ? unbrokenRange(inHead) : texts.unbroken(inHead)}${bet ? html` <span class="bet">${bet}</span>` : nothing}</th>
      <th scope="col" class="optional samples">${word("samples_seen", isShort ? texts.samplesLabel : texts.samplesSeenLabel)}</th>
      <th scope="col" class="loss">${word(lossTerm(experiment), texts.loss)}</th>
      <th scope="col" class="optional test" ?hidden=${experiment.testSamples === 0}>${word("test_loss", TERMS.test_loss.name)}</th>
      <th scope="col" class="score">${word(experiment.score, TERMS[experiment.score].name)}</th>
      <th scope="col" class="state"><span class="unseen">${texts.state}</span></th>
    </tr>`;
  }

  #row(run: Run, state: State, isShort: boolean) {
    const { word } = stateOf(run, state);
    const isOpen = PHONE.matches && this.#open.has(run.name);
    return html`<tr data-run=${run.name} data-lane=${run.lane} data-step=${run.step} data-state=${word}
        class=${run.hidden ? "hidden-run" : ""}>
      ${this.#who(run, state, isOpen)}
      ${isOpen ? html`<td class="open-method" colspan="5">${this.#switch(run)}</td>` : this.#numbers(run, state, isShort)}
    </tr>`;
  }

  #switch(run: Run) {
    return methodSwitch(run, this.app, { look: "tiny", disabled: isLocked(this.state) });
  }

  #who(run: Run, state: State, isOpen: boolean) {
    const toggle = () => {
      if (!this.#open.delete(run.name)) this.#open.add(run.name);
      this.requestUpdate();
    };
    const origin = originWords(state, run.name);
    // opened it has all of its name
    const brief = isOpen ? run.label : this.#brief(run, state);
    const isWhole = brief === run.label;
    const words = [runSentence(run), origin].filter(Boolean).join(", ");
    const name = html`${marker(run.lane)}<b>${
      isWhole
        ? run.label
        : html`<span aria-hidden="true">${brief}</span><span class="unseen">${run.label}</span>`
    }</b>`;
    return html`<th scope="row" class="who" title=${isWhole ? words : `${run.label}: ${words}`}><span class="line">
      ${
        PHONE.matches
          ? html`<button type="button" class="name" aria-expanded=${isOpen}
              aria-label=${`${run.label}${texts.methodTail}`} @click=${toggle}>${name}${icon("chevron")}</button>`
          : html`${name}<span class="muted rule">${samplesOf(run, this.experiment)}</span
              ><span class="method">${this.#switch(run)}</span>`
      }
      <span class="muted descended" title=${DESCENDED}>${descendedWords(run)}</span>
    </span></th>`;
  }

  #numbers(run: Run, state: State, isShort: boolean) {
    const { word, glyph: shape, tone } = stateOf(run, state);
    // of a run that waits the heading says it; one may diverge or be dead at step 0
    const hasWord = word && (run.step > 0 || shape);
    const samplesTitle = texts.xSeenEpochY(plural(run.samplesSeen, "sample"), epochs(run.epoch));
    return html`<td class="optional samples soft" title=${samplesTitle}>${isShort ? counter(run.samplesSeen) : integer(run.samplesSeen)}</td>
      <td class="loss"><span class="readout">${number(latest(run, "train_loss"))}</span></td>
      <td class="optional test soft" ?hidden=${this.experiment.testSamples === 0}
        ><span class="readout second">${number(latest(run, "test_loss"))}</span></td>
      <td class="score">${run.step === 0 ? "–" : score(latest(run, scoreSeries(this.experiment)))}</td>
      <td class="state"><span class="verdict" data-tone=${tone}
        >${shape ? glyph(shape) : nothing}${hasWord ? termOf("state", word) : nothing}</span></td>`;
  }
}
