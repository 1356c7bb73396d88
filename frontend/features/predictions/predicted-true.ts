/**
 * Predicted against true: a scatter plot for values; for classes a table for each run, or a map if
 * there are two inputs.
 * Owns: its heading, its fold, its view and its room, always two squares wide.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { repeat } from "lit/directives/repeat.js";
import { confusionTable, headsIn } from "./confusion-table.ts";
import { selectOf, switchOf } from "../../ui/controls.ts";
import { mapLegend } from "./decision-map.ts";
import { set } from "../../ui/dom.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { pictureOf } from "../../charts/picture.ts";
import { arrangementOf, lettersOver } from "../../charts/squares.ts";
import { briefName, hasCutWord } from "../../core/brief-names.ts";
import { isStandardized, STANDARDIZED } from "../../core/data-recipe.ts";
import {
  axisWords,
  hasMap,
  isMapOld,
  lastMap,
  mapInputs,
  showsMap,
  withInput,
} from "../../core/decision-map.ts";
import { plural } from "../../core/format.ts";
import { dataPictureOf } from "../../core/pictures.ts";
import { shownRuns, stateOnView } from "../../core/state-on-view.ts";
import { viewSteps } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { Experiment, Run, State, View } from "../../core/types.ts";

/** With more classes, tables stand one below the other. */
const SIDE_BY_SIDE = 2;
/** The room of tables before it is known, and between two of them, in px. */
const ORDINARY = 284;
const GAP = 14;

const PHONE = "(max-width: 720px)";

/** How long to wait for maps that were out of sight, for their picture, in ms. */
const PATIENCE = 10_000;

/** The inputs of a map over more, until others are chosen. */
const FIRST_TWO: [number, number] = [0, 1];

const TABLE_KEY = texts.rowsTheTrueClassColumnsTheSentence;

const runsOf = (state: State) => shownRuns(stateOnView(state));

/**
 * A line of words in parts. Whole parts at the end are hidden where room is short; the title has
 * all.
 * @param parts with their separators, most important first
 */
function fittingWords(parts: string[]) {
  const visible = parts.filter(Boolean);
  return html`<span class="fitting end" title=${visible.join("")}
    >${visible.map((part) => html`<span>${part}</span>`)}</span>`;
}

const facing = (state: State) =>
  !state.experiment?.classes.length ? "scatter" : showsMap(state) ? "map" : "table";

const CLASSES = { scatter: "scatter", map: "decisions", table: "confusions" };
const SCATTER = html`<plotly-chart kind="scatter" aria-label=${texts.predictedAndTrueNotDrawnYet}
  ></plotly-chart>`;

const FACES: { value: View["predicted"]; text: string }[] = [
  { value: "map", text: texts.mapLabel },
  { value: "table", text: texts.table },
];

export class PredictedTrue extends ExperimentElement {
  /** The stage shows the same larger if there are one or two inputs: folded until it is wanted. */
  #isOpen = false;
  #isInSight = false;
  /** px, of its content */
  #width = 0;
  /** The prediction under the cursor, in place of the hint. */
  #pointed: string | null = null;
  /** The state in the squares: they are drawn later than an answer arrives. */
  #drawn: State | null = null;

  override shows(state: State) {
    return [
      facing(state),
      state.experiment,
      state.view.predicted,
      state.view.mapInputs,
      ...headWords(state),
      hintWords(state),
      ...runsOf(state).flatMap(({ name, predictions, label, status }) => [
        name,
        predictions,
        label,
        status,
        lastMap(state, name),
      ]),
    ];
  }

