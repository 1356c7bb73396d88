// The page's columns: no gap, no lost extreme, a ceiling, and the server's own numbers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { FINE, plan, planFor, widths } from "../../frontend/core/buckets.ts";
import { decode, latestOf, readBinary, unpacked } from "../../frontend/core/columns.ts";
import { CEILING, createRunSeries, createSeriesStore } from "../../frontend/core/series.ts";
import { lossAt, lossAtWords, tellingStep } from "../../frontend/features/figures/loss-at.ts";
import { thin } from "../../frontend/core/thinning.ts";
import { columns } from "./fake-server.ts";
import type { Columns, Json } from "../../frontend/core/types.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/columns.json", import.meta.url), "utf8"));
const list = (column: ArrayLike<number>) =>
  Array.from(column, (value) => (Number.isNaN(value) ? null : value));
const seriesOf = (...pieces: Columns[]) => {
  const series = createRunSeries();
  for (const piece of pieces) assert.equal(series.take(piece), "taken");
  return series;
};
type Ranges = { first: ArrayLike<number>; last: ArrayLike<number> };
const ranges = ({ first, last }: Ranges) => Array.from(first, (from, k) => [from, last[k]]);

test("both encodings decode to the same columns", () => {
  const [plain, packed] = [seriesOf(golden.json), seriesOf(golden.bdata)];
  assert.deepEqual(ranges(plain), ranges(packed));
  for (const name of plain.names())
    for (const key of ["min", "max", "mean", "last", "count"] as const) {
      assert.deepEqual(
        list(packed.values(name)![key]),
        list(plain.values(name)![key]),
        `${name} ${key}`,
      );
    }
});

for (const [place, { at_most: atMost, columns: merged }] of golden.merged.entries()) {
  const names = ["batch_loss", "train_loss"];
  const message = Uint8Array.from(Buffer.from(golden.binary[place], "base64")).buffer;
  const { runs, ...frame } = readBinary(message);

  test(`a binary frame of ${atMost} buckets has its columns as views of the message`, () => {
    assert.deepEqual([frame, runs.gd.step], [{ type: "frame" }, 300]);
    const { first, last, samples_seen, seconds, series } = runs.sgd.columns;
    const columns = [first, last, samples_seen, seconds];
    for (const name of names) columns.push(...Object.values<Json>(series[name]));
    for (const column of columns) assert.equal(column.buffer, message);
  });

  for (const [encoding, wire] of Object.entries({
    packed: golden.packed[place],
    binary: runs.gd.columns,
    brief: runs.sgd.columns,
  }))
    test(`${encoding}, ${atMost} buckets are the same columns`, () => {
      const mine = seriesOf(unpacked(wire, names));
      const round = encoding === "packed" ? Number : Math.fround;
      assert.deepEqual(ranges(mine), ranges(merged));
      assert.deepEqual(
        [list(mine.samplesSeen), list(mine.seconds)],
        [merged.samples_seen, merged.seconds.map(round)],
      );
      assert.equal(mine.lacks(["ratio/W1"]), true, "it knows what was asked for");
      for (const name of names)
        for (const key of ["min", "max", "mean", "last", "count"] as const)
          assert.deepEqual(
            list(mine.values(name)![key]),
            merged.series[name][key],
            `${name} ${key}`,
          );
    });

  test(`merged to ${atMost} buckets, every number is the server's, to the last bit`, () => {
    const mine = thin(seriesOf(golden.json), Object.keys(merged.series), atMost, false);
    assert.deepEqual(ranges(mine), ranges(merged));
    assert.deepEqual(
      [list(mine.samples_seen), list(mine.seconds)],
      [merged.samples_seen, merged.seconds],
    );
    for (const [name, stat] of Object.entries<Json>(merged.series)) {
      for (const key of ["min", "max", "mean", "last", "count"] as const)
        assert.deepEqual(list(mine.series[name][key]), stat[key], `${name} ${key}`);
    }
  });
}

test("buckets without a gap are appended", () => {
  assert.deepEqual(ranges(seriesOf(columns(0, 4), columns(5, 9))).length, 10);
});

test("buckets that start earlier replace the held ones from there on", () => {
  const wide = {
    ...columns(4, 4),
    last: [7],
    series: { train_loss: { min: [1], max: [2], mean: [1.5], last: [2], count: [4] } },
  };
  const series = seriesOf(columns(0, 9), wide);
  assert.deepEqual(ranges(series), [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 7],
  ]);
});

