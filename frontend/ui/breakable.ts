/**
 * Names of data: they have no spaces, and may break after an underscore instead of anywhere.
 * Owns: where.
 */

import { html } from "lit";

export const breakable = (name: string) =>
  name.split(/(?<=_)/).map((part, k) => (k ? html`<wbr>${part}` : part));
