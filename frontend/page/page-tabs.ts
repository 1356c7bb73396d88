/**
 * Tabs of a phone: charts, inspection and one step, one section at a time. The Doctor's tab leads
 * to the end of inspection and shows the number of problems.
 * Owns: the visible section. Wider pages have no tabs.
 */

import { html, nothing } from "lit";
import { set } from "../ui/dom.ts";
import { LiveElement } from "../ui/live-element.ts";
import { problemCount } from "../features/doctor/doctor.ts";
import { plural } from "../core/format.ts";
import type { State, View } from "../core/types.ts";

type Tab = View["tab"];

const TABS: { tab: Tab; text: string }[] = [
  { tab: "charts", text: "Charts" },
  { tab: "network", text: "Network" },
  { tab: "doctor", text: "Doctor" },
  { tab: "step", text: "Step" },
];

const countOf = (problems: number) =>
  html`<sup aria-hidden="true">${problems}</sup><span class="unseen">${plural(problems, "problem")}</span>`;

export class PageTabs extends LiveElement {
  override shows(state: State) {
    return [state.view.tab, problemCount(state)];
  }

  override render() {
    const { view } = this.state;
    const problems = problemCount(this.state);
    const button = ({ tab, text }: (typeof TABS)[number]) =>
      html`<button type="button" role="tab" id="tab-${tab}" aria-controls=${tab}
        aria-selected=${tab === view.tab} tabindex=${tab === view.tab ? 0 : -1}
        @click=${() => this.app.setView({ tab })}
        >${text}${tab === "doctor" && problems ? countOf(problems) : nothing}</button>`;
    return html`<div role="tablist" aria-label="Sections" @keydown=${this.#key}>${TABS.map(button)}</div>`;
  }

  #key(event: KeyboardEvent) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    const tabs = [...this.querySelectorAll("button")];
    const here = tabs.indexOf(document.activeElement as HTMLButtonElement);
    const other = (here + (event.key === "ArrowRight" ? 1 : -1) + tabs.length) % tabs.length;
    tabs[other].focus();
    this.app.setView({ tab: TABS[other].tab });
  }

  override start() {
    const phone = matchMedia("(max-width: 720px)");
    phone.addEventListener("change", () => this.#showMain(phone.matches));
    let before = this.state.view.tab;
    this.follow(
      (state) => state.view.tab,
      (current) => {
        this.#showMain(phone.matches);
        set(this.closest(".app") as Element, { "data-tab": current });
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
