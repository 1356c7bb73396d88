/**
 * Widths of tick labels in Inter, the page's only typeface, known before drawing.
 * Owns: letter widths at 11 px. Pure.
 */

/** A tabular figure; also fits signs and most letters. */
const FIGURE = 7.14;
/** @type {Record<string, number>} */
const OTHERS = { ".": 3.2, ",": 3.2, G: 8.3, M: 10 };

/** In px. @param {string} text */
export const tickWidth = (text) => [...text].reduce((sum, letter) => sum + (OTHERS[letter] ?? FIGURE), 0);
