// The step inspector's logic: pieces of a line, where everything became 0, the words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  briefText,
  lineText,
  namesIn,
  piecesOf,
} from "../../frontend/features/inspector/expressions.ts";
import {
  bareText,
  cellText,
  COLOURS,
  gridOf,
  inkOn,
  miniCells,
  tintOf,
} from "../../frontend/features/inspector/grids.ts";
import { batchWords, liveLine, sentenceOf } from "../../frontend/features/inspector/line-words.ts";
import {
  dependentsOf,
  firstOdd,
  firstZero,
  followersOf,
  keyOf,
  valuesBefore,
  partnerOf,
  placeOf,
  shownPlace,
} from "../../frontend/features/inspector/sheets.ts";
import type { Cell, Entry, Line, Sheet } from "../../frontend/core/wire-types.ts";
import type { Run } from "../../frontend/core/types.ts";
import { part } from "./world.ts";

/** An array as the server sends it. */
function entry(name: string, values: Cell | Cell[][], more: Partial<Entry> = {}): Entry {
  const all: Cell[] = [values].flat(2);
  const finite = all.filter((value) => value !== null);
  return {
    name,
    values,
    shape: Array.isArray(values) ? [values.length, values[0].length] : [],
    zeros: all.filter((value) => value === 0).length,
    negative: finite.filter((value) => value < 0).length,
    largest: Math.max(0, ...finite.map(Math.abs)),
    ...more,
  };
}
const samples = (name: string, values: number[][], more: Partial<Entry> = {}) =>
  entry(name, values, {
    first: 0,
    rows: values.length,
    mean: values[0].map((_, k) => values.reduce((sum, row) => sum + row[k], 0) / values.length),
    ...more,
  });
const line = (part: Line["part"], of: Entry, expression: string): Line => ({
  ...of,
  part,
  expression,
});

const still = { change: { row: 0, column: 0, before: 1, after: 1 } };

/** One sample through 2 dead relu units, and back. */
function deadSheet(): Sheet {
  return {
    step: 12,
    generation: 0,
    batch: [125],
    functions: {},
    given: [
      samples("X", [[1, -2]]),
      samples("y", [[3]]),
      entry("m", 1),
      entry("W1", [
        [1, 0],
        [2, 1],
      ]),
      entry("b1", [[0, 0]]),
      entry("W2", [[1], [1]]),
      entry("b2", [[2.5]]),
      entry("lr", 0.006),
    ],
    lines: [
      line("forward", samples("z1", [[-3, -2]]), "X @ W1 + b1"),
      line("forward", samples("a1", [[0, 0]]), "np.maximum(z1, 0)"),
      line("forward", samples("y_pred", [[2.5]]), "a1 @ W2 + b2"),
      line("forward", entry("loss", 0.25), "np.mean((y - y_pred)**2)"),
      line("backward", samples("dy_pred", [[-0.5]]), "(y_pred - y) / m"),
      line("backward", samples("dz2", [[-0.5]]), "dy_pred"),
      line("backward", entry("dW2", [[0], [0]]), "a1.T @ dz2"),
      line("backward", entry("db2", [[-0.5]]), "dz2.sum(axis=0, keepdims=True)"),
      line("backward", samples("da1", [[-0.5, -0.5]]), "dz2 @ W2.T"),
      line("backward", samples("dz1", [[0, 0]]), "da1 * (z1 > 0)"),
      line(
        "backward",
        entry("dW1", [
          [0, 0],
          [0, 0],
        ]),
        "X.T @ dz1",
      ),
      line("backward", entry("db1", [[0, 0]]), "dz1.sum(axis=0, keepdims=True)"),
      line("update", entry("W2", [[1], [1]], still), "W2 - lr * dW2"),
      line(
        "update",
        entry("b2", [[2.503]], { change: { row: 0, column: 0, before: 2.5, after: 2.503 } }),
        "b2 - lr * db2",
      ),
      line(
        "update",
        entry(
          "W1",
          [
            [1, 0],
            [2, 1],
          ],
          still,
        ),
        "W1 - lr * dW1",
      ),
    ],
  };
}
const at = (sheet: Sheet, name: string) =>
  sheet.lines.findIndex((each: Line) => each.name === name);