test("a gap is refused and changes nothing", () => {
  const series = seriesOf(columns(0, 4));
  assert.equal(series.take(columns(6, 9)), "gap");
  assert.equal(series.length, 5);
});

test("a new generation starts afresh, and an old one is ignored", () => {
  const series = seriesOf(columns(0, 4), columns(0, 2, 1));
  assert.equal(series.length, 3);
  assert.equal(series.take(columns(3, 5, 0)), "stale");
  assert.equal(series.take(columns(9, 9, 2)), "gap");
});

test("a series missing from a piece has no values there", () => {
  const bare = { ...columns(3, 4), series: {} };
  const { count, mean } = seriesOf(columns(0, 2), bare).values("train_loss")!;
  assert.deepEqual(
    [list(count), list(mean).slice(3)],
    [
      [1, 1, 1, 0, 0],
      [null, null],
    ],
  );
});

test("a hundred thousand steps stay under the ceiling, aligned, gapless, with every spike", () => {
  const series = createRunSeries();
  for (let first = 0; first < 100_000; first += 500) {
    const piece = columns(first, first + 499);
    if (first === 43_000) piece.series.train_loss.max[123] = 99;
    series.take(piece);
  }
  assert.ok(series.length <= CEILING);
  let next = 0;
  for (const [first, last] of ranges(series)) {
    const width = last - first + 1;
    assert.equal(first, next);
    assert.equal(Math.log2(width) % 1, 0);
    assert.equal(first % width, 0);
    next = last + 1;
  }
  assert.equal(next, 100_000);
  const { max, count } = series.values("train_loss")!;
  assert.equal(Math.max(...max.slice(300)), 99);
  assert.equal(
    count.reduce((sum: number, steps: number) => sum + steps),
    100_000,
  );
  assert.deepEqual(
    ranges(series).slice(0, 100),
    Array.from({ length: 100 }, (_, step) => [step, step]),
    "the beginning stays raw, for a log axis",
  );
});

test("the chosen plan is the finest that suffices, compared with all widths", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 40; round++) {
    const first: number[] = [];
    const last: number[] = [];
    for (let i = 0, at = 0; i < 500; i++, at = last.at(-1)! + 1) {
      let width = 2 ** Math.floor(random() * (round % 12));
      while (at % width) width /= 2;
      first.push(at);
      last.push(at + width - 1);
    }
    for (const geometric of [false, true]) {
      const tried = Array.from({ length: 60 }, (_, k) =>
        plan(first, last, 500, geometric ? widths(Infinity, FINE / 2 ** k) : widths(2 ** k, 0)),
      );
      for (const atMost of [20, 90, 400])
        assert.deepEqual(
          planFor(first, last, 500, atMost, geometric),
          tried.find(({ length }) => length - 1 <= atMost),
        );
    }
  }
});

test("for a log axis the beginning is finer than the end", () => {
  const { first, last } = thin(
    seriesOf(columns(0, 9_999 - (9_999 % 2))),
    ["train_loss"],
    200,
    true,
  );
  const widths = ranges({ first, last }).map(([from, to]) => to - from + 1);
  assert.ok(widths.length <= 200);
  assert.equal(widths[0], 1);
  assert.ok(Math.max(...widths) >= 64);
});

test("buckets start at a multiple of their width, for any number requested", () => {
  for (const geometric of [true, false]) {
    for (const [first, last] of ranges(
      thin(seriesOf(columns(0, 999)), ["train_loss"], 14, geometric),
    ))
      assert.equal(first % (last - first + 1), 0);
  }
});

test("there are never more points than requested", () => {
  for (const atMost of [16, 100, 800])
    assert.ok(
      thin(seriesOf(columns(0, 3_000)), ["train_loss"], atMost, false).first.length <= atMost,
    );
});

/** Steps `first` to `last` in buckets of one width. */
const wide = (first: number, last: number, width: number, generation = 0) => {
  const starts = Array.from({ length: (last + 1 - first) / width }, (_, k) => first + k * width);
  const column = starts.map((step) => step / 1e6);
  const wire = {
    min: column,
    max: column,
    mean: column,
    last: column,
    count: starts.map(() => width),
  };
  return {
    generation,
    first: starts,
    last: starts.map((step) => step + width - 1),
    samples_seen: starts,
    seconds: starts,
    series: { train_loss: wire },
  };
};