  override firstUpdated() {
    const body = this.#body;
    // maps out of sight are not requested
    const sight = new IntersectionObserver((entries) => {
      this.#isInSight = (entries.at(-1) as IntersectionObserverEntry).isIntersecting;
      this.app.setView({ isMapSeen: this.#isInSight });
    });
    sight.observe(body);
    this.whenGone(() => sight.disconnect());
    // names fit to the room
    this.followSize(body, (width) => {
      this.#width = width;
      this.requestUpdate();
    });
    this.followTheme();
  }

  get #body() {
    return this.querySelector<HTMLElement>(".reading")?.previousElementSibling as HTMLElement;
  }

  override render() {
    const { app, state } = this;
    const { id, classes } = this.experiment;
    const runs = runsOf(state);
    const face = facing(state);
    const { columns, rows, isSmall } = arrangementOf(runs.length, false);
    const isMany = face === "map" && isSmall;
    const has = hasMap(state.experiment);
    // tables keep the room of maps, unless the map is only one of many
    const hasRoom = has && (face === "map" || this.experiment.features === 2);
    const isDrawn = face === "scatter" && this.#drawn?.experiment?.id === id;
    const isExtra = dataPictureOf(this.experiment) !== null;
    this.toggleAttribute("data-switched", hasRoom);
    this.toggleAttribute("data-folded", isExtra && !this.#isOpen);
    // on a phone two stand side by side, with room below; beside a table the legend only keeps its room
    return html`
      <div class="head">
        <h2>${isExtra ? this.#fold() : texts.predictedAndTrue}</h2>${fittingWords(headWords(isDrawn ? (this.#drawn as State) : state))}
        ${
          has
            ? switchOf(face, {
                name: texts.predictionsOfClasses,
                look: "face",
                choices: FACES,
                choose: (predicted) =>
                  app.setView(
                    predicted === "map" && !mapInputs(state)
                      ? { predicted, mapInputs: FIRST_TWO }
                      : { predicted },
                  ),
              })
            : nothing
        }
      </div>
      <div class=${CLASSES[face]} ?data-wide=${face === "table" && classes.length > SIDE_BY_SIDE}
        data-columns=${isMany ? columns : nothing} data-rows=${isMany && rows > 1 ? rows : nothing}
        style="--columns: ${columns}; --rows: ${arrangementOf(runs.length, true).rows}"
        @drawn=${(event: CustomEvent<State>) => {
          this.#drawn = event.detail;
          this.requestUpdate();
        }}>${keyed(id, face === "scatter" ? SCATTER : this.#faces(runs, state))}</div>
      <div class="reading">${hasRoom ? mapLegend(classes) : nothing}${
        face === "map" ? this.#inputs() : nothing
      }
        <p class="hint" aria-hidden="true">${this.#pointed ?? hintWords(state)}</p></div>`;
  }

  #fold() {
    const turn = () => {
      this.#isOpen = !this.#isOpen;
      this.requestUpdate();
    };
    return html`<button type="button" class="fold" aria-expanded=${this.#isOpen} @click=${turn}
      >${texts.predictedAndTrue}</button>`;
  }

  /** Chooses the two inputs, if there are more. */
  #inputs() {
    const { app, state } = this;
    const { inputs } = this.experiment;
    const chosen = mapInputs(state);
    if (!chosen || inputs.length === 2) return nothing;
    const options = inputs.map((text, place) => ({ value: String(place), text }));
    const choice = (side: 0 | 1, text: string, name: string) =>
      html`<label class="field"><span>${text}</span>${selectOf(String(chosen[side]), {
        name,
        options,
        choose: (place) => app.setView({ mapInputs: withInput(chosen, side, Number(place)) }),
      })}</label>`;
    return html`<div class="map-inputs">${choice(0, texts.across, texts.inputAcross)}${choice(1, texts.up, texts.inputUp)}</div>`;
  }

