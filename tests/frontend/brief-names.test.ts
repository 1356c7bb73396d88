// Shortened names keep the part that differs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boxOf, gutterOfMany, placeEnds } from "../../frontend/charts/end-labels.ts";
import { boldWidth } from "../../frontend/charts/letter-widths.ts";
import { briefName, hasCutWord, linesWithin, nameLines } from "../../frontend/core/brief-names.ts";
import type { Frame } from "../../frontend/charts/labels.ts";

test("forks of one run differ by their steps, and no step is cut in two", () => {
  const all = ["SGD", "SGD from 214", "SGD from 1,200", "GD"];
  assert.deepEqual(
    all.map((name) => briefName(name, all, 7)),
    ["SGD", "SGD 214", "1,200", "GD"],
  );
  assert.deepEqual(
    all.map((name) => briefName(name, all, 6)),
    ["SGD", "214", "1,200", "GD"],
  );
  assert.equal(briefName("SGD from 170", ["GD", "SGD", "SGD from 170"], 7), "SGD 170");
  const twice = ["SGD from 200", "SGD from 200, 2"];
  assert.deepEqual(
    twice.map((name) => briefName(name, twice, 7)),
    ["SGD 200", "SGD 2"],
  );
});

test("capitals alone tell no two names apart", () => {
  const all = ["GD", "Gd slow"];
  assert.deepEqual(
    all.map((name) => briefName(name, all, 5)),
    ["GD", "slow"],
  );
});

test("a shortened name has no comma in place of the words between", () => {
  const all = ["GD, rate 0.02", "GD, rate 0.2", "SGD"];
  assert.deepEqual(
    all.map((name) => briefName(name, all, 8)),
    ["GD 0.02", "GD 0.2", "SGD"],
  );
});

test("a fork's name loses changes that say least, not letters", () => {
  const all = ["GD", "SGD", "SGD, rate 0.05, He", "GD 2"];
  const fork = (most: number) => briefName(all[2], all, most);
  assert.deepEqual([12, 8, 6, 2].map(fork), ["SGD, He", "SGD, He", "He", "He"]);
  const forks = ["SGD", "SGD, rate 0.05, He", "SGD, rate 0.02, He"];
  assert.deepEqual(
    forks.map((name) => briefName(name, forks, 8)),
    ["SGD", "SGD 0.05", "SGD 0.02"],
  );
});

test("a shortened name has whole words; where none fit, its end is marked as cut", () => {
  const all = ["Mini-batch", "Mini-batch 2", "Adam, rate 0.003", "GD", "Momentum"];
  assert.deepEqual(
    all.map((name) => briefName(name, all, 8)),
    ["Mini", "Mini 2", "Adam", "GD", "Momentum"],
  );
  for (let most = 6; most < 16; most++)
    for (const name of all.slice(0, 4))
      assert.ok(!hasCutWord(briefName(name, all, most), name), `${name} in ${most}`);
  assert.equal(briefName("Momentum", all, 6), "Momen.");
  assert.ok(hasCutWord("Momen.", "Momentum"));
  assert.ok(hasCutWord("SGD, r.He", "SGD, rate 0.05, He"));
  assert.ok(!hasCutWord("SGD, He", "SGD, rate 0.05, He"));
  assert.ok(!hasCutWord("1,200", "SGD from 1,200"));
});

test("no shortened name has an ellipsis, and a number is enough where it tells a run from the others", () => {
  const sizes = ["SGD", "Mini 8", "Mini 64", "GD"];
  assert.deepEqual(
    sizes.map((name) => briefName(name, sizes, 6)),
    ["SGD", "Mini 8", "64", "GD"],
  );
  const eight = [
    ...["GD", "SGD, rate 0.05, He", "SGD, rate 0.02, He", "Mini-batch 8", "Mini-batch 64"],
    ...["Adam, batches of 32", "Momentum", "SGD from 1,200"],
  ];
  for (let most = 3; most < 20; most++) {
    const briefs = eight.map((name) => briefName(name, eight, most));
    assert.ok(!briefs.join("").includes("…"), `${briefs}`);
    assert.ok(
      briefs.every((brief) => brief.length <= most),
      `${briefs}`,
    );
    assert.equal(new Set(briefs).size, most > 4 ? 8 : new Set(briefs).size, `${briefs}`);
  }
});