test("a range much coarser than needed is named, and its replacement fits exactly", () => {
  const book = createSeriesStore();
  book.take("gd", columns(0, 1023));
  assert.deepEqual(book.coarse(), {});
  book.take("gd", wide(1024, 30719, 512));
  assert.deepEqual(book.coarse(), { gd: { generation: 0, step: 1024 } });
  assert.equal(book.take("gd", wide(1024, 30719, 32)), "taken");
  assert.deepEqual(
    [book.coarse(), book.positions().gd.step, book.of("gd")!.length],
    [{}, 30720, 1024 + 928],
  );
});

test("the server goes on where its buckets begin too, though the run is longer there", () => {
  const book = createSeriesStore();
  book.take("gd", columns(0, 999));
  assert.equal(book.joints().gd.step, 1000, "the server has the first steps one by one");
  book.take("gd", wide(1000, 39_999, 8));
  assert.deepEqual(
    [book.positions().gd.step, book.joints().gd.step],
    [40_000, 39_936],
    "a multiple of 256, of which the server has at most four in 80,000 / 512 steps",
  );
  book.take("gd", wide(39_936, 39_999, 64));
  book.take("gd", wide(40_000, 40_959, 64));
  assert.equal(book.joints().gd.step, 40_960);
  book.take("sgd", wide(0, 41_999, 1_400));
  assert.equal(book.joints().sgd.step, 0, "no other bucket of it begins at a multiple");
});

test("live buckets may be wider once even then they are narrower than what is drawn", () => {
  const book = createSeriesStore();
  assert.equal(book.isFinerThanDrawn(4), false);
  book.take("gd", columns(0, 1023));
  assert.equal(book.isFinerThanDrawn(4), false, "buckets of one step need not become wider");
  book.take("gd", wide(1024, 8191, 8));
  assert.deepEqual([book.isFinerThanDrawn(4), book.isFinerThanDrawn(2)], [false, true]);
  book.take("sgd", wide(0, 16383, 8));
  assert.equal(book.isFinerThanDrawn(4), true, "one run is enough");
});

test("columns sent again in several pieces replace the old ones at once, without a gap meanwhile", () => {
  const book = createSeriesStore();
  book.take("gd", wide(0, 8191, 128));
  assert.equal(book.take("gd", wide(1024, 3071, 8)), "taken");
  assert.equal(book.take("gd", wide(3072, 5119, 8)), "taken");
  assert.deepEqual(
    [book.of("gd")!.length, book.positions().gd.step, book.arrived().gd.step],
    [64, 8192, 5120],
  );
  assert.equal(book.take("gd", wide(5120, 8199, 8)), "taken"); // eight steps were made meanwhile
  const { first, last, length } = book.of("gd")!;
  assert.deepEqual(
    [length, book.positions().gd.step, book.arrived().gd.step],
    [8 + 897, 8200, 8200],
  );
  for (let i = 1; i < length; i++) assert.equal(first[i], last[i - 1] + 1);
  assert.deepEqual([last[0], last[7], last[8]], [127, 1023, 1031]);
});

test("a run without a requested series is sent from the start, and stays as it is until it is whole", () => {
  const book = createSeriesStore();
  const of = (name: string, from: number, until: number) => {
    const { series, ...rest } = wide(from, until, 8);
    return { ...rest, series: { [name]: series.train_loss }, asked: [name, "never measured"] };
  };
  const [before, after] = [["ratio/W1"], ["grad_l1/W1", "never measured"]];
  book.take("gd", of("ratio/W1", 0, 8191));
  assert.equal(book.joints(before).gd.step, book.joints().gd.step);
  assert.ok(book.joints().gd.step > 8_000);
  assert.deepEqual([book.joints(after).gd.step, book.arrived(after).gd.step], [0, 0]);
  book.take("gd", of("grad_l1/W1", 0, 4095));
  assert.deepEqual(book.of("gd")!.names(), before);
  assert.equal(book.arrived(after).gd.step, 4096);
  book.take("gd", of("grad_l1/W1", 4096, 8199));
  assert.deepEqual(book.of("gd")!.names(), ["grad_l1/W1"], "the others are gone");
  assert.equal(book.arrived(after).gd.step, 8200);
  assert.ok(book.joints(after).gd.step > 8_000);
  assert.equal(book.joints(before).gd.step, 0);
});

