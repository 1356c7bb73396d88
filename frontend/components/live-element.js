/**
 * An element that follows the store while it is on the page.
 * Owns: when to subscribe and unsubscribe.
 */

/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("../state/types.js").State} State */

export class LiveElement extends HTMLElement {
  /** @type {(() => void)[]} */
  #stops = [];

  /** Set by `register`. @returns {App} */
  get app() {
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

  /**
   * Shows the selected slice now and on each change.
   * @template T
   * @param {(state: State) => T} select
   * @param {(value: T, state: State) => void} show
   */
  follow(select, show) {
    const { store } = this.app;
    this.#stops.push(store.watch(select, show));
    show(select(store.get()), store.get());
  }

  /** @param {() => void} stop  called when the element leaves the page */
  whenGone(stop) {
    this.#stops.push(stop);
  }

  /**
   * Builds once, when there is an experiment; until then the document's skeleton stays.
   * @param {() => void} build
   * @param {(state: State) => boolean} [isReady]  further condition
   */
  onceOpened(build, isReady = () => true) {
    let built = false;
    this.follow((state) => state.experiment !== null && isReady(state), (opened) => {
      if (!opened || built) return;
      built = true;
      this.replaceChildren();
      build();
    });
  }
}

/**
 * @param {string} tag
 * @param {typeof LiveElement} Element
 * @param {App} app
 */
export function register(tag, Element, app) {
  customElements.define(tag, class extends Element {
    get app() {
      return app;
    }
  });
}
