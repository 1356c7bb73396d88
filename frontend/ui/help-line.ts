/**
 * A line below a control with its meaning, range and source. Screen readers read it with the
 * control, hovering shows it, and it stays visible while the recipe is explained.
 * Owns: the line, and its link to the control.
 */

import { html, nothing } from "lit";
import type { Explanation } from "../core/parameters.ts";

let lines = 0;

/** For `aria-describedby` of the controls that a line describes. */
export const helpId = () => `help-${++lines}`;

export const helpLine = (id: string, { says, more }: Explanation) =>
  html`<p class="help" id=${id}><span>${says}</span> <span class="muted">${more}</span></p>`;

/** For `title` of these controls. */
export const fullHelp = ({ says, more }: Explanation) => `${says} ${more}`.trim() || nothing;

export const words = (says: string, more = ""): Explanation => ({ says, more });