test("the joined pieces of a line equal the line", () => {
  for (const expression of [
    "X @ W1 + b1",
    "np.maximum(z1, 0)",
    "da2 * (z2 > 0)",
    "a1.T @ dz2",
    "dz3.sum(axis=0, keepdims=True)",
    "np.where(z1 > 0, 1, 0.01)",
    "W2 - lr * (mean_W2 / (1 - beta1**count)) / (np.sqrt(square_W2 / (1 - beta2**count)) + epsilon)",
    "z1 * erfc(-z1 / np.sqrt(2)) / 2",
    "(y == np.arange(3)) * 1.0",
    "np.minimum(clip_norm / (norm + 1e-06), 1)",
  ])
    assert.equal(
      piecesOf(expression)
        .map(({ text }) => text)
        .join(""),
      expression,
    );
});

test("matrices are names, transposes and comparisons with a number; functions, arguments and numbers are text", () => {
  const drawn = (expression: string) =>
    piecesOf(expression)
      .filter(({ name }) => name)
      .map(({ text, ...piece }) => ({ ...piece, text: text.trim() }));
  assert.deepEqual(drawn("a1.T @ dz2"), [
    { name: "a1", turned: true, text: "a1.T" },
    { name: "dz2", text: "dz2" },
  ]);
  assert.deepEqual(drawn("da2 * (z2 > 0)"), [
    { name: "da2", text: "da2" },
    { name: "z2", above: 0, text: "(z2 > 0)" },
  ]);
  assert.deepEqual(
    [...namesIn("np.log(e.sum(axis=1, keepdims=True)) - erfc(norm + 1e-06)")],
    ["e", "norm"],
  );
});

test("a line that changes its own name is written short, and in the list without common parts", () => {
  assert.equal(lineText({ name: "W2", expression: "W2 - lr * dW2" }), "W2 -= lr * dW2");
  assert.equal(lineText({ name: "W1", expression: "W12 - lr" }), "W1 = W12 - lr");
  assert.equal(
    briefText({ name: "db3", expression: "dz3.sum(axis=0, keepdims=True)" }),
    "db3 = dz3.sum(axis=0)",
  );
});

test("the line where everything became 0 is the first of exact zeros, not of small values", () => {
  const sheet = deadSheet();
  assert.equal(sheet.lines[firstZero(sheet, null)].name, "a1");
  sheet.lines[1] = line("forward", samples("a1", [[1e-300, 0]]), "np.maximum(z1, 0)");
  assert.equal(sheet.lines[firstZero(sheet, null)].name, "dW2");
});

test("with a dead layer it is that layer, even if the only sample is 0 earlier", () => {
  const sheet = deadSheet();
  const hidden = [
    line("forward", samples("z2", [[-1, -1]]), "a1 @ W2 + b2"),
    line("forward", samples("a2", [[0, 0]]), "np.maximum(z2, 0)"),
  ];
  sheet.lines.splice(2, 0, ...hidden);
  assert.deepEqual(
    [firstZero(sheet, 2), firstZero(sheet, 1), firstZero(sheet, null)].map(
      (place) => sheet.lines[place].name,
    ),
    ["a2", "a1", "a1"],
  );
  assert.equal(shownPlace(sheet, null, 2), 3);
  hidden[1].zeros = 1;
  assert.equal(sheet.lines[firstZero(sheet, 2)].name, "a1", "it was not dead yet");
});

