/** Columns of numbers: searching them, and their range. Pure. */

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

/** The least and the greatest number, without NaN; null if there is none. */
export function extent(numbers: ArrayLike<number>): [number, number] | null {
  let [low, high] = [Infinity, -Infinity];
  for (let k = 0; k < numbers.length; k++) {
    if (numbers[k] < low) low = numbers[k];
    if (numbers[k] > high) high = numbers[k];
  }
  return low > high ? null : [low, high];
}
