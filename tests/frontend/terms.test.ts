// Words that explain themselves: their present values, and where their cards stand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { GAUGES } from "../../frontend/core/instruments.ts";
import { termsIn, TERMS } from "../../frontend/core/terms.ts";
import { cardOf, lineOf } from "../../frontend/features/words/present-values.ts";
import { placeOf } from "../../frontend/features/words/place.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { answer, catalog, classified } from "./fake-server.ts";
import type { Json, State } from "../../frontend/core/types.ts";

const value = (number: number) => ({ step: 500, value: number });
const frame = (run: string, latest: Json, more: Json = {}) => ({
  type: "frame",
  runs: {
    [run]: {
      generation: 0,
      step: 500,
      epoch: 0.56,
      samples_seen: 500,
      status: "paused",
      latest,
      ...more,
    },
  },
});

function at500(opened = answer()): State {
  return [
    { type: "catalog", catalog },
    { type: "opened", answer: opened, token: "t" },
    { type: "connection", status: "ready" },
    frame(
      "gd",
      {
        test_r2: value(0.93),
        train_loss: value(0.000211),
        "grad_l1/W1": value(0.5),
        "grad_l1/W2": value(0.25),
      },
      { epoch: 500, samples_seen: 450_000 },
    ),
    frame("sgd", {
      test_r2: value(-13.2),
      train_loss: value(0.0121),
      "grad_l1/W1": value(0.1),
      "grad_l1/W2": value(0),
      "grad_l1/W3": value(0),
    }),
  ].reduce(reduce, initialState());
}
const rows = (key: string, state = at500()) =>
  cardOf(state, key)?.facts.rows?.map(({ run, text }) => `${run.label} ${text}`);

test("a card has the present values of every run", () => {
  assert.deepEqual(rows("samples_seen"), ["GD 450,000", "SGD 500"]);
  assert.deepEqual(rows("epoch"), ["GD 450,000 / 900 = 500", "SGD 500 / 900 = 0.56"]);
  assert.deepEqual(rows("batch_size"), ["GD 900 of 900 samples", "SGD 1 of 900 samples"]);
  assert.deepEqual(rows("grad_l1"), ["GD W1 0.500, W2 0.250", "SGD W1 0.100, W2 0, W3 0"]);
  assert.deepEqual(rows("zero"), ["GD in no layer", "SGD in W2, W3"]);
  assert.equal(cardOf(at500(), "mse")?.facts.note, "Predicting the mean: 0.0436");
  assert.match(cardOf(at500(), "he")?.facts.note ?? "", /W1 0\.632, W2 0\.707, W3 0\.707$/);
});

test("R² stands on a line from -1 to 1, and lower values stand at its end", () => {
  const scale = cardOf(at500(), "r2")?.facts.scale;
  assert.deepEqual(
    scale?.values.map(({ run, text }) => [run.label, text]),
    [
      ["GD", "0.93"],
      ["SGD", "−13.20"],
    ],
  );
  assert.equal(scale?.values[1].at, 0);
  assert.ok(Math.abs((scale?.values[0].at ?? 0) - 2.13 / 2.2) < 1e-9);
  assert.equal(scale?.ticks[1].text, "0, the mean");
});

test("a card without numbers still explains, and an unknown word has none", () => {
  const fresh = [{ type: "opened", answer: answer(), token: "t" }].reduce(reduce, initialState());
  for (const key of Object.keys(TERMS)) assert.ok(cardOf(fresh, key)?.says, key);
  for (const key of Object.keys(TERMS)) assert.ok(cardOf(initialState(), key)?.says, key);
  assert.equal(cardOf(fresh, "r2")?.facts.scale, undefined);
  assert.equal(cardOf(fresh, "nonsense"), null);
  assert.equal(cardOf(fresh, "state", "gone"), null);
});

test("every word has a formula, and so has every state of a run", () => {
  const missing = Object.entries(TERMS).filter(([, { formula }]) => !formula);
  assert.deepEqual(missing, []);
  const inState = (verdict: string, more: Json = {}) => {
    const latest = { train_loss: value(0.04) };
    return cardOf(reduce(at500(), frame("gd", latest, { verdict, ...more })), "state", "gd");
  };
  assert.equal(inState("learning")?.formula, "loss < 0.98 * baseline");
  assert.match(inState("overfitting")?.formula ?? "", /^test > max\(1\.2 \* best_test, loss\)/);
  assert.match(inState("on_the_way")?.formula ?? "", /ratio < 0\.95 or step < 16$/);
  assert.match(inState("flat")?.formula ?? "", /ratio >= 0\.95 and step >= 16$/);
  assert.match(inState("flat")?.further ?? "", /^Last: the losses of the newest eighth/);
  assert.equal(inState("learning")?.further, undefined);
  assert.equal(inState("dead")?.formula, "np.all(a == 0)");
  assert.match(inState("diverged", { status: "diverged" })?.formula ?? "", /isfinite/);
});

