/**
 * Widths of tick labels in Inter, the page's only typeface, known before drawing.
 * Owns: letter widths at 11 px. Pure.
 */

/** A tabular figure; also fits signs and most letters. */
const FIGURE = 7.14;
const OTHERS: Record<string, number> = { ".": 3.2, ",": 3.2, G: 8.3, M: 10 };

/** In px. */
export const tickWidth = (text: string) =>
  [...text].reduce((sum, letter) => sum + (OTHERS[letter] ?? FIGURE), 0);
