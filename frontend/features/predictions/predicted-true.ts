/**
 * Predicted against true: a scatter plot for values; for classes a table for each run, or a map if
 * there are two
 * inputs.
 * Owns: its heading, its view and its room, always two squares wide.
 */

import { confusionTable } from "./confusion-table.ts";
import { segmentedSwitch } from "../../ui/controls.ts";
import { decisionMap, mapLegend } from "./decision-map.ts";
import { make, makeOwn, set, write } from "../../ui/dom.ts";
import { fittingWords } from "../../ui/fitting-words.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { pictureOf } from "../../charts/picture.ts";
import { arrangementOf, lettersOver } from "../../charts/squares.ts";
import { briefName } from "../../core/brief-names.ts";
import { isStandardized, STANDARDIZED } from "../../core/data-recipe.ts";
import { axisWords, hasMap, isMapOld, lastMap, showsMap } from "../../core/decision-map.ts";
import { plural } from "../../core/format.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import { viewSteps } from "../../core/selectors.ts";
import type { Experiment, Run, State } from "../../core/types.ts";

/** of a run, with its name shortened to fit */
type Face = { root: HTMLElement; show: (run: Run, state: State, brief: string) => void };

/** With more classes, tables stand one below the other. */
const SIDE_BY_SIDE = 2;

const PHONE = "(max-width: 720px)";

/** How long to wait for maps that were out of sight, for their picture, in ms. */
const PATIENCE = 10_000;

const TABLE_KEY = "Rows: the true class. Columns: the predicted one.";

function shownRuns(state: State) {
  const { order, runs } = stateOnView(state);
  return order.map((name) => runs[name]).filter(({ hidden }) => !hidden);
}

const facing = (state: State) =>
  !state.experiment?.classes.length ? "scatter" : showsMap(state) ? "map" : "table";

const FACES: Record<
  "map" | "table",
  (run: Run, classes: string[], point: (words: string | null) => void) => Face
> = {
  map(run, _, point) {
    const { root, show } = decisionMap(run, point);
    return {
      root,
      show: (now, state, brief) =>
        show(now, lastMap(state, now.name), isStandardized(state.experiment, "inputs"), brief),
    };
  },
  table(run, classes) {
    const { root, show } = confusionTable(run, classes);
    return { root, show: (now, { experiment }) => show(now, (experiment?.testSamples ?? 0) > 0) };
  },
};

export class PredictedTrue extends LiveElement {
  #faces: Map<string, Face> = new Map();
  #hint = make("p", { class: "hint", "aria-hidden": "true" });
  #body = make("div", {});
  #isInSight = false;
  /** px, of its content */
  #width = 0;

