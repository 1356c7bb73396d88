/** Searching rising numbers. Pure. */

/** The place of the first number that is not below a value; the length if all are. */
export function firstFrom(rising: ArrayLike<number>, value: number) {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
