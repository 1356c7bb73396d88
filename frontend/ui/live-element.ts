/**
 * An element that follows the store while it is on the page.
 * Owns: when to subscribe and unsubscribe.
 */

import type { App, State } from "../core/types.ts";

export class LiveElement extends HTMLElement {
  #stops: (() => void)[] = [];

  /** Set by `register`. */
  get app(): App {
    throw new Error(`${this.localName} is not registered`);
  }

  connectedCallback() {
    this.start();
  }

  disconnectedCallback() {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** Builds the element and follows the store; subclasses override it. */
  start() {}

  /** Shows the selected slice now and on each change. */
  follow<T>(select: (state: State) => T, show: (value: T, state: State) => void) {
    const { store } = this.app;
    this.#stops.push(store.watch(select, show));
    show(select(store.get()), store.get());
  }

  /** @param stop called when the element leaves the page */
  whenGone(stop: () => void) {
    this.#stops.push(stop);
  }

  /**
   * Builds once, when there is an experiment; until then the document's skeleton stays.
   * @param isReady further condition
   */
  onceOpened(build: () => void, isReady: (state: State) => boolean = () => true) {
    let built = false;
    this.follow(
      (state) => state.experiment !== null && isReady(state),
      (opened) => {
        if (!opened || built) return;
        built = true;
        this.replaceChildren();
        build();
      },
    );
  }
}

export function register(tag: string, Element: typeof LiveElement, app: App) {
  customElements.define(
    tag,
    class extends Element {
      override get app() {
        return app;
      }
    },
  );
}