test("the first selected line is the dead layer's, the first that is not finite, or the top", () => {
  const sheet = deadSheet();
  assert.equal(shownPlace(sheet, null, 1), 1);
  assert.equal(shownPlace(sheet, null, null), 0);
  assert.equal(shownPlace(sheet, "backward dW2", 1), at(sheet, "dW2"));
  assert.equal(shownPlace(sheet, "forward nothing", 1), 1);
  sheet.lines[4].not_finite = { inf: 1 };
  assert.equal(firstOdd(sheet), 4);
  assert.equal(shownPlace(sheet, null, 1), 4);
});

test("lines of one name have different keys, and a name has its last value", () => {
  const sheet = deadSheet();
  sheet.lines.splice(
    12,
    0,
    line("update", entry("dW2", [[0], [0]]), "dW2 * share"),
    line("update", entry("dW2", [[0], [0]]), "np.clip(dW2, -clip_value, clip_value)"),
  );
  assert.deepEqual(
    [6, 12, 13].map((place) => keyOf(sheet, place)),
    ["backward dW2", "update dW2", "update dW2 2"],
  );
  assert.equal(placeOf(sheet, "update dW2 2"), 13);
  assert.equal(valuesBefore(sheet, 14).get("dW2"), sheet.lines[13]);
  assert.equal(partnerOf(sheet, 14)!.place, 13);
});

test("the partner of a line is the one that reverses it", () => {
  const sheet = deadSheet();
  const partner = (name: string) => sheet.lines[partnerOf(sheet, at(sheet, name))!.place].name;
  assert.deepEqual(["z1", "a1", "y_pred", "loss"].map(partner), [
    "dz1",
    "dz1",
    "dy_pred",
    "dy_pred",
  ]);
  assert.deepEqual(["dz1", "dW1", "da1", "dz2", "dW2", "dy_pred"].map(partner), [
    "a1",
    "z1",
    "y_pred",
    "y_pred",
    "y_pred",
    "loss",
  ]);
  assert.equal(partner("W2"), "dW2");
  assert.equal(partnerOf(sheet, 0)!.words, "on the way back");
});

test("zeros follow from a dead layer, and the only gradient left", () => {
  const sheet = deadSheet();
  const names = (name: string) =>
    followersOf(sheet, at(sheet, name)).map(
      ({ place, isOnly }) => sheet.lines[place].name + (isOnly ? "!" : ""),
    );
  assert.deepEqual(names("z1"), ["a1", "dW2", "dW1", "db2!"]);
  assert.deepEqual(names("dW2"), ["W2", "db2!"]);
  assert.deepEqual(names("W1"), []);
});

test("a line of the same name with another origin does not depend on it", () => {
  const lines = [
    ["x", "m + 1"],
    ["y", "x * 2"],
    ["x", "m"],
    ["z", "x + 1"],
    ["w", "y"],
  ].map(([name, expression]) => line("forward", entry(name, 1), expression));
  assert.deepEqual(dependentsOf(part<Sheet>({ given: [], lines }), 0), [
    { place: 1, isDirect: true },
    { place: 4, isDirect: false },
  ]);
});

test("the small strip of a matrix is all 0 only if the matrix is", () => {
  const dead = Array.from({ length: 4 }, () => [0, 2.43, 0, -1]);
  const cells = miniCells(entry("dW2", dead));
  assert.equal(cells.length, 5);
  assert.ok(cells.filter((cell) => cell === 2.43).length >= 3, String(cells));
  assert.deepEqual(
    miniCells(
      entry("dW2", [
        [0, 0],
        [0, 0],
      ]),
    ),
    [0, 0, 0, 0],
  );
  assert.deepEqual(miniCells(entry("dW1", [[1], [null]])), [1, null]);
  // only a corner was sent
  const corner = { ...entry("dW2", [[0, 0]]), shape: [16, 16], zeros: 200, largest: 2.43 };
  assert.deepEqual(miniCells(corner), [0, 2.43]);
});

