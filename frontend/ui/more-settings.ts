/**
 * "More" with rarely used settings. The line beside it shows values that differ from the defaults.
 * Owns: the disclosure.
 */

import { html } from "lit";
import * as texts from "../words/english.ts";

/** @param whose "settings of GD", for screen readers */
export const moreSettings = (
  whose: string,
  differing: (string | false | null | undefined)[],
  content: unknown,
) => html`<details class="more">
  <summary
    ><span>${texts.more}<span class="unseen"> ${whose}</span></span
    ><span class="muted">${differing.filter(Boolean).join(", ")}</span></summary>
  <div class="more-body"><div class="rows">${content}</div></div>
</details>`;
