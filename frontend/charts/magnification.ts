/** How much larger an element is drawn than its own px say: 1, or more while presenting. */
export const magnification = (element: HTMLElement) =>
  element.offsetWidth ? element.getBoundingClientRect().width / element.offsetWidth : 1;