test("the formula of a batch holds for every loss", () => {
  for (const name of ["mse", "huber", "softmax_cross_entropy"]) {
    const opened = answer();
    const state = at500({ ...opened, recipe: { ...opened.recipe, loss: name } });
    assert.match(cardOf(state, "batch_size")?.formula ?? "", /^dW = G\.mean\(axis=0\)/);
  }
});

test("the line that a loss stands below has its word beside the loss", () => {
  assert.ok(TERMS.mse.also?.includes("baseline"));
  for (const key of ["huber", "binary_cross_entropy", "softmax_cross_entropy"] as const)
    assert.deepEqual(TERMS[key].also, [key === "huber" ? "baseline" : "majority"]);
});

test("the steepest bend has the limit of each optimizer, in numbers and as a formula", () => {
  const measured = (run: string, more: Json) => ({
    type: "instrument",
    run,
    name: "curvature",
    answer: { step: 500, generation: 0, cost_seconds: 0, ...more },
  });
  const descent = { sharpness: 18, limit: 20, formula: "2 / learning_rate", preconditioned: false };
  const scaled = {
    sharpness: 222,
    limit: 3800,
    formula: "2 (1 + beta1) / ((1 - beta1) learning_rate)",
    preconditioned: true,
  };
  const plain = reduce(at500(), measured("gd", descent));
  assert.equal(cardOf(plain, "edge")?.facts.note, "");
  const state = reduce(plain, measured("sgd", scaled));
  assert.deepEqual(rows("edge", state), ["GD 18.0, limit 20.0", "SGD 222, limit 3,800"]);
  assert.equal(
    cardOf(state, "edge")?.facts.note,
    "Limit of SGD: 2 (1 + beta1) / ((1 - beta1) learning_rate). Its bend is in weights scaled as its steps are.",
  );
  assert.match(TERMS.edge.formula ?? "", /2 \/ lr +# limit of plain steps$/);
});

test("the title of every instrument with a quantity of its own explains itself, with its values", () => {
  const quantities = ["spectrum", "cosine", "layers", "residuals", "metrics", "calibration"];
  for (const key of [...quantities, "slice-filter"]) {
    assert.equal(cardOf(at500(), key)?.name, GAUGES[key].name);
    assert.match(cardOf(at500(), key)?.docs ?? "", /^reference\/instruments\.html#/);
  }
  const measured = (name: string, more: Json) =>
    reduce(at500(), {
      type: "instrument",
      run: "gd",
      name,
      answer: { step: 500, generation: 0, cost_seconds: 0, ...more },
    });
  assert.deepEqual(rows("cosine", measured("gradients", { cosine: 0.25 })), ["GD 0.250"]);
  const curvature = { eigenvalues: [9, 1], trace: 10, sharpness: 9, limit: 20, edge: 0.45 };
  assert.deepEqual(rows("spectrum", measured("curvature", curvature)), ["GD trace 10.0"]);
  assert.deepEqual(rows("calibration", measured("calibration", { expected_error: 0.08 })), [
    "GD expected error 8 %",
  ]);
});

test("formulas of first weights and of a constant guess are those of the recipe", () => {
  const withRecipe = (change: Json) => {
    const opened = answer();
    return at500({ ...opened, recipe: { ...opened.recipe, ...change } });
  };
  const formula = (key: string, change: Json) => cardOf(withRecipe(change), key)?.formula;
  const { network } = answer().recipe;
  const drawn = (weights: Json | string) =>
    formula("weights", { network: { ...network, weights } });
  assert.equal(drawn("normal"), "W = rng.normal(size=(n, k)) * scale");
  assert.equal(drawn({ name: "uniform", scale: 0.1 })?.split("\n")[0], "b = scale");
  assert.match(drawn("xavier") ?? "", /np\.sqrt\(2 \/ \(n \+ k\)\)$/);
  assert.equal(drawn("zeros"), "W = np.zeros((n, k))");
  assert.match(formula("baseline", { loss: { name: "huber", delta: 1 } }) ?? "", /clip/);
  assert.equal(formula("baseline", { loss: "mse" }), "np.mean((y - y.mean())**2)");
  assert.match(formula("majority", { loss: "binary_cross_entropy" }) ?? "", /np\.log\(p\[y\]\)/);
});

test("a parameter that is no word explains itself by its row of the catalog", () => {
  const helped = {
    ...catalog,
    optimizers: [
      { name: "momentum", parameters: [{ name: "momentum", default: 0.9, help: "share kept" }] },
    ],
  };
  const state = reduce(at500(), { type: "catalog", catalog: helped });
  assert.deepEqual(
    [cardOf(state, "momentum")?.name, cardOf(state, "momentum")?.says],
    ["Momentum", "Share kept."],
  );
});

test("the line of a step belongs to the layer whose gradient is exactly 0", () => {
  const state = reduce(at500(), { type: "view", part: { networkRun: "sgd" } });
  assert.deepEqual(lineOf(state, "backward dW"), { run: "sgd", line: "backward dW2" });
  assert.deepEqual(lineOf(state, "forward y_pred"), { run: "sgd", line: "forward y_pred" });
  const healthy = reduce(state, { type: "view", part: { networkRun: "gd" } });
  assert.deepEqual(lineOf(healthy, "update W"), { run: "gd", line: "update W1" });
});

test("the baseline of classes is not the mean", () => {
  assert.match(
    cardOf(at500(classified()), "binary_cross_entropy")?.facts.note ?? "",
    /^Predicting the majority/,
  );
});

test("a sentence marks each word once, at its first place", () => {
  const words = (text: string) =>
    termsIn(text)
      .map(({ text: piece, term }) => (term ? `[${piece}]` : piece))
      .join("");
  assert.equal(
    words("R² = −0.03: it predicts the mean. R² was better."),
    "[R²] = −0.03: it [predicts the mean]. R² was better.",
  );
  assert.equal(words("Fork, He init"), "Fork, [He init]");
  assert.equal(words("The steepest bend is 5.01."), "The [steepest bend] is 5.01.");
  assert.equal(words("Train loss fell 83 %."), "Train loss fell 83 %.");
});

const box = (left: number, top: number, width: number, height: number) => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});
const page = { width: 1440, height: 900 };

