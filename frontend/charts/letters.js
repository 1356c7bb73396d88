/**
 * How wide the words of ticks are: in Inter, the only face of the page, that is known before they are drawn.
 * Owns: the widths of its letters at 11 px. Pure.
 */

/** A tabular figure, and what is no wider than one: signs and most letters. */
const FIGURE = 7.14;
/** @type {Record<string, number>} */
const OTHERS = { ".": 3.2, ",": 3.2, G: 8.3, M: 10 };

/** In px. @param {string} text */
export const tickWidth = (text) => [...text].reduce((sum, letter) => sum + (OTHERS[letter] ?? FIGURE), 0);
