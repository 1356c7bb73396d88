/**
 * Names in little room: on two lines, or shortened so that whole words stay which no other name
 * has.
 * Owns: where a name breaks, and where it is shortened. Pure.
 */

const LETTER = /\p{L}/u;
/** With more changes, only each of them and the last are tried. */
const MOST_PARTS = 4;

/** Words of a name, for comparing. */
const wordsIn = (name: string) => name.split(/[ _-]+|,(?= |$)/).filter(Boolean);

/** True if a shortened name has a part of a word: "Mome.". */
export function hasCutWord(brief: string, name: string) {
  const whole = wordsIn(name);
  return wordsIn(brief).some((word) => !whole.includes(word));
}

const withoutComma = (words: string) => words.replace(/[,;:]$/, "");

const longestFirst = (names: string[]) => names.sort((a, b) => b.length - a.length);

/** The parts in their order, without one or more of them; most parts first, then the last ones. */
function choices(parts: string[]): string[][] {
  if (parts.length > MOST_PARTS) return [[parts[parts.length - 1]], ...parts.map((part) => [part])];
  const all = Array.from({ length: 2 ** parts.length - 1 }, (_, bits) =>
    parts.filter((_part, k) => (bits + 1) & (1 << k)),
  );
  return all.reverse().sort((a, b) => b.length - a.length);
}

/** "SGD, He" of "SGD, rate 0.05, He". */
const withRoot = ([root, ...changes]: string[]) =>
  choices(changes)
    .filter(({ length }) => length < changes.length)
    .map((some) => [root, ...some].join(", "));

/** "rate 0.05, He" and "He"; a bare number names no change. */
const withoutRoot = ([, ...changes]: string[]) =>
  choices(changes)
    .map((some) => some.join(", "))
    .filter((some) => LETTER.test(some));

/** "GD 0.02", "Mini 2": first and last words. Whole changes at the end need a comma. */
function aroundGap(name: string, changes: string[]) {
  const words = name.split(" ");
  const wholes = changes
    .map((_, k) => changes.slice(k).join(", "))
    .filter((end) => LETTER.test(end));
  const ends = words
    .map((_, k) => words.slice(k + 1).join(" "))
    .filter((end) => end && !wholes.includes(end));
  const beginnings = words.map((_, k) => words.slice(0, k + 1).join(" "));
  return [words[0].split("-")[0], ...beginnings].flatMap((beginning) =>
    ends
      .filter((end) => beginning.length + end.length + 1 < name.length)
      .map((end) => `${withoutComma(beginning)} ${end}`),
  );
}

/**
 * All ways to shorten a name by whole words, the most telling first. A name of one word may end at
 * its hyphen.
 */
function shorter(name: string): string[] {
  // "batch_of_32" shortens as "batch of 32" does
  if (!name.includes(" ") && /[^_]_[^_]/.test(name))
    return shorter(name.replace(/_+/g, " ").trim());
  const parts = name.split(", ");
  const words = name.split(" ");
  const [root, ...changes] = parts;
  const [beforeHyphen, ...rest] = name.split("-");
  const lastWords = [...changes, words.slice(1).join(" ")].flatMap((part) =>
    part.split(" ").map((_, k, all) => all.slice(k).join(" ")),
  );
  return [
    ...(changes.length ? withRoot(parts) : []),
    ...longestFirst([
      ...aroundGap(name, changes),
      ...changes.flatMap((change) => aroundGap(`${root}, ${change}`, [change])),
    ]),
    ...(changes.length ? [root, ...withoutRoot(parts)] : []),
    ...(words.length === 1 && rest.length && beforeHyphen ? [beforeHyphen] : []),
    ...longestFirst(lastWords.filter(Boolean)),
    ...longestFirst(words.slice(1).map((_, k) => withoutComma(words.slice(0, k + 1).join(" ")))),
    ...words.slice(1, -1).map(withoutComma),
  ];
}

