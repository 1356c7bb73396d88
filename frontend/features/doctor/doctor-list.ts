/**
 * The Doctor: the findings of all runs at the step on view, problems first, with remedies and
 * reasons.
 * Owns: the section's elements, patched in place so that focus stays. doctor.ts lists them,
 * finding-entry.ts
 * makes an entry.
 */

import { make, makeOwn, set, write } from "../../ui/dom.ts";
import { earlierEntry, findingEntry } from "./finding-entry.ts";
import { glyph } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { countWords, earlierFindings, openFindings, problemCount, waitWords } from "./doctor.ts";
import { noRoomWords } from "./remedies.ts";
import { isLocked, mayChange } from "../../core/selectors.ts";
import type { RunFinding } from "./doctor.ts";
import type { State } from "../../core/types.ts";

type Entry = ReturnType<typeof findingEntry>;

const NOTHING = [
  "No findings yet.",
  "The Doctor looks for dead layers, flat losses, high rates and overfitting.",
];

const keyOf = ({ run, finding }: RunFinding) => `${run.name} ${run.generation} ${finding.id}`;

/** Puts entries in order. Moves only misplaced entries, so that focus stays. */
function arrange(list: Element, ordered: Element[]) {
  for (const each of [...list.children]) if (!ordered.includes(each)) each.remove();
  ordered.forEach(
    (each, place) =>
      list.children[place] !== each && list.insertBefore(each, list.children[place] ?? null),
  );
}

export class DoctorList extends LiveElement {
  #entries: Map<string, Entry> = new Map();
  #list = make("ul", { class: "findings", role: "list" });
  #nothing = make(
    "div",
    { class: "finding", "data-tone": "muted" },
    glyph("dot"),
    make("h3", {}, NOTHING[0]),
    make("p", {}, NOTHING[1]),
  );
  #earlier = make("ul", { role: "list" });
  #count = make("summary", {});
  #folded = make("details", { class: "earlier" }, this.#count, this.#earlier);

  override start() {
    this.onceOpened(() => {
      const end = make("span", { class: "end" });
      const cost = make("p", { class: "hint" });
      this.append(
        make("div", { class: "head" }, make("h2", {}, "Doctor"), end),
        this.#list,
        this.#nothing,
        this.#folded,
        cost,
        makeOwn("self-check"),
      );
      this.follow(waitWords, (words) => write(cost, words));
      this.follow(countWords, (words) => write(end, words));
      this.follow(
        (state) => problemCount(state),
        (count) => set(this, { "data-problems": count }),
      );
      this.follow(
        (state) => [
          ...openFindings(state).map(({ finding }) => finding),
          isLocked(state),
          mayChange(state),
          noRoomWords(state),
          state.experiment?.id,
          ...state.order.map((name) => state.runs[name].settings),
        ],
        (_, state) => this.#show(state),
      );
      this.follow(
        (state) => earlierFindings(state).flatMap(({ run, finding }) => [run.label, finding]),
        (_, state) => this.#showEarlier(earlierFindings(state)),
      );
    });
  }

  #show(state: State) {
    const items = openFindings(state);
    const previous = this.#entries;
    this.#entries = new Map(
      items.map((each) => [keyOf(each), previous.get(keyOf(each)) ?? findingEntry(this.app)]),
    );
    for (const each of items) this.#entries.get(keyOf(each))?.show(each, state);
    arrange(
      this.#list,
      [...this.#entries.values()].map(({ root }) => root),
    );
    this.#list.hidden = !items.length;
    this.#nothing.hidden = items.length > 0;
  }

  #showEarlier(items: RunFinding[]) {
    this.#folded.hidden = !items.length;
    write(this.#count, `${items.length} earlier`);
    this.#earlier.replaceChildren(...items.map(({ finding }) => earlierEntry(finding)));
  }
}
