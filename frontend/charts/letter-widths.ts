/**
 * Widths of tick labels in Inter, the page's only typeface, known before drawing.
 * Owns: letter widths at 11 px, and of bold names at 13 px. Pure.
 */

/** A tabular figure; also fits signs and most letters. */
const FIGURE = 7.14;
const OTHERS: Record<string, number> = { ".": 3.2, ",": 3.2, G: 8.3, M: 10 };

/** In px. */
export const tickWidth = (text: string) =>
  [...text].reduce((sum, letter) => sum + (OTHERS[letter] ?? FIGURE), 0);

/** Bold letters at 13 px: narrow ones, wide ones, capitals; the others. */
const BOLD: [RegExp, number][] = [
  [/[fijlrtI1.,:;'()\- ]/, 5],
  [/[mwMW]/, 12.4],
  [/[A-Z]/, 9.8],
];
const OTHER = 8.4;

/** Width of a bold name, in px. */
export const boldWidth = (text: string) =>
  [...text].reduce(
    (sum, letter) => sum + (BOLD.find(([letters]) => letters.test(letter))?.[1] ?? OTHER),
    0,
  );
