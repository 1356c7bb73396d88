/**
 * The network of one run as a drawing: edges by weight, units by mean activation, dead ones hollow
 * and dashed.
 * Owns: the SVG, patched in place four times a second, and its text version. network-geometry.ts
 * has the geometry.
 */

import { html, nothing } from "lit";
import { breakable } from "../../ui/breakable.ts";
import { draw, set, write } from "../../ui/dom.ts";
import { highlightEdges } from "./edge-highlight.ts";
import { LiveElement } from "../../ui/live-element.ts";
import {
  columnsOf,
  edgePath,
  footWords,
  HEIGHT,
  heightUnder,
  inputFoot,
  inputWords,
  isRoomy,
  isTight,
  leastShown,
  partOf,
  shadesOf,
  sizeWithin,
  strokeOf,
  WIDTH,
} from "./network-geometry.ts";
import { networkText } from "./network-text.ts";
import { runSwitch, runSwitchParts } from "../../ui/run-switch.ts";
import { inspectedRun } from "../../core/inspected.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import { sharesOf } from "../../core/run-look.ts";
import { takesLogits } from "../../core/losses.ts";
import { plural } from "../../core/format.ts";
import { layerSizes } from "../../core/experiment-answer.ts";
import { viewWords } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { Experiment, Run, State } from "../../core/types.ts";
import type { Column } from "./network-geometry.ts";

type Layer = { mean: number[]; dead: boolean[] };

/** Height of a line of an input's name. */
const LINE = 11;
/** Letters of a run's name on its switch, by number of runs. */
const LETTERS = { few: 12, many: 8, most: 6 };

const shownRun = (state: State) => inspectedRun(stateOnView(state));

/** The step of the units, and of the weights where it differs. */
function whenWords(state: State) {
  const run = inspectedRun(state);
  if (!run) return "";
  const [units, weights] = [viewWords(state, [run], "units"), viewWords(state, [run], "weights")];
  return run.weights && run.units && run.weights.step !== run.units.step
    ? texts.unitsXWeightsY(units, weights)
    : units;
}

/** A mean activation in a circle. */
function short(value: number) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text =
    size >= 1e6
      ? value.toExponential(0).replace("+", "")
      : size >= 1000
        ? `${Math.round(value / 1000)}k`
        : value.toFixed(size < 10 ? 1 : 0);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** One value for each circle or cell: the mean of its units. */
function perCell({ isStrip, cells }: Column, values: number[]) {
  if (!isStrip || cells.length === values.length) return values;
  return cells.map((_, cell) => {
    const own = values.filter((_, unit) => partOf(unit, values.length, cells.length) === cell);
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  });
}

const isWhollyDead = ({ dead }: Layer) => dead.length > 0 && dead.every(Boolean);

/** For each circle, or group of a strip, whether all its units are dead. */
const deadGroups = ({ drawn }: Column, dead: boolean[]) =>
  Array.from({ length: drawn }, (_, group) =>
    dead.every((isDead, unit) => isDead || partOf(unit, dead.length, drawn) !== group),
  );

/** The key, on hover. */
const KEY = texts.greenW0VioletW0;

export class NetworkDrawing extends LiveElement {
  #columns: Column[] = [];
  #shape = "";
  #height = HEIGHT;
  #edges: SVGPathElement[][][] = [];
  #units: { group: SVGGElement; value: SVGTextElement | null }[][] = [];
  #feet: { name: SVGTextElement; count: SVGTextElement }[] = [];
  #svg = draw("svg", { class: "network", role: "img" });
  #reshape = highlightEdges(this.#svg, ({ place, unit }) => [
    ...(this.#edges[place - 1]?.map((row) => row[unit]) ?? []),
    ...(this.#edges[place]?.[unit] ?? []),
  ]);

  /** The last units drawn at the present, to see a layer die. */
  #present: { run: string; generation: number; layers: Layer[] } | null = null;