/** The beginning and end of a name in this many letters, abbreviated by a full stop. */
function cut(name: string, end: number, most: number) {
  if (name.length <= most) return name;
  const beginning = name.slice(0, Math.max(0, most - 1 - end)).replace(/[ ,;:.]+$/, "");
  return `${beginning && `${beginning}.`}${end ? name.slice(-end).trimStart() : ""}`;
}

/** Letters instead of words: the shortest end that no other name shares. */
function cutAnywhere(name: string, others: string[], most: number) {
  const ends = Array.from({ length: Math.max(1, most) }, (_, k) => k);
  const telling = ends.find(
    (end) => !others.some((other) => cut(other, end, most) === cut(name, end, most)),
  );
  return cut(name, telling ?? 0, most);
}

/** Names that differ in their capitals only are one to a reader: "Gd" of "Gd slow" beside "GD". */
const asRead = (name: string) => name.toLowerCase();

/**
 * "SGD, He" of "SGD, rate 0.05, He", "GD 0.02" of "GD, rate 0.02": whole words that no other name
 * could be shortened to. Only where none fit, a word is cut: "Mome.".
 * @param all the names beside it, including itself
 * @param most letters that fit
 */
export function briefName(name: string, all: string[], most: number) {
  if (name.length <= most) return name;
  const others = all.filter((other) => other !== name);
  const otherNames = new Set(others.flatMap((other) => [other, ...shorter(other)].map(asRead)));
  const telling = shorter(name).find(
    (brief) => brief.length <= most && !otherNames.has(asRead(brief)),
  );
  return telling ?? cutAnywhere(name, others, most);
}

/** Letters that fit on a line: of whole words, and of a shortened name. */
type Room = { whole: number; cut: number };

const inOne = (name: string, all: string[], { whole, cut: most }: Room) =>
  name.length <= whole ? name : briefName(name, all, most);

/**
 * The words that fit on a line, and the rest; null if there is no rest or the first word does not
 * fit.
 */
function brokenAt(name: string, most: number) {
  const end = name.lastIndexOf(" ", most);
  return name.length <= most || end < 1
    ? { first: "", rest: name }
    : { first: name.slice(0, end), rest: name.slice(end + 1) };
}

/**
 * A name on one or two lines: "Adam, batches" over "of 32". Shortened if it does not fit.
 * @param all the names beside it, including itself
 * @param most lines
 */
export function nameLines(name: string, all: string[], room: Room, most: number): string[] {
  const { first, rest } = brokenAt(name, room.whole);
  if (most < 2 || !first) return [inOne(name, all, room)];
  const alike = all
    .map((other) => brokenAt(other, room.whole))
    .filter((other) => other.first === first);
  const last = inOne(
    rest,
    alike.map((other) => other.rest),
    room,
  );
  const changes = rest.split(", ");
  const isOfWholes = last === rest || last.split(", ").every((part) => changes.includes(part));
  return [isOfWholes ? first : withoutComma(first), last];
}

/** Width of a bold letter, in px. A shortened name has capitals and digits. */
const BOLD = { whole: 7.4, cut: 8.8 };

/**
 * The lines of a name in so many px. Wide letters leave room for fewer of them.
 * @param all the names beside it, including itself
 * @param lines at most
 * @param widthOf px of bold words
 */
export function linesWithin(
  name: string,
  all: string[],
  room: number,
  lines: number,
  widthOf: (words: string) => number,
): string[] {
  const [whole, cut] = [BOLD.whole, BOLD.cut].map((wide) => Math.max(1, Math.floor(room / wide)));
  const inLetters = (less: number) =>
    nameLines(name, all, { whole: whole - less, cut: Math.max(1, cut - less) }, lines);
  const choices = Array.from({ length: whole }, (_, less) => inLetters(less));
  return choices.find((names) => names.every((each) => widthOf(each) <= room)) ?? choices[0];
}
