/**
 * The recipe: data, network, and the runs' methods.
 * Owns: the order of sections, and locking what would change the experiment. A card locks its own
 * controls, because
 * hiding a run needs no server.
 */

import { button, segmentedSwitch } from "../../ui/controls.ts";
import { disableAll, make, makeOwn, set } from "../../ui/dom.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { isLocked } from "../../core/selectors.ts";

const MOST_RUNS = 4;

export class RecipeRail extends LiveElement {
  override start() {
    this.onceOpened(
      () => {
        const cards = make("div", {});
        this.follow(
          (state) => state.view.explains,
          (explains) => void this.classList.toggle("explained", explains),
        );
        const problem = make(
          "fieldset",
          {},
          makeOwn("data-fields", { class: "section" }),
          makeOwn("network-fields", { class: "section" }),
        );
        const foot = this.#foot();
        this.append(this.#grab(), this.#explain(), problem, cards, foot);
        this.follow(isLocked, (locked) => {
          set(problem, { disabled: locked });
          disableAll(foot, locked);
        });
        this.follow(
          (state) => state.order,
          (order) => this.#showCards(cards, order),
        );
      },
      (state) => state.catalog !== null,
    ); // controls are made from the catalog
  }

  /** Shows help lines below every control, also offline and for visitors. */
  #explain() {
    const toggle = button({
      name: "Explain every setting",
      title: "Explain every setting",
      look: "quiet square small explain",
      icon: "help",
      act: () => this.app.setView({ explains: !this.app.store.get().view.explains }),
    });
    this.follow(
      (state) => state.view.explains,
      (explains) => set(toggle, { "aria-pressed": String(explains) }),
    );
    return toggle;
  }

  /** The handle, visible where the rail is a sheet. */
  #grab() {
    const close = () => this.app.setView({ sheet: null });
    return make(
      "div",
      { class: "grab" },
      make("b", {}, "Recipe"),
      this.#explain(),
      button({ name: "Close the recipe", look: "quiet square", icon: "close", act: close }),
    );
  }

  #showCards(cards: HTMLElement, order: string[]) {
    const previous = new Map(
      [...cards.children].map((card) => [card.getAttribute("data-run"), card]),
    );
    const next = order.map(
      (name) => previous.get(name) ?? makeOwn("run-card", { "data-run": name, role: "group" }),
    );
    for (const [name, card] of previous) if (!order.includes(name ?? "")) card.remove();
    const added = order.find((name) => !previous.has(name));
    // a new run is selected, after the store has finished notifying
    if (previous.size && added) queueMicrotask(() => this.app.setView({ selectedRun: added }));
    next.forEach(
      (card, place) =>
        cards.children[place] !== card && cards.insertBefore(card, cards.children[place] ?? null),
    );
  }

  #foot() {
    const add = button({ look: "dashed", icon: "plus", act: () => this.app.addRun() }, "Add a run");
    const pace = segmentedSwitch({
      name: "Compare at equal",
      look: "fill",
      choices: [
        { value: "steps", text: "equal steps", title: "All runs make the same number of steps" },
        {
          value: "samples",
          text: "equal samples",
          title: "All runs see the same number of samples: small batches make more steps",
        },
      ],
      choose: (value) => this.app.setPace(value === "samples" ? "samples" : "steps"),
    });
    this.follow((state) => state.playback.pace, pace.show);
    this.follow(
      (state) => state.order.length,
      (count) => (add.hidden = count >= MOST_RUNS),
    );
    return make(
      "div",
      { class: "foot" },
      add,
      make(
        "p",
        { class: "hint" },
        "All runs start from the same weights on the same data. An edit while training adds a marker to the timeline.",
      ),
      make(
        "div",
        { class: "field" },
        make("span", { "aria-hidden": "true" }, "Compare at equal"),
        pace.root,
      ),
    );
  }
}