  override isReady(state: State) {
    return state.experiment !== null && shownRun(state) !== undefined;
  }

  override shows(state: State) {
    const run = shownRun(state);
    return [
      state.experiment,
      run?.units,
      run?.weights,
      run?.findings,
      whenWords(stateOnView(state)),
      ...runSwitchParts(state),
    ];
  }

  override render() {
    const { app, state } = this;
    const when = whenWords(stateOnView(state));
    const words = networkText(shownRun(state), state.experiment as Experiment);
    set(this.#svg, { "aria-label": words.sentence });
    return html`
      <div class="stand" title=${KEY}>
        <div class="head">
          <div class="whole"><h2>${texts.network}</h2><span class="when" title=${when || nothing}>${when}</span></div>
          <span class="end">${runSwitch(state, app, texts.runShown, LETTERS)}</span>
        </div>
        ${this.#svg}
      </div>
      ${inputKey(state.experiment as Experiment)}
      <div class="unseen">${words.table}</div>`;
  }

  override updated() {
    const { state } = this;
    this.#show(shownRun(state), state.experiment as Experiment, state.order.length);
  }

  /** @param runs number of runs */
  #show(run: Run, experiment: Experiment, runs: number) {
    const sizes = layerSizes(experiment.recipe, experiment.outputs);
    const height = heightUnder(runs);
    const shape = JSON.stringify([sizes, experiment.inputs, height]);
    if (this.#shape !== shape) {
      this.#shape = shape;
      this.#height = height;
      this.#build(sizes, experiment.inputs);
    }
    const { units, weights } = run;
    const layers = units?.layers ?? [];
    this.#svg.classList.toggle("unweighed", !weights);
    if (weights)
      experiment.weights.forEach((name, k) =>
        this.#showEdges(k, sharesOf(weights.of[name]), layers),
      );
    layers.forEach((layer, k) => this.#showLayer(k + 1, layer));
    this.#showDeaths(run, layers);
    this.#nameCounts(layers.some(({ dead }) => dead.some(Boolean)));
    const last = this.#columns[sizes.length - 1];
    const means = perCell(last, outputMeans(units?.output));
    this.#units
      .at(-1)
      ?.forEach(({ value }, k) => value && writeWithin(value, units ? short(means[k]) : "", last));
    write(this.#feet[sizes.length - 1].name, outputWord(experiment));
    set(this, {
      "data-run": run.name,
      "data-step": units?.step ?? null,
      "data-dead": layers.flatMap(({ dead }) => dead).filter(Boolean).length,
    });
  }

  #build(sizes: number[], inputs: string[]) {
    const { letters, words } = inputWords(inputs, sizes.length);
    this.#columns = columnsOf(sizes, letters, this.#height);
    set(this.#svg, { viewBox: `0 0 ${WIDTH} ${this.#height + 4}` });
    const columns = this.#columns;
    this.#svg.classList.toggle("tight", isTight(this.#pitch));
    this.#reshape(
      columns.map(({ drawn }) => drawn),
      columns.some(({ isStrip }) => isStrip),
    );
    const edges = draw("g", { class: "edges" });
    this.#edges = columns.slice(1).map((to, k) => this.#buildEdges(edges, columns[k], to));
    this.#units = columns.map((column, place) =>
      place ? this.#buildUnits(column, place) : buildInputs(column, inputs, words, letters > 0),
    );
    this.#feet = columns.map((column, place) => this.#buildFoot(column, place));
    const groups = this.#units.flat().map(({ group }) => group);
    const hatch = draw(
      "pattern",
      { id: "hatched", width: 4, height: 4, patternUnits: "userSpaceOnUse" },
      draw("path", { d: "M0 4 4 0" }),
    );
    this.#svg.replaceChildren(
      draw("defs", {}, hatch),
      edges,
      ...groups,
      ...this.#feet.flatMap(({ name, count }) => [name, count]),
    );
  }

  #buildEdges(into: SVGGElement, from: Column, to: Column) {
    return from.ys.map((_, i) =>
      to.ys.map((_, k) => {
        const edge = draw("path", { d: edgePath(from, i, to, k) });
        into.append(edge);
        return edge;
      }),
    );
  }

  #buildUnits(column: Column, place: number) {
    const last = this.#columns.length - 1;
    const look = place === last ? "output-unit" : "unit";
    if (column.isStrip) return stripOf(column, place, look);
    return column.ys.map((y, k) => {
      const text =
        column.radius >= 9.5
          ? draw("text", { class: "value", x: column.x, y: y.toFixed(1) })
          : null;
      const group = draw(
        "g",
        { "data-place": place, "data-unit": k },
        shapeOf(column, y, look),
        text,
      );
      return { group, value: text };
    });
  }

  #buildFoot(column: Column, place: number) {
    const last = this.#columns.length - 1;
    const words =
      place === 0
        ? inputFoot(column)
        : place === last
          ? "ŷ"
          : last > 4
            ? `${place}`
            : texts.layerX(place);
    return {
      name: draw("text", { x: column.x, y: this.#height - 13 }, words),
      count: draw("text", { x: column.x, y: this.#height, class: "foot-alive" }),
    };
  }

  /** px between two columns. */
  get #pitch() {
    return this.#columns[1].x - this.#columns[0].x;
  }

  /**
   * Names the counts where the labels below are plain numbers: the first of the line says what they
   * count.
   */
  #nameCounts(any: boolean) {
    write(this.#feet[0].count, any && !isRoomy(this.#pitch) ? "dead" : "");
  }

  /** @param shares of the layer's largest, with signs, row by row */
  #showEdges(k: number, shares: number[], layers: Layer[]) {
    const deadIn = (place: number) =>
      layers[place - 1] ? deadGroups(this.#columns[place], layers[place - 1].dead) : [];
    const [from, to] = [deadIn(k), deadIn(k + 1)];
    const least = leastShown(shares);
    this.#edges[k].forEach((row, i) =>
      row.forEach((path, j) => {
        const share = shares[i * row.length + j];
        const { width, opacity } = strokeOf(Math.abs(share), Boolean(from[i] || to[j]));
        path.classList.toggle("positive", share >= 0);
        path.classList.toggle("negative", share < 0);
        path.classList.toggle("quiet", Math.abs(share) < least);
        set(path, { "stroke-width": width, opacity });
      }),
    );
  }

  /** The rings of a layer close at the moment it dies, and not where one only comes to see it dead. */
  #showDeaths({ name, generation }: Run, layers: Layer[]) {
    const before = this.#present;
    this.#present = this.state.looking ? null : { run: name, generation, layers };
    if (!this.#present || before?.run !== name || before.generation !== generation) return;
    const dying = layers.flatMap((layer, k) => {
      const wasAlive = before.layers[k] && !isWhollyDead(before.layers[k]);
      return wasAlive && isWhollyDead(layer) && !this.#columns[k + 1]?.isStrip ? [k + 1] : [];
    });
    // the question makes the browser lay out the page: it is asked at a death only
    if (!dying.length || !this.checkVisibility()) return;
    for (const place of dying) {
      for (const { group } of this.#units[place] ?? []) {
        group.classList.add("dies");
        group.addEventListener("animationend", () => group.classList.remove("dies"), {
          once: true,
        });
      }
    }
  }

  #showLayer(place: number, { mean, dead }: Layer) {
    const column = this.#columns[place];
    if (!column) return;
    const means = perCell(column, mean);
    const shares = perCell(column, dead.map(Number));
    const shades = shadesOf(means);
    this.#units[place].forEach(({ group, value }, k) => {
      const isDead = shares[k] === 1;
      group.classList.toggle("dead", isDead);
      group.style.setProperty("--activation", shades[k].toFixed(3));
      if (value) writeWithin(value, isDead ? "0" : short(means[k]), column);
    });
    const count = dead.filter(Boolean).length;
    const foot = this.#feet[place].count;
    foot.classList.toggle("foot-dead", count > 0);
    foot.classList.toggle("foot-alive", count === 0);
    set(foot, { "data-term": count > 0 ? "dead" : null });
    write(foot, footWords(count, dead.length, this.#pitch));
  }
}