test("a card stands below its row, and above it where there is no room", () => {
  const [word, size] = [box(900, 60, 30, 16), { width: 320, height: 280 }];
  // in the column of the row, here left of its end at 1110
  assert.deepEqual(placeOf(word, box(250, 50, 860, 90), size, page), {
    left: 790,
    top: 146,
    most: 746,
  });
  assert.equal(placeOf(box(400, 60, 30, 16), box(250, 50, 860, 90), size, page).left, 400);
  const alone = box(1300, 60, 30, 16);
  assert.equal(placeOf(alone, alone, size, page).left, 1112);
  const low = placeOf(box(900, 800, 30, 16), box(250, 790, 860, 30), size, page);
  assert.equal(low.top, 790 - 6 - 280);
});

test("a card beside a rail covers nothing of the rail", () => {
  const rail = box(0, 48, 248, 852);
  const place = placeOf(
    box(16, 240, 30, 16),
    box(16, 236, 216, 24),
    { width: 320, height: 280 },
    page,
    rail,
  );
  assert.deepEqual(place, { left: 254, top: 236, most: 884 });
  const right = box(1124, 48, 316, 852);
  const there = placeOf(
    box(1140, 800, 30, 16),
    box(1140, 796, 280, 24),
    { width: 320, height: 280 },
    page,
    right,
  );
  assert.deepEqual([there.left, there.top], [1124 - 326, 900 - 288]);
});

test("a card is never over its row, and never outside, however small the window", () => {
  for (const [width, height] of [
    [320, 568],
    [320, 256],
    [844, 390],
    [390, 844],
    [960, 540],
  ])
    for (let top = 0; top < height; top += 20)
      for (const card of [120, 280, 500]) {
        const row = box(10, top, width - 20, 40);
        const size = { width: Math.min(320, width - 16), height: card };
        const place = placeOf(box(20, top + 4, 40, 20), row, size, { width, height });
        const bottom = place.top + Math.min(card, place.most);
        assert.ok(
          bottom <= row.top || place.top >= row.bottom,
          `${width} x ${height}, row ${top}, ${card} high`,
        );
        assert.ok(place.left >= 8 && place.left + size.width <= width - 8);
        assert.ok(place.top >= 0 && bottom <= height);
      }
});

test("every word that a card leads on to exists", () => {
  const further = Object.values(TERMS).flatMap(({ also = [] }) => also);
  assert.ok(further.length > 8);
  for (const key of further) assert.ok(key in TERMS, key);
});

test("looking back, a card has no measurement of a later step", () => {
  const bend = (run: string, step: number, sharpness: number) => ({
    type: "instrument",
    run,
    name: "curvature",
    answer: { generation: 0, step, sharpness, limit: 4, edge: sharpness / 4 },
  });
  const measured = [bend("gd", 100, 1), bend("gd", 400, 3), bend("sgd", 450, 2)];
  const now = measured.reduce(reduce, at500());
  assert.deepEqual(rows("edge", now), [
    "GD 3.00, limit 4.00, at step 400",
    "SGD 2.00, limit 4.00, at step 450",
  ]);
  const then = reduce(now, { type: "look", step: 120 });
  assert.deepEqual(rows("edge", then), ["GD 1.00, limit 4.00, at step 100"]);
  assert.deepEqual(rows("edge", reduce(now, { type: "look", step: 50 })), []);
});
