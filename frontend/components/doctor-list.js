/**
 * The Doctor: the findings of all runs at the step on view, problems first, with remedies and reasons.
 * Owns: the section's elements, patched in place so that focus stays. state/doctor.js lists them, finding-entry.js
 * makes an entry.
 */

import { make, makeOwn, set, write } from "./dom.js";
import { earlierEntry, findingEntry } from "./finding-entry.js";
import { glyph } from "./icons.js";
import { LiveElement, register } from "./live-element.js";
import { countWords, earlierFindings, openFindings, problemCount, waitWords } from "../state/doctor.js";
import { noRoomWords } from "../state/remedies.js";
import { isLocked, mayChange } from "../state/selectors.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/doctor.js").RunFinding} RunFinding */
/** @typedef {ReturnType<typeof findingEntry>} Entry */

const NOTHING = ["No findings yet.", "The Doctor looks for dead layers, flat losses, high rates and overfitting."];

/** @param {RunFinding} items */
const keyOf = ({ run, finding }) => `${run.name} ${run.generation} ${finding.id}`;

/** Puts entries in order. Moves only misplaced entries, so that focus stays. @param {Element} list @param {Element[]} ordered */
function arrange(list, ordered) {
  for (const each of [...list.children]) if (!ordered.includes(each)) each.remove();
  ordered.forEach((each, place) => list.children[place] !== each && list.insertBefore(each, list.children[place] ?? null));
}

export class DoctorList extends LiveElement {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #list = make("ul", { class: "findings", role: "list" });
  #nothing = make("div", { class: "finding", "data-tone": "muted" }, glyph("dot"), make("h3", {}, NOTHING[0]), make("p", {}, NOTHING[1]));
  #earlier = make("ul", { role: "list" });
  #count = make("summary", {});
  #folded = make("details", { class: "earlier" }, this.#count, this.#earlier);

  start() {
    this.onceOpened(() => {
      const end = make("span", { class: "end" });
      const cost = make("p", { class: "hint" });
      this.append(make("div", { class: "head" }, make("h2", {}, "Doctor"), end), this.#list, this.#nothing, this.#folded, cost, makeOwn("self-check"));
      this.follow(waitWords, (words) => write(cost, words));
      this.follow(countWords, (words) => write(end, words));
      this.follow((state) => problemCount(state), (count) => set(this, { "data-problems": count }));
      this.follow(
        (state) => [...openFindings(state).map(({ finding }) => finding), isLocked(state), mayChange(state), noRoomWords(state), state.experiment?.id, ...state.order.map((name) => state.runs[name].settings)],
        (_, state) => this.#show(state),
      );
      this.follow((state) => earlierFindings(state).flatMap(({ run, finding }) => [run.label, finding]), (_, state) => this.#showEarlier(earlierFindings(state)));
    });
  }

  /** @param {State} state */
  #show(state) {
    const items = openFindings(state);
    const previous = this.#entries;
    this.#entries = new Map(items.map((each) => [keyOf(each), previous.get(keyOf(each)) ?? findingEntry(this.app)]));
    for (const each of items) this.#entries.get(keyOf(each))?.show(each, state);
    arrange(this.#list, [...this.#entries.values()].map(({ root }) => root));
    this.#list.hidden = !items.length;
    this.#nothing.hidden = items.length > 0;
  }

  /** @param {RunFinding[]} items */
  #showEarlier(items) {
    this.#folded.hidden = !items.length;
    write(this.#count, `${items.length} earlier`);
    this.#earlier.replaceChildren(...items.map(({ finding }) => earlierEntry(finding)));
  }
}

/** @param {import("../state/types.js").App} app */
export const registerDoctorList = (app) => register("doctor-list", DoctorList, app);