test("a logit is not compared with its label, a prediction of 1 is, for any part of a batch", () => {
  /** The sentence about y_pred, beside a mean label, with part of a batch or all of it. */
  const said = (batch: number[], y: number, predicted: number, loss: [string, string][]) => {
    const sheet = deadSheet();
    const of = (name: string, value: number) => ({
      ...samples(name, [[value]], { mean: [value] }),
      shape: [batch.length, 1],
    });
    sheet.batch = batch;
    sheet.given[1] = of("y", y);
    sheet.lines[1] = line("forward", samples("a1", [[1, 1]]), "np.maximum(z1, 0)");
    const place = at(sheet, "y_pred");
    const after = loss.map(([name, expression]) => line("forward", of(name, 1), expression));
    sheet.lines.splice(
      place,
      1,
      line("forward", of("y_pred", predicted), "a1 @ W2 + b2"),
      ...after,
    );
    return sentenceOf(sheet, place);
  };
  const logistic: [string, string][] = [
    ["side", "1 - 2 * y"],
    ["wrong", "side * y_pred"],
  ];
  assert.equal(
    said([1, 2, 3], 0.5, 16.7, logistic),
    "Logits: above 0 speaks for class 1, below for class 0.",
  );
  assert.match(said([7], 1, -3, logistic), /^A logit of −3.00: .*, and y is 1.00\.$/);
  assert.match(said([7], 1, 2.5, []), /: 1\.50? too high\.$/);
  assert.match(said([1, 2, 3], 0.5, 16.7, []), /: 16\.2 too high\.$/);
});

test("each line has a sentence about its values", () => {
  const sheet = deadSheet();
  const sentence = (name: string) => sentenceOf(sheet, at(sheet, name));
  assert.equal(
    sentence("z1"),
    "All 2 entries of z1 are negative: relu returns exactly 0, and no gradient passes.",
  );
  assert.equal(sentence("a1"), sentence("z1"));
  assert.equal(sentence("y_pred"), "a1 is exactly 0, so y_pred is b2, for any inputs.");
  assert.equal(sentence("loss"), "The loss of this one sample: 0.250.");
  assert.equal(sentence("dy_pred"), "The loss falls when the prediction rises.");
  assert.equal(
    sentence("dz1"),
    "No entry of z1 is above 0, so (z1 > 0) is 0 everywhere: dz1 is exactly 0, and with it every gradient behind.",
  );
  assert.equal(sentence("dW2"), "a1 is exactly 0, so dW2 is too.");
  assert.equal(sentence("W2"), "dW2 is exactly 0, so W2 stays as it is.");
  assert.match(sentence("b2"), /^The largest change is 0.00300: 2.5 becomes 2.503\.$/);
  sheet.lines.forEach((each) => assert.ok(sentence(each.name).length > 10, each.name));
});

test("the largest value is from the whole matrix, not from the corner sent", () => {
  const sheet = deadSheet();
  const place = at(sheet, "dW1");
  sheet.lines[place] = line(
    "backward",
    entry("dW1", [[1, 2]], {
      shape: [64, 64],
      zeros: 3,
      largest_at: { row: 40, column: 50, value: -7 },
    }),
    "X.T @ dz1",
  );
  assert.equal(
    sentenceOf(sheet, place),
    "The steepest slope in W1 is −7.00 at row 41, column 51. 3 of its 4,096 entries are exactly 0.",
  );
  sheet.lines[14] = line(
    "update",
    entry("W1", [[1, 2]], {
      shape: [64, 64],
      change: { row: 40, column: 50, before: 2.5, after: 2.542 },
    }),
    "W1 - lr * dW1",
  );
  assert.equal(
    sentenceOf(sheet, 14),
    "The largest change is 0.0420 at row 41, column 51: 2.5 becomes 2.542.",
  );
});

