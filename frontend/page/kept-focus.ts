/**
 * A cut line disables the control that has the focus, and the browser drops its focus.
 * Owns: giving it back when the line is mended, unless somebody has gone elsewhere.
 */

import { waitsForLine } from "../core/selectors.ts";
import type { Store } from "../core/types.ts";

let cutOff: HTMLElement | null = null;

const hasNoFocus = () => [document.body, null].includes(document.activeElement as HTMLElement);

/** The control that had the focus when the line was cut, as long as nothing else has it. */
export const controlCutOff = () => (hasNoFocus() ? cutOff : null);

export function keepFocus(store: Store) {
  store.watch(waitsForLine, (waits) => {
    // the store speaks first: the elements disable and enable their controls after it
    if (waits) {
      if (!hasNoFocus()) cutOff = document.activeElement as HTMLElement;
      return;
    }
    requestAnimationFrame(() => {
      controlCutOff()?.focus({ preventScroll: true });
      cutOff = null;
    });
  });
}
