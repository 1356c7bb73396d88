/**
 * The row below the loss: gradients, or the open instruments side by side.
 * Owns: which charts stand there, and the note of an instrument not measured yet.
 */

import { make, makeOwn, write } from "../../ui/dom.ts";
import { choiceOf, kindOf, waitingWords } from "../../core/instruments.ts";
import type { App, State } from "../../core/types.ts";

const charts = (state: State) =>
  state.view.panel === "instruments" ? choiceOf(state).gauges.map(kindOf) : [];

export function keepLowerRow({ store }: App, row: HTMLElement) {
  /** Notes in place of charts, by kind. */
  let waiting: HTMLElement[] = [];
  const words = (state: State) =>
    waiting.length ? choiceOf(state).gauges.map((gauge) => waitingWords(state, gauge)) : [];
  const say = (texts: string[]) =>
    waiting.forEach((each, place) => {
      write(each, texts[place] ?? "");
      each.hidden = !texts[place];
    });
  const show = (kinds: string[]) => {
    waiting = kinds.map((_, place) =>
      make("p", { class: "waiting", hidden: true, style: { "--at": place + 1 } }),
    );
    row.replaceChildren(
      kinds.length
        ? make(
            "div",
            { class: "instruments", style: { "--many": kinds.length } },
            ...kinds.map((kind) =>
              makeOwn("plotly-chart", { kind, "aria-label": "Not measured yet" }),
            ),
            ...waiting,
          )
        : makeOwn("plotly-chart", {
            kind: "gradients",
            "aria-label": "Gradient per layer, not drawn yet",
          }),
    );
    say(words(store.get()));
  };
  store.watch(charts, show);
  store.watch(words, say);
  show(charts(store.get()));
}
