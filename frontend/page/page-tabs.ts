/**
 * Tabs of a phone: charts, inspection and one step, one section at a time. The Doctor's tab leads
 * to the end of
 * inspection and shows the number of problems.
 * Owns: the visible section. Wider pages have no tabs.
 */

import { make, set } from "../ui/dom.ts";
import { LiveElement } from "../ui/live-element.ts";
import { problemCount } from "../features/doctor/doctor.ts";
import { plural } from "../core/format.ts";
import type { View } from "../core/types.ts";

type Tab = View["tab"];

const TABS: { tab: Tab; text: string }[] = [
  { tab: "charts", text: "Charts" },
  { tab: "network", text: "Network" },
  { tab: "doctor", text: "Doctor" },
  { tab: "step", text: "Step" },
];

const countOf = (problems: number) =>
  problems
    ? [
        make("sup", { "aria-hidden": "true" }, problems),
        make("span", { class: "unseen" }, plural(problems, "problem")),
      ]
    : [];

export class PageTabs extends LiveElement {
  override start() {
    const tabs = TABS.map(({ tab, text }) =>
      make(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${tab}`,
          "aria-controls": tab,
          on: { click: () => this.app.setView({ tab }) },
        },
        text,
      ),
    );
    const keys = (event: KeyboardEvent) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      const here = tabs.findIndex((tab) => tab === document.activeElement);
      const other = (here + (event.key === "ArrowRight" ? 1 : -1) + tabs.length) % tabs.length;
      tabs[other].focus();
      this.app.setView({ tab: TABS[other].tab });
    };
    this.replaceChildren(
      make("div", { role: "tablist", "aria-label": "Sections", on: { keydown: keys } }, ...tabs),
    );
    const phone = matchMedia("(max-width: 720px)");
    phone.addEventListener("change", () => this.#showMain(phone.matches));
    this.follow(problemCount, (count) =>
      tabs[TABS.findIndex(({ tab }) => tab === "doctor")].replaceChildren(
        "Doctor",
        ...countOf(count),
      ),
    );
    let before = this.app.store.get().view.tab;
    this.follow(
      (state) => state.view.tab,
      (current) => {
        this.#showMain(phone.matches);
        set(this.closest(".app") as Element, { "data-tab": current });
        tabs.forEach((tab, place) =>
          set(tab, {
            "aria-selected": String(TABS[place].tab === current),
            tabindex: TABS[place].tab === current ? 0 : -1,
          }),
        );
        if (phone.matches && current !== before)
          document.querySelector(current === "doctor" ? "#doctor" : "body")?.scrollIntoView();
        before = current;
      },
    );
  }

  /** Makes the only visible section the page's main landmark. */
  #showMain(isPhone: boolean) {
    const { tab } = this.app.store.get().view;
    const main = !isPhone || tab === "charts" ? null : tab === "step" ? "step" : "network";
    for (const [id, usual] of [
      ["network", "complementary"],
      ["step", "region"],
    ]) {
      set(document.querySelector(`#${id}`) as Element, { role: id === main ? "main" : usual });
    }
  }
}