test("a line that is not finite says whether it is the first", () => {
  const sheet = deadSheet();
  sheet.lines[2].not_finite = { inf: 1 };
  sheet.lines[3].not_finite = { nan: 1 };
  assert.match(sentenceOf(sheet, 2), /^This is the first line that is not finite: 1 inf of 1\./);
  assert.match(sentenceOf(sheet, 3), /^y_pred is not finite already, and so is loss: 1 nan\./);
});

test("a part of a batch shows the number of rows left out and the mean of all", () => {
  const many = {
    ...samples("z1", [
      [1, -2],
      [3, 4],
    ]),
    shape: [900, 2],
    first: 10,
    mean: [0.5, 0.25],
  };
  const batch = Array.from({ length: 900 }, (_, k) => 1000 + k);
  const grid = gridOf(many, {}, batch);
  assert.deepEqual(
    grid.rows.map(({ name, cells }) => [name, ...cells]),
    [
      ["1010", 1, -2],
      ["1011", 3, 4],
    ],
  );
  assert.deepEqual([grid.moreRows, grid.moreColumns, grid.mean], [898, 0, [0.5, 0.25]]);
  assert.deepEqual(gridOf(many, { turned: true }, batch).shape, [2, 900]);
  const above = gridOf(many, { above: 0 }, batch);
  assert.deepEqual(
    above.rows.map(({ cells }) => cells),
    [
      [1, 0],
      [1, 1],
    ],
  );
  assert.equal(above.mean, null);
  assert.equal(gridOf(many, {}, batch, 1).moreRows, 899);
});

test("the first of 64 units are shown with the number of others, however many were sent", () => {
  for (const count of [64, 12]) {
    const wide = entry(
      "W2",
      Array.from({ length: count }, () => Array.from({ length: count }, (_, k) => k)),
      { shape: [64, 64] },
    );
    const { rows, moreRows, moreColumns } = gridOf(wide);
    assert.deepEqual([rows.length, rows[0].cells.length, moreRows, moreColumns], [8, 8, 56, 56]);
  }
  assert.equal(gridOf(entry("b2", [Array(12).fill(1)])).moreColumns, 0);
});

test("cells have the formats of the design", () => {
  const texts = [0, -0.45, 4e-5, 0.00499, -0.005, 5.149, 123.4, -3e12, null].map((value) =>
    cellText(value, "∞"),
  );
  assert.deepEqual(texts, ["0", "−0.45", "4e−5", "5e−3", "−0.01", "5.15", "123", "−3e12", "∞"]);
  assert.deepEqual(
    [0.006, 1e-8, 900, 0.9, null].map((value) => bareText(value, "nan")),
    ["0.006", "1e−8", "900", "0.9", "nan"],
  );
  assert.equal(gridOf(entry("a1", [[null]], { not_finite: { "-inf": 1 } })).odd(0, 0), "−∞");
  const mixed = gridOf(
    entry("a1", [[null, 1, null]], {
      not_finite: { nan: 1, inf: 1 },
      not_finite_at: [
        [0, 0, "nan"],
        [0, 2, "inf"],
      ],
    }),
  );
  assert.deepEqual([mixed.odd(0, 0), mixed.odd(0, 2), mixed.odd(5, 5)], ["nan", "∞", "–"]);
  assert.deepEqual(
    miniCells(
      entry("W1", [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
      ]),
    ),
    [1, 3, 4, 6, 8],
  );
});

test("a cell is darker the nearer it is to the largest, by the root, with text contrast of 4.5:1", () => {
  assert.deepEqual([tintOf(1, 1), tintOf(-0.25, 1), tintOf(0, 1), tintOf(2, 1)], [92, 50, 0, 92]);
  const light = (colour: number[]) =>
    colour
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, k) => sum + part * [0.2126, 0.7152, 0.0722][k], 0);
  for (const theme of ["light", "dark"] as const)
    for (const sign of ["positive", "negative"] as const)
      for (let tint = 8; tint <= 92; tint++) {
        const under = light(
          COLOURS[theme].paper.map(
            (part, k) => part + ((COLOURS[theme][sign][k] - part) * tint) / 100,
          ),
        );
        const ink = inkOn(tint, sign, theme) === "white" ? 1 : 0;
        const [high, low] = ink > under ? [ink, under] : [under, ink];
        assert.ok((high + 0.05) / (low + 0.05) >= 4.5, `${theme} ${sign} ${tint}`);
      }
});