  override start() {
    this.onceOpened(() => {
      const end = fittingWords("end");
      const body = this.#body;
      const reading = make("div", { class: "reading" });
      const faces = segmentedSwitch({
        name: "Predictions of classes",
        look: "face",
        choices: [
          { value: "map", text: "Map" },
          { value: "table", text: "Table" },
        ],
        choose: (value) => this.app.setView({ predicted: value === "table" ? value : "map" }),
      });
      this.append(
        make("div", { class: "head" }, make("h2", {}, "Predicted and true"), end.root, faces.root),
        body,
        reading,
      );
      this.follow((state) => state.view.predicted, faces.show);
      this.follow(
        (state) => hasMap(state.experiment),
        (has) => {
          faces.root.hidden = !has;
          set(this, { "data-switched": has });
        },
      );
      this.follow(
        (state) => [facing(state), state.experiment?.id, ...(state.experiment?.classes ?? [])],
        (_, state) => this.#build(body, reading, state),
      );
      // the heading names the step of the squares, which are drawn later than an answer arrives
      const isDrawn = () => body.querySelector("plotly-chart[data-state=drawn]") !== null;
      this.follow(
        (state) => [facing(state), ...headWords(state)],
        ([_, ...words]) => isDrawn() || end.show(...words),
      );
      body.addEventListener("drawn", (event) =>
        end.show(...headWords((event as CustomEvent<State>).detail)),
      );
      this.follow(
        (state) => shownRuns(state).map(({ name }) => name),
        (_, state) => this.#arrange(body, state),
      );
      this.follow(
        (state) =>
          shownRuns(state).flatMap(({ name, predictions, label, status }) => [
            predictions,
            label,
            status,
            lastMap(state, name),
          ]),
        (_, state) => this.#show(state),
      );
      this.follow(hintWords, (words) => write(this.#hint, words));
      this.#watchSight(body);
      this.#watchRoom(body);
      const theme = new MutationObserver(() => this.#show(this.app.store.get()));
      theme.observe(document.documentElement, {
        attributes: true,
        attributeFilter: ["data-theme"],
      });
      this.whenGone(() => theme.disconnect());
    });
  }

  /** Maps out of sight are not requested. */
  #watchSight(body: HTMLElement) {
    const sight = new IntersectionObserver((entries) => {
      this.#isInSight = (entries.at(-1) as IntersectionObserverEntry).isIntersecting;
      this.app.setView({ isMapSeen: this.#isInSight });
    });
    sight.observe(body);
    this.whenGone(() => sight.disconnect());
  }

  /** Fits names to the room, and lets keys reach content that scrolls. */
  #watchRoom(body: HTMLElement) {
    const room = new ResizeObserver(([{ contentRect }]) => {
      this.#width = contentRect.width;
      this.#show(this.app.store.get());
      this.#reach(body);
    });
    room.observe(body);
    this.whenGone(() => room.disconnect());
  }

  #reach(body: HTMLElement) {
    const scrolls =
      body.scrollHeight > body.clientHeight && getComputedStyle(body).overflowY === "auto";
    set(
      body,
      scrolls
        ? { tabindex: 0, role: "group", "aria-label": "Predictions of classes, a table a run" }
        : { tabindex: null, role: null, "aria-label": null },
    );
  }

  /** All maps as one SVG with the words around them. */
  async picture(around: Element[]): Promise<SVGSVGElement> {
    const body = this.#body;
    if (!body.clientWidth) throw new Error("the maps are not on the page");
    await this.#requestMaps();
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

  #build(body: HTMLElement, reading: HTMLElement, state: State) {
    this.#faces.clear();
    const classes = state.experiment?.classes ?? [];
    const face = facing(state);
    body.className = { scatter: "scatter", map: "decisions", table: "confusions" }[face];
    set(body, { "data-wide": face === "table" && classes.length > SIDE_BY_SIDE });
    // beside a table it only keeps its room
    reading.replaceChildren(...(hasMap(state.experiment) ? [mapLegend(classes)] : []), this.#hint);
    if (face === "scatter")
      body.replaceChildren(
        makeOwn("plotly-chart", {
          kind: "scatter",
          "aria-label": "Predicted and true, not drawn yet",
        }),
      );
    this.#arrange(body, state);
    this.#show(state);
  }

  #arrange(body: HTMLElement, state: State) {
    const runs = shownRuns(state);
    const classes = state.experiment?.classes ?? [];
    const face = facing(state);
    const { columns, rows, isSmall } = arrangementOf(runs.length, false);
    const isMany = face === "map" && isSmall;
    // on a phone two stand side by side, with room below
    set(body, {
      "data-columns": isMany ? columns : null,
      "data-rows": isMany && rows > 1 ? rows : null,
      style: { "--columns": columns, "--rows": arrangementOf(runs.length, true).rows },
    });
    if (face === "scatter") return this.#reach(body);
    const previous = this.#faces;
    this.#faces = new Map(
      runs.map((run) => [
        run.name,
        previous.get(run.name) ?? FACES[face](run, classes, (words) => this.#point(words)),
      ]),
    );
    body.replaceChildren(...[...this.#faces.values()].map(({ root }) => root));
    this.#show(state);
    this.#reach(body);
  }

  /** Shows the prediction under the cursor in place of the hint. */
  #point(words: string | null) {
    write(this.#hint, words ?? hintWords(this.app.store.get()));
  }

  #show(state: State) {
    const runs = shownRuns(state);
    const names = runs.map(({ label }) => label);
    const letters = lettersOver(arrangementOf(runs.length, matchMedia(PHONE).matches), this.#width);
    for (const run of runs)
      this.#faces.get(run.name)?.show(run, state, briefName(run.label, names, letters));
  }
}

/** How to read each view; all runs share the axes. */
const HINTS: Record<ReturnType<typeof facing>, (state: State) => string> = {
  scatter: ({ experiment }) =>
    isStandardized(experiment, "targets")
      ? `${experiment?.recipe.data.target ?? "Values"}, standardized: ${STANDARDIZED}`
      : "",
  map(state) {
    const answer = shownRuns(state)
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
  const visible = shownRuns(state).filter(({ status }) => !isMap || status !== "diverged");
  const steps = viewSteps(
    stateOnView(state),
    visible,
    isMap ? ({ name }) => lastMap(state, name) : "predictions",
  );
  const samples = state.experiment ? samplesOf(state.experiment) : "";
  return [steps, steps && samples ? `, ${samples}` : samples];
}

const samplesOf = ({ testSamples, trainSamples }: Experiment) =>
  testSamples ? plural(testSamples, "test sample") : plural(trainSamples, "training sample");
