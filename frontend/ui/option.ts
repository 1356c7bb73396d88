/**
 * The option of the command line in a sentence: it breaks at no hyphen.
 * Owns: its element.
 */

import { html } from "lit";
import * as texts from "../words/english.ts";

export const withOption = (text: string) =>
  text
    .split(texts.hostOption)
    .map((part, k) => (k ? html`<code class="option">${texts.hostOption}</code>${part}` : part));