test("ink is chosen for the page's colours", () => {
  const [light, dark] = readFileSync(
    new URL("../../frontend/ui/tokens.css", import.meta.url),
    "utf8",
  ).split('[data-theme="dark"] {');
  for (const [theme, css] of [
    ["light", light],
    ["dark", dark],
  ] as const) {
    for (const [name, token] of [
      ["positive", "--pos"],
      ["negative", "--neg"],
      ["paper", "--paper"],
    ] as const) {
      const [, hex] = new RegExp(`${token}: #(\\w{6})`).exec(css)!;
      assert.deepEqual(
        COLOURS[theme][name],
        [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16)),
        `${theme} ${token}`,
      );
    }
  }
});

test("the batch's words have its samples, their number and the rate", () => {
  const [sheet, of] = [deadSheet(), { trainSamples: 900, testSamples: 300 }];
  assert.equal(
    batchWords(sheet, of),
    "batch: sample 125 of 1,200 (300 for tests), m = 1, lr = 0.006",
  );
  assert.equal(
    batchWords({ ...sheet, batch: Array.from({ length: 32 }, (_, row) => row) }, of),
    "batch: 32 of 900 samples, m = 32, lr = 0.006",
  );
  assert.equal(
    batchWords({ ...sheet, batch: Array.from({ length: 900 }, (_, row) => row) }, of),
    "batch: all 900 samples, m = 900, lr = 0.006",
  );
  assert.equal(
    batchWords({ ...sheet, batch: Array.from({ length: 900 }, (_, row) => row >> 1) }, of),
    "batch: 900 of 900 samples, some repeated, m = 900, lr = 0.006",
  );
});

test("the strip names a layer that has stopped, else how much its weights change", () => {
  const run = (latest: Run["latest"], optimizer = "sgd") =>
    part<Run>({ latest, status: "paused", settings: part<Run["settings"]>({ optimizer }) });
  const of = (values: Record<string, number>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { step: 1, value }]));
  const weights = ["W1", "W2", "W3"];
  const dead = of({ "grad_l1/W1": 0, "grad_l1/W2": 0, "grad_l1/W3": 0 });
  assert.deepEqual(liveLine(run(dead), weights, 2), {
    code: "W2 -= lr * dW2",
    words: "dW2 is exactly 0, so W2 stays as it is",
  });
  assert.deepEqual(liveLine(run(dead, "momentum"), weights, 2), {
    code: "W2 -= lr * velocity_W2",
    words: "dW2 is exactly 0",
  });
  const moving = of({ "grad_l1/W1": 1, "grad_l1/W2": 1, "grad_l1/W3": 1, "ratio/W2": 0.00123 });
  assert.deepEqual(liveLine(run(moving), weights, null), {
    code: "W2 -= lr * dW2",
    words: "changes W2 by 0.123 %",
  });
  assert.deepEqual(liveLine(run(moving, "adam"), weights, null), {
    code: "W2",
    words: "changes by 0.123 %",
  });
  assert.equal(liveLine(run({}), weights, null).code, "");
});

test("for a stopped run the strip calls no number too large, since all may be finite", () => {
  const run = part<Run>({
    latest: { train_loss: { step: 9, value: 8e5 }, "grad_l1/W1": { step: 9, value: 3e4 } },
    status: "diverged",
    settings: part<Run["settings"]>({ optimizer: "sgd" }),
  });
  const { words } = liveLine(run, ["W1"], null);
  assert.equal(
    words,
    "stopped: the next step is not finite, or its loss is above a million times the first",
  );
});