const shapeOf = (column: Column, y: number, look: string) =>
  draw("circle", { class: look, cx: column.x, cy: y.toFixed(1), r: column.radius });

/** Writes a number that stays within its circle. */
function writeWithin(value: SVGTextElement, text: string, { radius }: Column) {
  if (value.textContent === text) return;
  write(value, text);
  value.style.setProperty("--fits", text ? `${sizeWithin(text, radius).toFixed(1)}px` : null);
}

/** px from a strip to the end of a dead cell's tick */
const TICK = 4;

/** A wide layer as a strip: a cell for each unit, with a tick beside it that shows while it is dead. */
function stripOf({ x, radius, cells, units, drawn }: Column, place: number, look: string) {
  return cells.map(({ top, height }, k) => {
    const first = Math.ceil((k * units) / cells.length);
    const cell = draw("rect", {
      class: `${look} cell`,
      x: x - radius,
      y: top.toFixed(2),
      width: 2 * radius,
      height: height.toFixed(2),
    });
    const middle = (top + height / 2).toFixed(2);
    const tick = draw("path", { class: "tick", d: `M${x + radius + 1} ${middle}h${TICK}` });
    const unit = partOf(first, units, drawn);
    return {
      group: draw("g", { "data-place": place, "data-unit": unit }, cell, tick),
      value: null,
    };
  });
}