test("words joined by underscores are shortened as words are, not cut", () => {
  const all = ["batches_of_32_samples", "batches_of_64_samples", "_x", "SGD"];
  const briefs = all.map((name) => briefName(name, all, 10));
  assert.deepEqual(briefs, ["32 samples", "64 samples", "_x", "SGD"]);
  for (const [k, brief] of briefs.entries()) assert.ok(!hasCutWord(brief, all[k]));
});

test("a unique name is shortened to its words, and one that fits stays whole", () => {
  assert.equal(briefName("Adam, batches of 32", ["Adam, batches of 32", "GD"], 8), "Adam 32");
  assert.equal(briefName("SGD", ["SGD", "SGD from 9"], 3), "SGD");
});

test("different names never look alike when shortened, in any room", () => {
  for (let most = 4; most < 14; most++) {
    const all = ["SGD from 214", "SGD from 215", "SGD from 314"];
    assert.equal(new Set(all.map((name) => briefName(name, all, most))).size, 3, String(most));
  }
});

test("a name longer than a line breaks before a word, and the rest is shortened where it differs", () => {
  const room = { whole: 5, cut: 4 };
  const lines = (all: string[], most = 2) =>
    all.map((name: string) => nameLines(name, all, room, most).join(" / "));
  assert.deepEqual(lines(["Rate 0.4", "Rate 0.2", "GD"]), ["Rate / 0.4", "Rate / 0.2", "GD"]);
  assert.deepEqual(lines(["Rate 0.4", "Rate 0.2"], 1), ["0.4", "0.2"]);
  assert.deepEqual(lines(["SGD", "SGD from 214", "SGD from 215"]), [
    "SGD",
    "SGD / 214",
    "SGD / 215",
  ]);
  assert.deepEqual(lines(["Momentum", "Plain"]), ["Mom.", "Plain"], "no word of it fits");
  assert.deepEqual(
    nameLines("Adam, batches of 32", ["Adam, batches of 32"], { whole: 13, cut: 11 }, 2),
    ["Adam, batches", "of 32"],
  );
});

test("a shortened name on two lines has a comma only before a whole change", () => {
  const lines = (name: string, whole: number) =>
    nameLines(name, ["GD", "SGD", name], { whole, cut: whole - 2 }, 2).join(" / ");
  assert.equal(lines("SGD, rate 0.02", 8), "SGD / 0.02");
  assert.equal(lines("SGD, rate 0.05, He", 6), "SGD, / He");
});

const LONG = [
  ...["Gradient descent all 900 samples", "Stochastic descent of one sample"],
  ...["Mini batch 32 samples shuffled", "Momentum heavy ball polyak 1964"],
  ...["Adam kingma and ba 2015 rate 001", "Rmsprop of hinton rate 001 b 32"],
  ...["Gradient descent with lower rate", "Stochastic descent lower rate 02"],
];

test("long names in little room are whole words on two lines at most, and all differ", () => {
  for (const room of [50, 60, 80, 100, 130])
    for (const most of [1, 2]) {
      const all = LONG.map((name) => linesWithin(name, LONG, room, most, boldWidth));
      assert.equal(new Set(all.map(String)).size, LONG.length, `${all}`);
      all.forEach((lines, k) => {
        assert.ok(lines.length <= most && !hasCutWord(lines.join(" "), LONG[k]), `${lines}`);
        assert.ok(
          lines.every((line) => boldWidth(line) <= room),
          `${lines} in ${room}`,
        );
      });
    }
});

const FRAME: Frame = {
  left: 46,
  top: 26,
  width: 650,
  height: 346,
  beyond: 104,
  x: { type: "linear", range: [0, 100] },
  y: { type: "log", range: [-3, 1] },
};
const END = { lane: "b", bad: false, goesOn: false, x: 100, y: 1 };
/** The lines of labels in the gutter. */
const labels = (ends: string[][], frame = FRAME) =>
  placeEnds(
    ends.map(([name, value = ""]) => ({ ...END, run: name, name, value })),
    frame,
  ).map(({ names, value, under }) =>
    [
      ...names.slice(0, -1),
      ...(under ? [names.at(-1), value] : [`${names.at(-1)} ${value}`.trim()]),
    ].join(" / "),
  );