test("an incomplete piece does no harm: following columns and another start still join", () => {
  const started = () => {
    const book = createSeriesStore();
    book.take("gd", wide(0, 8191, 128));
    book.take("gd", wide(1024, 3071, 8));
    return book;
  };
  const goesOn = started();
  assert.equal(goesOn.take("gd", columns(8192, 8193)), "taken");
  assert.deepEqual(
    [goesOn.of("gd")!.length, goesOn.positions(), goesOn.arrived()],
    [66, ...Array(2).fill({ gd: { generation: 0, step: 8194 } })],
  );
  const anew = started();
  assert.equal(anew.take("gd", wide(0, 127, 1, 1)), "taken");
  assert.deepEqual(
    [anew.of("gd")!.length, anew.arrived()],
    [128, { gd: { generation: 1, step: 128 } }],
  );
  const resumed = started();
  assert.equal(resumed.take("gd", wide(512, 4095, 8)), "taken");
  assert.equal(resumed.arrived().gd.step, 4096);
  assert.equal(resumed.take("gd", wide(4096, 8191, 8)), "taken");
  assert.deepEqual([resumed.of("gd")!.length, resumed.of("gd")!.first[4]], [4 + 960, 512]);
  const removed = started();
  removed.forget("gd");
  assert.equal(removed.take("gd", wide(3072, 8191, 8)), "gap");
});

test("positions name the first missing step", () => {
  const book = createSeriesStore();
  book.take("gd", columns(0, 9, 3));
  assert.deepEqual(book.positions(), { gd: { generation: 3, step: 10 } });
  book.forget("gd");
  assert.deepEqual(book.positions(), {});
});

test("the latest value of a series is its last finite one", () => {
  const piece = columns(0, 3);
  piece.series.train_loss.last[3] = null;
  assert.deepEqual(latestOf(piece), { train_loss: { step: 2, value: 1 / 3 } });
});

test("a column of an unknown type is refused", () => {
  assert.throws(() => decode({ dtype: "u2", bdata: "AAA=" }), /u2/);
});

test("the loss of a step is exact where the page holds it, else a minimum and maximum", () => {
  const wide = createRunSeries(8);
  const steps = { first: [0, 4, 8], last: [3, 7, 8] };
  const of = (values: (number | null)[]) => ({
    min: values,
    max: values.map((value) => value && value + 1),
    mean: values,
    last: values,
    count: [4, 0, 1],
  });
  wide.take({
    generation: 0,
    ...steps,
    samples_seen: [4, 8, 9],
    seconds: [1, 2, 3],
    series: { train_loss: of([2, null, 5]) },
  });
  assert.deepEqual(
    [0, 3, 5, 8, 9].map((step) => lossAtWords(lossAt(wide, step))),
    ["2.00 to 3.00", "2.00 to 3.00", "–", "5.00 to 6.00", "–"],
  );
  assert.deepEqual(lossAt(seriesOf(columns(0, 9)), 3), { least: 0.25, most: 0.25 });
  assert.deepEqual(
    [lossAtWords(lossAt(seriesOf(columns(0, 9)), 3)), lossAtWords(lossAt(null, 3))],
    ["0.250", "–"],
  );
});

test("a nearby step has the losses of most runs, within a limit", () => {
  const sparse = (every: number) => {
    const series = createRunSeries(64);
    const steps = Array.from({ length: 40 }, (_, k) => k);
    const values = steps.map((step) => (step % every ? null : 1 + step));
    series.take({
      generation: 0,
      first: steps,
      last: steps,
      samples_seen: steps,
      seconds: steps,
      series: {
        train_loss: {
          min: values,
          max: values,
          mean: values,
          last: values,
          count: steps.map(() => 1),
        },
      },
    });
    return series;
  };
  const all = [sparse(1), sparse(4), sparse(6), null];
  assert.deepEqual(
    [13, 14, 25].map((step) => tellingStep(all, step, 4)),
    [12, 12, 24],
  );
  assert.equal(tellingStep(all, 17, 2), 16, "of two runs, where all three are out of reach");
  assert.equal(tellingStep([null], 17, 2), 17);
});