/**
 * @param inputs their names
 * @param words lines of each name
 */
function buildInputs(column: Column, inputs: string[], words: string[][], beside: boolean) {
  if (column.isStrip) return stripOf(column, 0, "input-unit");
  return column.ys.map((y, k) => {
    const where = beside
      ? { class: "input-name beside", x: column.x - column.radius - 4 }
      : { class: "input-name", x: column.x };
    const lines = words[k].map((line, place) =>
      draw(
        "tspan",
        { x: where.x, y: (y + LINE * (place - (words[k].length - 1) / 2)).toFixed(1) },
        line,
      ),
    );
    const text = beside || column.radius >= 7.5 ? draw("text", where, ...lines) : null;
    const title = draw("title", {}, inputs[k]);
    return {
      group: draw(
        "g",
        { "data-place": 0, "data-unit": k },
        title,
        shapeOf(column, y, "input-unit"),
        text,
      ),
      value: null,
    };
  });
}

/** Up to so many inputs, the key of their numbers is open. */
const FEW_INPUTS = 12;

/** The names of inputs that have only numbers in the drawing. */
function inputKey({ recipe, inputs, outputs }: Experiment) {
  if (!inputWords(inputs, layerSizes(recipe, outputs).length).hasKey) return nothing;
  const key = html`<ol class="input-key">${inputs.map(
    (name, k) => html`<li><b>x${k + 1}</b><span>${breakable(name)}</span></li>`,
  )}</ol>`;
  return inputs.length <= FEW_INPUTS
    ? key
    : html`<details class="input-names"><summary>${plural(inputs.length, "input")}</summary>${key}</details>`;
}

/** The mean of each output, in either form of the instrument's answer. */
function outputMeans(output: any): number[] {
  const mean = typeof output === "object" && output !== null ? (output.mean ?? output) : output;
  return [mean ?? Number.NaN].flat().map(Number);
}

/** The label below the outputs: cross-entropy takes logits, not predictions. */
function outputWord({ recipe: { loss }, outputs }: Experiment) {
  return takesLogits(loss) ? (outputs > 1 ? texts.logits : texts.logit) : "ŷ";
}
