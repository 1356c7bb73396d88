/**
 * Elements in the light DOM, where the page's styles and labels reach their content.
 * Owns: when an element follows the store, when it renders, and where the focus of a control goes
 * that is no longer there.
 */

import { LitElement } from "lit";
import { focusPlay } from "./controls.ts";
import type { PropertyValues } from "lit";
import type { App, Experiment, State } from "../core/types.ts";

export class LightElement extends LitElement {
  override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Renders at once, so that who adds it can measure or focus its content. */
  override connectedCallback() {
    super.connectedCallback();
    this.performUpdate();
  }

  /** The document's skeleton stays until the first rendering. */
  override update(changed: PropertyValues) {
    if (!this.hasUpdated) this.replaceChildren();
    super.update(changed);
  }
}

const isGone = (control: Element) => !control.isConnected || control.closest("[hidden]") !== null;

export class LiveElement extends LightElement {
  #gone = new AbortController();

  /** Aborted when the element leaves the page. */
  get gone() {
    return this.#gone.signal;
  }

  /** Set by `register`. */
  get app(): App {
    throw new Error(`${this.localName} is not registered`);
  }

  get state(): State {
    return this.app.store.get();
  }

  override connectedCallback() {
    const update = () => this.requestUpdate();
    const slice = (state: State) => [this.isReady(state), ...[this.shows(state)].flat()];
    update(); // what changed while it was away
    super.connectedCallback();
    this.whenGone(this.app.store.watch(slice, update));
    this.start();
  }

  override disconnectedCallback() {
    super.disconnectedCallback();
    this.#gone.abort();
    this.#gone = new AbortController();
  }

  override shouldUpdate() {
    return this.isReady(this.state);
  }

  override performUpdate() {
    const { activeElement: before } = document;
    // after a click the page keeps the keys, and needs no focus
    const isByKeyboard = this.contains(before) && before?.matches(":focus-visible");
    super.performUpdate();
    const { activeElement: now } = document;
    const isUnmoved = now === before || now === document.body;
    if (isByKeyboard && before && isUnmoved && isGone(before)) this.passFocus();
  }

  /** The control that had the focus is no longer there. */
  passFocus() {
    focusPlay();
  }

  /** Selects what it renders from. It renders again when one of these values changes. */
  shows(_: State): unknown {
    return null;
  }

  /** Nothing is rendered before. */
  isReady(_: State) {
    return true;
  }

  /** For what rendering does not do: following a further slice, listening to the document. */
  start() {}

  /** Shows the selected slice now and on each change. */
  follow<T>(select: (state: State) => T, show: (value: T, state: State) => void) {
    const { store } = this.app;
    this.whenGone(store.watch(select, show));
    show(select(store.get()), store.get());
  }

  /** @param stop called when the element leaves the page */
  whenGone(stop: () => void) {
    this.gone.addEventListener("abort", stop);
  }

  /** @param act receives the width of an element's content, in px, now and when its size changes */
  followSize(element: Element, act: (width: number) => void) {
    const room = new ResizeObserver(([{ contentRect }]) => act(contentRect.width));
    room.observe(element);
    this.whenGone(() => room.disconnect());
  }

  /** Renders again in another theme, for colours that the style sheet cannot set. */
  followTheme() {
    const theme = new MutationObserver(() => this.requestUpdate());
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.whenGone(() => theme.disconnect());
  }
}

/** Renders from when an experiment is there. */
export class ExperimentElement extends LiveElement {
  get experiment() {
    return this.state.experiment as Experiment;
  }

  override isReady({ experiment }: State) {
    return experiment !== null;
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