test("a name beside a plot is whole, above its value if both do not fit on one line", () => {
  assert.deepEqual(
    labels([
      ["Rate 0.4", "0.00215"],
      ["Rate 0.2", "0.1"],
      ["GD", "0.00496"],
    ]),
    ["Rate 0.4 / 0.00215", "Rate 0.2 / 0.1", "GD 0.00496"],
  );
  assert.deepEqual(
    labels([
      ["Adam with batches", "0.1"],
      ["SGD from 214", ""],
    ]),
    ["Adam with / batches / 0.1", "SGD from 214"],
  );
});

test("labels that are too high together use fewer lines, and stay inside the plot", () => {
  const low = { ...FRAME, height: 100 };
  const long = ["Adam, batches of 32", "Adam, batches of 64"].map((name) => [name, "0.1"]);
  assert.deepEqual(labels(long, { ...FRAME, height: 70 }), [
    "Adam of 32 / 0.1",
    "Adam of 64 / 0.1",
  ]);
  assert.deepEqual(labels([...long, ["Rate 0.4", "0.1"], ["Rate 0.2", "0.1"]], low), [
    "Adam 32 0.1",
    "Adam 64 0.1",
    "Rate 0.4 0.1",
    "Rate 0.2 0.1",
  ]);
  const four = placeEnds(
    [0, 1, 2, 3].map((k) => ({ ...END, run: `${k}`, name: `Rate 0.${k}`, value: "0.00215" })),
    { ...FRAME, height: 130 },
  );
  const edges = four
    .map((end) => boxOf(end))
    .map(({ top, bottom }) => [top, bottom])
    .sort((a, b) => a[0] - b[0]);
  edges.slice(1).forEach(([top], k) => assert.ok(top - edges[k][1] >= -2, `${edges}`));
  assert.ok(
    edges[0][0] >= 26 - 4 && four.every(({ under }) => under) && edges[3][1] <= 156 + 4,
    `${edges}`,
  );
});

test("on a low plot values are left out where only that keeps the names whole", () => {
  const low = { ...FRAME, height: 130, beyond: 112 };
  const names = ["GD", "SGD", "Momentum", "Nesterov", "Adam", "RMSProp", "Adagrad", "Adadelta"];
  assert.deepEqual(
    labels(
      names.map((name) => [name, "0.00215"]),
      low,
    ),
    names,
  );
  assert.deepEqual(
    labels(
      names.slice(0, 2).map((name) => [name, "0.00215"]),
      low,
    ),
    ["GD 0.00215", "SGD 0.00215"],
  );
});

test("on a low plot values are left out where names would be cut in a word beside them", () => {
  const low = { ...FRAME, height: 130, beyond: 112 };
  const names = [
    ...["GD", "SGD", "Mini-batch", "SGD, rate 0.05, He"],
    ...["Momentum", "Adam, rate 0.003", "Mini-batch 2", "GD 2"],
  ];
  assert.deepEqual(
    labels(
      names.map((name) => [name, "0.00215"]),
      low,
    ),
    ["GD", "SGD", "Mini-batch", "SGD, He", "Momentum", "Adam 0.003", "Mini-batch 2", "GD 2"],
  );
});

test("a few names beside a plot without values are whole: on lines, or else on the plot", () => {
  const phone = { ...FRAME, width: 292, beyond: 44 };
  assert.deepEqual(labels([["GD"], ["Momentum"]], phone), ["GD", "Momentum"]);
  assert.deepEqual(labels([["Rate 0.4"], ["Adam"]], phone), ["Rate / 0.4", "Adam"]);
  const [, momentum] = placeEnds(
    ["GD", "Momentum"].map((name) => ({ ...END, run: name, name, value: "" })),
    phone,
  );
  const { left, right } = boxOf(momentum);
  assert.ok(left >= phone.left && right <= phone.left + phone.width, `${left} ${right}`);
});

test("beside a low plot the gutter of many long names grows, so that each has its value", () => {
  const low = { wide: 568, tall: 196 };
  const beyond = gutterOfMany(LONG, 112, low);
  const frame = { ...FRAME, width: low.wide - beyond, height: low.tall, beyond };
  const withValues = labels(
    LONG.map((name) => [name, "0.000440"]),
    frame,
  );
  for (const label of withValues) assert.match(label, /^\S+( \S+)? 0\.000440$/);
  assert.equal(gutterOfMany(LONG, 112, { ...low, tall: 330 }), 112, "values stand below");
  assert.equal(gutterOfMany(LONG, 112, { ...low, wide: 480 }), 112, "the plot needs the room");
  assert.equal(gutterOfMany(LONG.slice(0, 3), 112, low), 112);
});