  #faces(runs: Run[], state: State) {
    const { classes, testSamples } = this.experiment;
    const names = runs.map(({ label }) => label);
    const letters = lettersOver(arrangementOf(runs.length, matchMedia(PHONE).matches), this.#width);
    const point = (words: string | null) => {
      this.#pointed = words;
      this.requestUpdate();
    };
    const brief = (label: string) => {
      const words = briefName(label, names, letters);
      return hasCutWord(words, label) ? "" : words;
    };
    const map = (run: Run) => html`<decision-map class="decision" .run=${run}
      .answer=${lastMap(state, run.name)} .isScaled=${isStandardized(state.experiment, "inputs")}
      .brief=${brief(run.label)} .point=${point}
      .theme=${document.documentElement.dataset.theme ?? ""}></decision-map>`;
    if (facing(state) === "map") return repeat(runs, ({ name }) => name, map);
    const room = this.#width || ORDINARY;
    const isWide = classes.length > SIDE_BY_SIDE;
    const heads = headsIn(classes, isWide ? room : (room - GAP) / 2, runs);
    return repeat(
      runs,
      ({ name }) => name,
      (run) => confusionTable(run, classes, testSamples > 0, heads),
    );
  }

  /** Lets keys reach content that scrolls. A scatter plot does not; to ask would lay out the page. */
  override updated() {
    const body = this.#body;
    // the heads of the columns stand below a title of any height
    for (const title of body.querySelectorAll<HTMLElement>(".confusion > .title"))
      title.parentElement?.style.setProperty("--title", `${title.offsetHeight}px`);
    const scrolls =
      facing(this.state) !== "scatter" &&
      body.scrollHeight > body.clientHeight &&
      getComputedStyle(body).overflowY === "auto";
    set(body, {
      tabindex: scrolls && 0,
      role: scrolls && "group",
      "aria-label": scrolls && texts.predictionsOfClassesATableA,
    });
  }

  /** All maps as one SVG with the words around them. */
  async picture(around: Element[]): Promise<SVGSVGElement> {
    const body = this.#body;
    if (!body.clientWidth) throw new Error("the maps are not on the page");
    await this.#requestMaps();
    await this.updateComplete;
    const title = [...body.querySelectorAll(".map")]
      .map((map) => map.getAttribute("aria-label"))
      .join(" ");
    return pictureOf({ chart: body, title, layers: [body], around, isOne: false })();
  }

  /** Requests maps that are out of sight. */
  async #requestMaps() {
    const { store } = this.app;
    this.app.setView({ isMapSeen: true });
    let stop = () => {};
    const arrive = new Promise((go) => {
      stop = store.watch(isMapOld, go);
      setTimeout(go, isMapOld(store.get()) ? PATIENCE : 0);
    });
    await arrive;
    stop();
    const isLate = isMapOld(store.get());
    this.app.setView({ isMapSeen: this.#isInSight });
    if (isLate) throw new Error("no answer about the maps");
  }
}

/** How to read each view; all runs share the axes. */
const HINTS: Record<ReturnType<typeof facing>, (state: State) => string> = {
  scatter: ({ experiment }) =>
    isStandardized(experiment, "targets")
      ? texts.xStandardizedY(experiment?.recipe.data.target ?? texts.values, STANDARDIZED)
      : "",
  map(state) {
    const answer = runsOf(state)
      .map(({ name }) => lastMap(state, name))
      .find(Boolean);
    return answer ? axisWords(answer, isStandardized(state.experiment, "inputs")) : "";
  },
  table: () => TABLE_KEY,
};

const hintWords = (state: State) => HINTS[facing(state)](state);

/** The step and split of the predictions. */
function headWords(state: State) {
  const isMap = facing(state) === "map";
  // diverged runs have no map, and their step is not shown
  const visible = runsOf(state).filter(({ status }) => !isMap || status !== "diverged");
  const steps = viewSteps(
    stateOnView(state),
    visible,
    isMap ? ({ name }) => lastMap(state, name) : "predictions",
  );
  const samples = state.experiment ? samplesOf(state.experiment) : "";
  return [steps, steps && samples ? `, ${samples}` : samples];
}

const samplesOf = ({ testSamples, trainSamples }: Experiment) =>
  testSamples ? plural(testSamples, "testSample") : plural(trainSamples, "trainingSample");
