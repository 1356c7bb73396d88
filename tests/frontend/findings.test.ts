// The Doctor's findings: arrival, order, words, and remedies.

import assert from "node:assert/strict";
import { test } from "node:test";

import { stripFor } from "../../frontend/page/strips.ts";
import {
  countWords,
  earlierFindings,
  frontFindings,
  furtherFindings,
  lookedWords,
  openFindings,
  problemCount,
  waitWords,
} from "../../frontend/features/doctor/doctor.ts";
import { evidenceWords, findingsAt, glyphOf } from "../../frontend/core/findings.ts";
import { markersOf, nextMarker } from "../../frontend/core/markers.ts";
import { stateOnView } from "../../frontend/core/state-on-view.ts";
import { createProblemAnnouncer } from "../../frontend/page/problem-announcer.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import {
  requestFor,
  doneWords,
  firstRemedy,
  isInForce,
  noRoomWords,
  undoing,
  waitsWords,
  wholeWords,
} from "../../frontend/features/doctor/remedies.ts";
import { lossSummary, stateOf } from "../../frontend/core/selectors.ts";
import { lossChart } from "../../frontend/charts/loss-chart.ts";
import {
  answer,
  catalog,
  dead,
  edge,
  findingEvent,
  frameOf,
  healthy,
  play,
} from "./fake-server.ts";
import { figures, scene } from "./scenes.ts";
import { live, part } from "./world.ts";
import type { Differences } from "./fake-server.ts";
import type { Finding, Json, Message, Remedy, State } from "../../frontend/core/types.ts";
import type { Stage } from "../../frontend/core/wire-types.ts";

const after = (messages: Message[], state = initialState()) => messages.reduce(reduce, state);
const opened = (changes: Differences = {}) =>
  after([
    { type: "catalog", catalog },
    { type: "opened", answer: answer(changes), token: "t" },
    { type: "connection", status: "ready" },
  ]);
const frame = (run: string, step: number, changes = {}) => frameOf(run, { step, ...changes });
const titles = (state: State) => openFindings(state).map(({ finding }) => finding.title);
const withFindings = (gd: Finding[], sgd: Finding[], step = 500) => {
  const reply = answer({ step });
  Object.assign(reply.runs[0], { findings: gd, findings_complete_to: step });
  Object.assign(reply.runs[1], { findings: sgd, findings_complete_to: step });
  return reply;
};

test("findings arrive with runs and events, problems first and the newest first", () => {
  const reply = withFindings([healthy(), edge()], [dead()]);
  const later = dead({
    id: "dead_units-1@480",
    rule: "dead_units",
    since_step: 480,
    title: "SGD: 2 of 4 units in layer 1 are dead.",
  });
  const state = after(
    [{ type: "opened", answer: reply, token: "t" }, findingEvent("sgd", later)],
    opened(),
  );
  assert.deepEqual(titles(state), [
    later.title,
    "SGD: layer 2 is dead.",
    "GD: the rate is at the edge.",
    "GD is learning.",
  ]);
  assert.equal(countWords(state), "2 problems, 1 warning, 1 healthy");
  assert.equal(problemCount(state), 2);
  assert.deepEqual(
    openFindings(state).map(({ finding }) => glyphOf(finding)),
    ["problem", "problem", "warning", "check"],
  );
});

test("within a kind the run with the greater harm comes first, and great harm makes a warning grave", () => {
  const state = after(
    [
      findingEvent("gd", edge()),
      findingEvent("sgd", edge({ title: "SGD: the rate is at the edge.", since_step: 90 })),
    ],
    opened(),
  );
  const harm = (gd: number | null, sgd: number | null, of = state) =>
    after([frame("gd", 500, { harm: gd }), frame("sgd", 500, { harm: sgd })], of);
  const [ofGd, ofSgd] = titles(state);
  assert.equal(ofGd, "GD: the rate is at the edge.", "the newest, if nothing is known");
  assert.deepEqual(titles(harm(1.5, 1.6)), [ofGd, ofSgd], "runs alike do not change places");
  assert.deepEqual(titles(harm(1.1, 1.9)), [ofSgd, ofGd]);
  const problem = after([findingEvent("gd", dead({ title: "GD: layer 2 is dead." }))], state);
  assert.deepEqual(titles(harm(1.1, 1.9, problem))[0], "GD: layer 2 is dead.", "mild harm");
  assert.deepEqual(titles(harm(1.1, 190, problem))[0], ofSgd, "grave harm");
  const over = frame("gd", 500, { status: "diverged", verdict: "diverged", harm: null });
  assert.deepEqual(titles(after([over], harm(1.1, 190, problem)))[0], "GD: layer 2 is dead.");
});

test("a past step orders findings by the harm of then", () => {
  const both = after(
    [
      findingEvent("gd", edge({ title: "GD" })),
      findingEvent("sgd", edge({ title: "SGD" })),
      frame("gd", 500, { harm: 1 }),
      frame("sgd", 500, { harm: 9 }),
    ],
    opened(),
  );
  assert.deepEqual(titles(both), ["SGD", "GD"]);
  const past = (step: number, gd: number | null, sgd: number | null) => {
    const then = { step, generation: 0, epoch: 0, samples_seen: 0, latest: {} };
    const looks = { units: null, predictions: null, weights: null };
    const moments = {
      gd: { ...then, ...looks, harm: gd },
      sgd: { ...then, ...looks, harm: sgd },
    };
    return after(
      [
        { type: "look", step },
        { type: "moments", moments },
      ],
      both,
    );
  };
  assert.deepEqual(titles(past(300, 9, 1)), ["GD", "SGD"]);
  assert.deepEqual(titles(past(300, 1, 9)), ["SGD", "GD"]);
  assert.deepEqual(titles(past(500, 9, 1)), ["SGD", "GD"], "the present step has the latest");
});

test("outcomes of remedies arrive with frames, and are left out before their step", () => {
  const outcome = (step: number) => ({
    label: "Halve the rate",
    run: "gd",
    at_step: 300,
    step,
    series: "train_loss" as const,
    from: 0.41,
    to: 0.083,
    lasts: false,
    text: `Halve the rate, taken at step 300: ... at step ${step}.`,
  });
  const over = edge({ until_step: 340 });
  const news = (step: number, outcomes?: Json[]) =>
    frame("gd", step, {
      findings: [{ id: over.id, seen_at: over.seen_at, evidence: over.evidence, outcomes }],
    });
  const state = after([findingEvent("gd", over), news(500, [outcome(500)])], opened());
  const outcomeSteps = (of: State) => of.runs.gd.findings[0].outcomes?.map(({ step }) => step);
  assert.deepEqual(outcomeSteps(state), [500]);
  assert.equal(after([news(510, [outcome(500)])], state).runs.gd.findings, state.runs.gd.findings);
  assert.deepEqual(outcomeSteps(after([news(520, [outcome(520)])], state)), [520]);
  assert.deepEqual(outcomeSteps(after([news(520, [])], state)), [], "its run is gone");
  assert.deepEqual(findingsAt(state.runs.gd.findings, 400)[0].outcomes, []);
  assert.deepEqual(findingsAt(state.runs.gd.findings, 500)[0].outcomes, [outcome(500)]);
});

test("a run with a problem is not called healthy, even if an earlier finding called it so", () => {
  const well = healthy({ id: "healthy@0", since_step: 0, title: "SGD is learning." });
  const state = after(
    [findingEvent("sgd", well), findingEvent("gd", healthy()), findingEvent("sgd", dead())],
    opened(),
  );
  assert.deepEqual(
    [titles(state), countWords(state)],
    [["SGD: layer 2 is dead.", "GD is learning."], "1 problem, 1 healthy"],
  );
  assert.deepEqual(titles(after([findingEvent("sgd", dead({ until_step: 400 }))], state)), [
    "GD is learning.",
    "SGD is learning.",
  ]);
});

test("the network shows the run in trouble, unless a person chose another or reads steps", () => {
  const networkRun = (messages: Message[], state = opened()) =>
    after(messages, state).view.networkRun;
  const reply = withFindings([], [dead()]);
  const view = (part: Json) => ({ type: "view", part });
  assert.equal(networkRun([findingEvent("gd", edge()), findingEvent("gd", healthy())]), "gd");
  assert.equal(networkRun([findingEvent("sgd", dead())]), "sgd");
  assert.equal(
    networkRun([{ type: "opened", answer: reply, token: "t" }], initialState()),
    "sgd",
    "it was found before the page came",
  );
  assert.equal(
    networkRun([findingEvent("sgd", dead()), findingEvent("gd", dead())]),
    "sgd",
    "it is in trouble itself",
  );
  assert.equal(
    networkRun([
      findingEvent("gd", dead()),
      findingEvent("gd", dead({ until_step: 300 })),
      findingEvent("sgd", dead({ id: "other" })),
    ]),
    "sgd",
  );
  assert.equal(networkRun([view({ networkRun: "gd" }), findingEvent("sgd", dead())]), "gd");
  assert.equal(
    networkRun([
      findingEvent("sgd", dead()),
      view({ networkRun: "gd" }),
      { type: "experiment", state: reply },
    ]),
    "gd",
    "however often it is told",
  );
  assert.equal(
    networkRun([
      view({ networkRun: "gd" }),
      { type: "opened", answer: { ...reply, id: "another" }, token: "t" },
    ]),
    "sgd",
    "a choice ends with its experiment",
  );
  assert.equal(networkRun([view({ inspector: true }), findingEvent("sgd", dead())]), "gd");
});

test("inherited findings belong to a fork's parent until its own first step", () => {
  const recipe = {
    ...answer().recipe.runs[1],
    name: "sgd-300",
    origin: { run: "sgd", at_step: 300 },
  };
  const added = {
    ...answer().runs[1],
    name: "sgd-300",
    label: "SGD from 300",
    step: 300,
    findings: [dead({ title: "SGD from 300: layer 2 is dead." })],
  };
  const forked = after(
    [
      frame("sgd", 300),
      findingEvent("sgd", dead()),
      { type: "event", event: "run_added", run: "sgd-300", recipe, added },
    ],
    opened(),
  );
  assert.deepEqual([titles(forked), problemCount(forked)], [["SGD: layer 2 is dead."], 1]);
  assert.equal(problemCount(after([frame("sgd-300", 301)], forked)), 2);
  assert.deepEqual(
    titles(after([{ type: "event", event: "run_removed", run: "sgd" }], forked)),
    ["SGD from 300: layer 2 is dead."],
    "there is nobody else to say it of",
  );
});

test("each run has one finding in front, its worst and then its newest; the others are below", () => {
  const slow = edge({ id: "plateau@300", rule: "plateau", since_step: 300, title: "SGD: flat." });
  const state = after(
    [
      findingEvent("sgd", healthy({ title: "SGD is learning." })),
      findingEvent("sgd", edge({ title: "SGD: the rate is at the edge." })),
      findingEvent("sgd", slow),
      findingEvent("sgd", dead({ id: "over", title: "SGD was dead.", until_step: 350 })),
      findingEvent("gd", healthy()),
    ],
    opened(),
  );
  const of = (list: ReturnType<typeof openFindings>) => list.map(({ finding }) => finding.title);
  assert.deepEqual(of(frontFindings(state)), ["SGD: flat.", "GD is learning."]);
  assert.deepEqual(of(furtherFindings(state)), [
    "SGD: the rate is at the edge.",
    "SGD is learning.",
  ]);
  assert.deepEqual(of(earlierFindings(state)), ["SGD was dead."], "it is over");
  const worse = after([findingEvent("sgd", dead())], state);
  assert.deepEqual(of(frontFindings(worse)), ["SGD: layer 2 is dead.", "GD is learning."]);
  const { finding } = firstRemedy(after([findingEvent("gd", edge())], worse))!;
  assert.equal(finding.title, "SGD: layer 2 is dead.");
});

test("a Doctor who is behind says up to where it has looked, at the step on view", () => {
  const words = (gd: [number, number], sgd: [number, number], ...more: Message[]) =>
    lookedWords(
      after(
        [
          frame("gd", gd[0], { findings_complete_to: gd[1] }),
          frame("sgd", sgd[0], { findings_complete_to: sgd[1] }),
          ...more,
        ],
        opened(),
      ),
    );
  assert.equal(words([2000, 1984], [100, 99]), "", "one examination apart");
  assert.equal(words([2000, 1234], [100, 100]), "Examined up to step 1,234 of GD.");
  assert.equal(
    words([2000, 1234], [100, 98]),
    "Examined up to step 1,234 of GD and step 98 of SGD.",
  );
  assert.equal(
    words([2000, 1234], [2000, 2000], { type: "event", event: "run_removed", run: "sgd" }),
    "Examined up to step 1,234.",
  );
  const moment = { generation: 0, epoch: 1, samples_seen: 9, latest: {}, units: null };
  const look = (step: number) => [
    { type: "look", step },
    { type: "moments", moments: { gd: { ...moment, step }, sgd: { ...moment, step } } },
  ];
  assert.equal(words([2000, 1234], [2000, 2000], ...look(1200)), "");
  assert.equal(
    words([2000, 1234], [2000, 2000], ...look(1500)),
    "Examined up to step 1,234 of GD.",
  );
});

test("a server without findings is supported, and the count is empty", () => {
  assert.deepEqual([titles(opened()), countWords(opened())], [[], ""]);
  assert.equal(
    countWords(after([findingEvent("gd", healthy())], opened())),
    "0 problems, 1 healthy",
  );
});

test("evidence names the step at which it was seen, not the step on view", () => {
  const state = after(
    [
      findingEvent(
        "gd",
        healthy({ found_at: 1059, evidence: "Train loss fell 97 % in the last 59 steps." }),
      ),
      frame("gd", 2000),
    ],
    opened(),
  );
  assert.equal(
    evidenceWords(openFindings(state)[0].finding),
    "Train loss fell 97 % in the last 59 steps. Seen at step 1,059.",
  );
});

test("frames update the evidence of open findings without news, and a later whole state does not revert it", () => {
  const evidenceFrame = (step: number, evidence: string, id = dead().id) =>
    frame("sgd", step, { findings: [{ id, seen_at: step, evidence }] });
  const open = after([findingEvent("sgd", dead()), findingEvent("gd", healthy())], opened());
  const next = after([evidenceFrame(900, "Still so.")], open);
  assert.equal(evidenceWords(openFindings(next)[0].finding), "Still so. Seen at step 900.");
  assert.equal(next.runs.gd.findings, open.runs.gd.findings);
  assert.equal(
    after([frame("sgd", 901), evidenceFrame(902, "Of another.", "other")], next).runs.sgd.findings,
    next.runs.sgd.findings,
    "as it was",
  );
  const again = after(
    [{ type: "experiment", state: withFindings([healthy()], [dead()], 900) }],
    next,
  );
  assert.equal(evidenceWords(again.runs.sgd.findings[0]), "Still so. Seen at step 900.");
  assert.match(
    evidenceWords(
      after([findingEvent("sgd", dead({ until_step: 950 }))], next).runs.sgd.findings[0],
    ),
    /Seen at step 230\.$/,
  );
  const [past] = findingsAt(next.runs.sgd.findings, 400);
  assert.match(
    evidenceWords(past),
    /^4 of 4 .* Seen at step 230\.$/,
    "later numbers were not there",
  );
  const ahead = dead({ seen_at: 1200, evidence: "So too." });
  const newest = after(
    [
      { type: "experiment", state: withFindings([], [ahead], 1200) },
      evidenceFrame(1100, "On its way meanwhile."),
    ],
    next,
  );
  assert.equal(
    evidenceWords(openFindings(newest)[0].finding),
    "So too. Seen at step 1,200.",
    "a state tells the last look too",
  );
  assert.match(evidenceWords(findingsAt(newest.runs.sgd.findings, 1100)[0]), /Seen at step 230\.$/);
});

test("a past step shows severity and numbers of then", () => {
  const stages: Stage[] = [
    { step: 230, severity: "warning", title: "2 are dead.", mark: "2 dead", evidence: "2 of 4." },
    { step: 400, severity: "problem", title: "3 are dead.", mark: "3 dead", evidence: "3 of 4." },
  ];
  const first_evidence = "2 of 4.";
  const open = { ...dead({ seen_at: 900, evidence: "3 of 4 still.", stages }), first_evidence };
  const over = dead({ until_step: 600, evidence: "2 of 4.", stages });
  const at = (finding: Finding, step: number) => {
    const [then] = findingsAt([finding], step);
    return [then.severity, then.title, then.mark, evidenceWords(then)];
  };
  const two = ["warning", "2 are dead.", "2 dead"];
  const three = ["problem", "3 are dead.", "3 dead"];
  for (const finding of [open, over]) {
    assert.deepEqual(at(finding, 229), [...two, "Since step 214."]);
    assert.deepEqual(at(finding, 399), [...two, "2 of 4. Seen at step 230."]);
    assert.deepEqual(at(finding, 450), [...three, "3 of 4. Seen at step 400."]);
  }
  assert.deepEqual(at(open, 900), [...three, "3 of 4 still. Seen at step 900."]);
});

test("the cost of examinations is shown for all runs together, with the seconds behind the percentage", () => {
  const costs = (gd: [number, number], sgd = gd) =>
    ["gd", "sgd"].reduce((state, run, place) => {
      const [waited_seconds, computed_seconds] = [gd, sgd][place];
      return reduce(
        state,
        frame(run, 500, { doctor: { share: 0.3, waited_seconds, computed_seconds } }),
      );
    }, opened());
  assert.equal(
    waitWords(costs([0.6, 21], [0.4, 21.7])),
    "Its checks took 2.3 % of the last 40 s of training.",
  );
  assert.equal(waitWords(costs([0.1, 5.1])), "Its checks took 2.0 % of the last 10 s of training.");
  assert.equal(waitWords(costs([0.001, 20])), "", "next to nothing");
  assert.equal(
    waitWords(
      reduce(
        costs([0.6, 21]),
        frame("gd", 600, { generation: 1, doctor: { waited_seconds: 0, computed_seconds: 0 } }),
      ),
    ),
    "Its checks took 2.9 % of the last 20 s of training.",
  );
});

test("in the first seconds the cost is shown as waiting time, not as a share", () => {
  const after = (waited_seconds: number, computed_seconds: number) =>
    waitWords(
      reduce(
        opened(),
        frame("gd", 500, { doctor: { share: 0.3, waited_seconds, computed_seconds } }),
      ),
    );
  assert.equal(after(0.012, 0.04), "Its checks have taken 12 ms so far.");
  assert.equal(after(0.24, 9.9), "Its checks have taken 240 ms so far.");
  assert.deepEqual([after(0, 0), after(0, 9), after(0, 12)], ["", "", ""], "nobody waited yet");
  assert.deepEqual(
    [
      waitWords(opened()),
      waitWords(reduce(opened(), frame("gd", 500, { doctor: { share: 0.3 } }))),
    ],
    ["", ""],
    "a server that does not tell it",
  );
});

test("that a run was well is no past finding: it is so several times", () => {
  const spans = [1, 2, 3, 4, 5].map((place) =>
    findingEvent("gd", healthy({ id: `healthy@${place}`, since_step: place, until_step: 600 })),
  );
  const state = after([...spans, findingEvent("gd", edge({ until_step: 160 }))], opened());
  assert.deepEqual(
    earlierFindings(state).map(({ finding }) => finding.title),
    ["GD: the rate is at the edge."],
  );
});

test("a closed finding moves to the past ones", () => {
  const closed = after(
    [findingEvent("gd", edge()), findingEvent("gd", edge({ until_step: 160 }))],
    opened(),
  );
  assert.deepEqual(titles(closed), []);
  assert.deepEqual(
    earlierFindings(closed).map(({ finding }) => finding.title),
    ["GD: the rate is at the edge."],
  );
  const open = after([findingEvent("gd", edge())], closed);
  assert.deepEqual(
    titles(open),
    ["GD: the rate is at the edge."],
    "a look between two examinations had closed it",
  );
});

test("a finding replaces the one of its id, and a withdrawn one is gone", () => {
  const units = (count: number, since_step: number, severity: Finding["severity"]) =>
    dead({
      id: "dead_units-1@40",
      rule: "dead_units",
      severity,
      since_step,
      subject: { layer: 1, units: [0, 1, 2].slice(0, count), since: [40, 44, 61].slice(0, count) },
      title: `SGD: ${count} of 4 units in layer 1 are dead.`,
    });
  const state = after(
    [
      findingEvent("sgd", units(1, 44, "info")),
      findingEvent("sgd", edge()),
      findingEvent("sgd", units(3, 40, "warning")),
    ],
    opened(),
  );
  assert.deepEqual(state.runs.sgd.findings, [units(3, 40, "warning"), edge()], "in its place");
  const withdrawn = (id: string, generation = 0) => ({
    type: "event",
    event: "finding",
    run: "sgd",
    generation,
    finding: { id, withdrawn: true },
  });
  assert.deepEqual(after([withdrawn(edge().id)], state).runs.sgd.findings, [
    units(3, 40, "warning"),
  ]);
  assert.deepEqual(after([withdrawn("another")], state).runs.sgd.findings, state.runs.sgd.findings);
  const reset = { type: "event", event: "reset", run: "sgd", step: 0, generation: 1 };
  const anew = after([reset, findingEvent("sgd", edge(), 1), withdrawn(edge().id)], state);
  assert.deepEqual(anew.runs.sgd.findings, [edge()], "a withdrawal of the generation before");
});

test("an answer's findings are all there are, unless a frame or an event is newer", () => {
  const ids = (state: State) => state.runs.sgd.findings.map(({ id }) => id);
  const reply = (step: number, complete: number, findings: Finding[], generation = 0) => {
    const state = answer({ step, generation });
    Object.assign(state.runs[1], { findings, findings_complete_to: complete, verdict: "flat" });
    return { type: "experiment", state };
  };
  const before = after(
    [
      frame("sgd", 500, { findings_complete_to: 496, verdict: "dead" }),
      findingEvent("sgd", dead()),
      findingEvent("sgd", edge()),
    ],
    opened(),
  );
  assert.deepEqual(ids(after([reply(500, 496, [dead()])], before)), [dead().id]);
  assert.deepEqual(ids(after([reply(520, 512, [])], before)), []);
  for (const older of [reply(480, 480, []), reply(500, 488, [])]) {
    const state = after([older], before);
    assert.deepEqual([ids(state), state.runs.sgd.verdict], [[dead().id, edge().id], "dead"]);
  }
  const withFinding = after([findingEvent("sgd", dead({ id: "new", found_at: 498 }))], before);
  assert.deepEqual(
    ids(after([reply(500, 496, [dead()])], withFinding)),
    ids(withFinding),
    "the event came from a later examination",
  );
  assert.deepEqual(ids(after([reply(3, 3, [], 1)], withFinding)), [], "a new generation");
});

test("a reset forgets findings, and late findings of the old generation are ignored", () => {
  const reset = { type: "event", event: "reset", run: "sgd", step: 0, generation: 1 };
  const state = after([findingEvent("sgd", dead()), reset], opened());
  assert.deepEqual(titles(state), []);
  assert.deepEqual(titles(after([findingEvent("sgd", dead(), 0)], state)), []);
  assert.deepEqual(titles(after([findingEvent("sgd", dead(), 1)], state)), [
    "SGD: layer 2 is dead.",
  ]);
  assert.deepEqual(
    titles(
      after([frame("sgd", 3, { generation: 1 })], after([findingEvent("sgd", dead())], opened())),
    ),
    [],
  );
});

test("the past view shows findings up to that step, including those closed since", () => {
  const moment = (step: number) => ({
    step,
    generation: 0,
    epoch: 1,
    samples_seen: 900,
    latest: {},
    units: null,
    predictions: null,
    weights: null,
  });
  const at = (step: number) =>
    after(
      [
        findingEvent("gd", edge({ until_step: 160 })),
        findingEvent("sgd", dead()),
        frame("gd", 500),
        frame("sgd", 500),
        { type: "look", step },
        { type: "moments", moments: { gd: moment(step), sgd: moment(step) } },
      ],
      opened(),
    );
  assert.deepEqual(titles(at(99)), []);
  assert.deepEqual(titles(at(100)), ["GD: the rate is at the edge."]);
  assert.deepEqual(titles(at(160)), []);
  assert.deepEqual(
    [titles(at(214)), countWords(at(214))],
    [["SGD: layer 2 is dead."], "1 problem, 0 healthy"],
  );
  const then = stateOnView(at(150));
  assert.equal(
    stateOf(then.runs.sgd, then).word,
    "",
    "it was not dead yet, and there is no verdict of then",
  );
});

test("a run's word names its dead layer, else the verdict", () => {
  const playing = after(
    [frame("gd", 500, { verdict: "flat" }), frame("sgd", 500, { verdict: "learning" }), play],
    opened(),
  );
  const word = (state: State, run: string) => stateOf(state.runs[run], state).word;
  assert.deepEqual([word(playing, "gd"), word(playing, "sgd")], ["flat", "learning"]);
  const state = after([findingEvent("gd", healthy()), findingEvent("sgd", dead())], playing);
  assert.deepEqual([word(state, "gd"), word(state, "sgd")], ["flat", "layer 2 dead"]);
  const { says, ...shown } = stateOf(state.runs.sgd, state);
  assert.deepEqual(shown, {
    word: "layer 2 dead",
    glyph: "dead",
    tone: "bad",
    formula: "np.all(a == 0)",
  });
  assert.match(says ?? "", /outputs 0 for every training sample/);
  assert.equal(
    word(after([findingEvent("sgd", dead({ rule: "predicts_the_mean" }))], playing), "sgd"),
    "learning",
  );
  assert.match(lossSummary(state), /SGD started at 12\.3: layer 2 dead since step 214\./);
  const overfits = findingEvent("sgd", dead({ rule: "overfitting", severity: "warning" }));
  assert.equal(word(after([overfits], playing), "sgd"), "overfitting", "as the Doctor says");
  const rests = (severity: "info" | "warning") =>
    after([findingEvent("sgd", dead({ rule: "plateau", severity }))], playing);
  assert.equal(word(rests("warning"), "sgd"), "flat", "as the Doctor says");
  assert.equal(word(rests("info"), "sgd"), "learning", "little is left to learn");
});

test("without a connection a playing run's state is unknown, but problems stay", () => {
  const state = after(
    [
      frame("gd", 500),
      frame("sgd", 500),
      play,
      findingEvent("sgd", dead()),
      { type: "connection", status: "reconnecting" },
    ],
    opened(),
  );
  assert.deepEqual(
    ["gd", "sgd"].map((run) => stateOf(state.runs[run], state).word),
    ["no news", "layer 2 dead"],
  );
});

test("problems stay on the timeline, warnings while open, and keys step through them", () => {
  const state = after(
    [
      frame("gd", 500),
      frame("sgd", 500),
      findingEvent("sgd", dead({ until_step: 300 })),
      findingEvent("gd", edge()),
      findingEvent("gd", healthy()),
    ],
    opened(),
  );
  assert.deepEqual(
    markersOf(state).map(({ kind, step, text, tone }) => [kind, step, text, tone]),
    [
      ["finding", 100, "GD: rate at the edge", "warn"],
      ["finding", 214, "SGD: layer 2 dead", "bad"],
    ],
  );
  assert.deepEqual([nextMarker(state, 120, 1), nextMarker(state, 120, -1)], [214, 100]);
  assert.equal(markersOf(after([findingEvent("gd", edge({ until_step: 160 }))], state)).length, 1);
  // units died, and later the whole layer: both stay
  const units = dead({
    id: "u",
    rule: "dead_units",
    severity: "warning",
    since_step: 5,
    until_step: 214,
    mark: "3 units dead",
  });
  assert.deepEqual(
    markersOf(after([findingEvent("sgd", units)], state)).map(({ step, text }) => [step, text]),
    [
      [5, "SGD: 3 units dead"],
      [100, "GD: rate at the edge"],
      [214, "SGD: layer 2 dead"],
    ],
  );
  const event = { type: "event", event: "diverged", run: "gd", step: 500, diverged_at: 500 };
  const diverged = after(
    [
      event,
      findingEvent("gd", dead({ id: "d", rule: "diverged", since_step: 500, mark: "diverged" })),
    ],
    opened(),
  );
  assert.deepEqual(
    markersOf(diverged).map(({ kind }) => kind),
    ["diverged"],
  );
});

test("a fork does not flag its parent's findings again", () => {
  const recipe = {
    ...answer().recipe.runs[1],
    name: "sgd-300",
    origin: { run: "sgd", at_step: 300 },
  };
  const added = {
    type: "event",
    event: "run_added",
    run: "sgd-300",
    recipe,
    added: { ...answer().runs[1], name: "sgd-300", step: 300, findings: [dead()] },
  };
  const state = after([findingEvent("sgd", dead()), added], opened());
  assert.deepEqual(
    markersOf(state).map(({ run, kind }) => `${run} ${kind}`),
    ["sgd finding", "sgd-300 fork"],
  );
});

test("a finding is a solid line with a flag on the charts, an edit a dotted one", () => {
  const edit = {
    type: "event",
    event: "edit",
    run: "sgd",
    step: 20,
    generation: 0,
    edit: { at_step: 20, learning_rate: 0.01 },
  };
  const { ground, labels } = lossChart(
    figures.loss,
    scene({ gd: 400, sgd: 400, messages: [edit, findingEvent("sgd", dead())] }),
  );
  const [line] = ground.filter(({ name }) => name === "finding bad");
  assert.deepEqual([line.width, line.dash, line.lane], [1, undefined, undefined]);
  assert.equal(ground.filter(({ name }) => name === "edit").length, 1);
  assert.deepEqual(
    labels.flags.map(({ step, text, tone }) => [step, text, tone]),
    [
      [20, "rate 0.1 → 0.01", undefined],
      [214, "layer 2 dead", "bad"],
    ],
  );
});

test("a problem is announced once; earlier ones are not, and divergence has its own alert", () => {
  const news = createProblemAnnouncer();
  const reply = withFindings([], [dead()]);
  const state = after([{ type: "opened", answer: reply, token: "t" }], opened());
  assert.equal(news(state), "");
  const more = after(
    [
      findingEvent("gd", dead({ id: "x", title: "GD: layer 1 is dead." })),
      findingEvent("gd", dead({ id: "y", rule: "diverged" })),
      findingEvent("gd", edge()),
    ],
    state,
  );
  assert.equal(news(more), "GD: layer 1 is dead.");
  assert.equal(news(more), "");
  assert.equal(news(after([{ type: "opened", answer: withFindings([], [dead()]) }], more)), "");
});

test("a remedy that forks gets its own name, and undo removes that run", () => {
  const state = after([frame("sgd", 500), findingEvent("sgd", dead())], opened());
  const { remedy } = firstRemedy(state)!;
  const command = requestFor(state, remedy);
  assert.deepEqual(command, {
    do: "add_run",
    run: null,
    body: {
      name: "sgd-214",
      label: "SGD, He",
      fork_of: "sgd",
      at_step: 214,
      redraw: { layers: [2], weights: "he" },
    },
  });
  assert.deepEqual(undoing(state, command), { do: "remove_run", run: "sgd-214", body: {} });
});

test("undo of a remedy that edits restores the values, another optimizer's included", () => {
  const edited = (...edits: Json[]) =>
    after(
      edits.map((edit) => ({
        type: "event",
        event: "edit",
        run: "gd",
        edit: { at_step: 0, ...edit },
      })),
      opened(),
    );
  const undo = (state: State, body: Json) => undoing(state, { do: "edit", run: "gd", body }).body;
  assert.deepEqual(undo(opened(), { learning_rate: 0.05 }), { learning_rate: 0.1 });
  assert.deepEqual(undo(opened(), { clip_norm: 1, schedule: "cosine" }), {
    clip_norm: null,
    schedule: "constant",
  });
  assert.deepEqual(
    undo(edited({ optimizer: "momentum", momentum: 0.8 }), {
      optimizer: "adam",
      beta1: 0.95,
      learning_rate: 0.001,
    }),
    { momentum: 0.8, optimizer: "momentum", learning_rate: 0.1 },
  );
  assert.deepEqual(undo(opened(), { optimizer: "momentum", momentum: 0.5 }), { optimizer: "sgd" });
});

/** The server's events after a remedy forked SGD. */
const forked = (...edits: Json[]) => [
  {
    type: "event",
    event: "run_added",
    run: "sgd-214",
    recipe: {
      ...answer().recipe.runs[1],
      name: "sgd-214",
      origin: { run: "sgd", at_step: 214 },
      edits,
    },
    added: { ...answer().runs[1], name: "sgd-214", label: "SGD from 214", step: 214 },
  },
];

test("a remedy that edits is in force with its settings, one that forks with its fork", () => {
  const [halve] = edge().remedies;
  const edited = after(
    [{ type: "event", event: "edit", run: "gd", edit: { at_step: 0, learning_rate: 0.05 } }],
    opened(),
  );
  assert.deepEqual(
    [opened(), edited].map((state) => isInForce(state, halve)),
    [false, true],
  );
  assert.equal(
    isInForce(edited, { label: "", command: { ...halve.command, clip_norm: 1 } }),
    false,
  );
  const [fork] = dead().remedies;
  const forkedState = after(forked({ at_step: 214, redraw: fork.command.redraw }), opened());
  assert.deepEqual(
    [edited, forkedState].map((state) => isInForce(state, fork)),
    [false, true],
  );
  assert.equal(isInForce(after(forked(), opened()), fork), false, "another change, or none");
  assert.equal(
    isInForce(forkedState, { ...fork, command: { ...fork.command, at_step: 215 } }),
    false,
    "another step",
  );
  const advised = after([findingEvent("sgd", dead())], forkedState);
  assert.ok(
    isInForce(advised, fork) && firstRemedy(advised)?.remedy.label !== fork.label,
    "the key for the first remedy does not make it twice",
  );
  assert.equal(
    isInForce(after([{ type: "event", event: "run_removed", run: "sgd-214" }], forkedState), fork),
    false,
    "it was undone",
  );
});

test("the page says when there is no room for a fork, and names the run that a remedy made", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, k) => ({
      type: "event",
      event: "run_added",
      run: `r${k}`,
      recipe: { ...answer().recipe.runs[1], name: `r${k}` },
      added: { ...answer().runs[1], name: `r${k}` },
    }));
  assert.equal(noRoomWords(after(many(5), opened())), "");
  assert.equal(
    noRoomWords(after(many(6), opened())),
    "There are already 8 runs. Remove one to fork.",
  );
  assert.equal(
    doneWords(after(many(2), opened()), part<Remedy>({ label: "Fork, He init" }), {
      do: "add_run",
      run: null,
      body: { name: "r1" },
    }),
    "Fork, He init: new run R1.",
  );
  assert.deepEqual(
    ["add_run", "edit"].map((what) => waitsWords({ do: what, run: "gd", body: {} })),
    ["Press play to continue.", ""],
    "an edit waits for nothing",
  );
});

test("the strip of a divergence offers a way back, but not to visitors", () => {
  const remedies = [
    {
      label: "Rewind to step 300",
      command: { do: "add_run", fork_of: "gd", at_step: 300, learning_rate: 0.03 },
    },
  ];
  const events = [
    { type: "event", event: "diverged", run: "gd", step: 307, diverged_at: 307 },
    findingEvent("gd", dead({ id: "d", rule: "diverged", since_step: 307, remedies })),
  ];
  const state = after(events, opened());
  assert.equal(stripFor(state)!.act!.text, "Rewind GD to 300, rate 0.03");
  assert.equal(stripFor(after([{ type: "token", token: null }], state))!.act, undefined);
  const recipe = {
    ...answer().recipe.runs[0],
    name: "gd-300",
    origin: { run: "gd", at_step: 300 },
    edits: [{ at_step: 300, learning_rate: 0.03 }],
  };
  const wound = after(
    [
      {
        type: "event",
        event: "run_added",
        run: "gd-300",
        recipe,
        added: { ...answer().runs[0], name: "gd-300", step: 300 },
      },
    ],
    state,
  );
  assert.equal(stripFor(wound), null, "it is wound back");
  const reopened = after(
    [
      {
        type: "opened",
        answer: {
          ...answer(),
          recipe: wound.experiment!.recipe,
          runs: [
            { ...answer().runs[0], status: "diverged", findings: state.runs.gd.findings },
            { ...answer().runs[0], name: "gd-300" },
          ],
        },
        token: "t",
      },
    ],
    opened(),
  );
  assert.equal(stripFor(reopened), null, "a page that comes later knows it too");
  const undone = after([{ type: "event", event: "run_removed", run: "gd-300" }], wound);
  assert.equal(
    stripFor(undone)!.act!.text,
    "Rewind GD to 300, rate 0.03",
    "and the way back was taken back",
  );
});

test("a remedy is one command, reported with undo when done, and not when refused", async () => {
  const { app, socket, id } = await live();
  socket().say({ ...findingEvent("sgd", dead()), experiment: id });
  const { remedy } = firstRemedy(app.store.get())!;
  app.remedy(remedy);
  app.remedy(remedy);
  const [command, second] = socket().commands();
  assert.deepEqual(
    [command.do, command.name, command.at_step, second],
    ["add_run", "sgd-214", 214, undefined],
  );
  const recipe = {
    ...answer().recipe.runs[1],
    name: "sgd-214",
    label: "SGD from 214",
    origin: { run: "sgd", at_step: 214 },
  };
  socket().say({
    type: "event",
    experiment: id,
    event: "run_added",
    run: "sgd-214",
    recipe,
    added: { ...answer().runs[1], name: "sgd-214", step: 214 },
  });
  assert.equal(app.store.get().notice, null);
  socket().say({ type: "ack", id: command.id, answer: {} });
  assert.deepEqual(app.store.get().notice, {
    kind: "info",
    text: "Fork, He init: new run SGD from 214.",
    waits: "Press play to continue.",
    undo: true,
  });
  assert.equal(
    app.store.get().view.networkRun,
    "sgd-214",
    "the network shown is no longer the dead one",
  );
  await app.undo();
  assert.deepEqual(
    [socket().commands().at(-1)!.do, socket().commands().at(-1)!.run],
    ["remove_run", "sgd-214"],
  );
  socket().say({ type: "ack", id: socket().commands().at(-1)!.id, answer: {} });
  assert.equal(app.store.get().runs["sgd-214"], undefined);
  assert.equal(
    app.store.get().view.networkRun,
    "sgd",
    "who takes it back sees again what it was for",
  );

  // the answer may arrive before the event with the run
  app.remedy(remedy);
  socket().say({ type: "ack", id: socket().commands().at(-1)!.id, answer: {} });
  assert.equal(app.store.get().notice, null);
  socket().say({
    type: "event",
    experiment: id,
    event: "run_added",
    run: "sgd-214",
    recipe,
    added: { ...answer().runs[1], name: "sgd-214", step: 214 },
  });
  assert.match(app.store.get().notice!.text, /: new run /);
  app.dismiss();

  socket().say({ ...findingEvent("gd", edge()), experiment: id });
  app.remedy(edge().remedies[0]);
  socket().say({
    type: "error",
    id: socket().commands().at(-1)!.id,
    problem: { title: "No", status: 422 },
  });
  assert.deepEqual([app.store.get().notice, app.store.get().problem!.title], [null, "No"]);
  app.stop();
});

test("undo reverts a remedy that edits", async () => {
  const { app, socket } = await live();
  app.remedy(edge().remedies[0]);
  const { id, learning_rate: rate } = socket().commands().at(-1)!;
  assert.equal(rate, 0.05);
  socket().say({ type: "ack", id, answer: { run: "gd", at_step: 0, learning_rate: 0.05 } });
  assert.equal(app.store.get().notice!.text, "Halve the rate: applied to GD.");
  await app.undo();
  assert.deepEqual(
    [
      socket().commands().at(-1)!.do,
      socket().commands().at(-1)!.run,
      socket().commands().at(-1)!.learning_rate,
    ],
    ["edit", "gd", 0.1],
  );
  app.stop();
});

test("a remedy far from its finding names the new weights and the optimizer", () => {
  const state = opened();
  const words = (change: Json) =>
    wholeWords(
      state,
      { run: state.runs.gd, finding: edge() },
      { label: "Fork", command: { do: "add_run", fork_of: "gd", at_step: 0, ...change } },
    );
  assert.equal(
    words({ redraw: { layers: [1, 2, 3], weights: "he" }, learning_rate: 0.1, clip_norm: 1 }),
    "Rewind GD to 0, all reinitialized, He, rate 0.1, clip norm 1",
  );
  assert.equal(
    words({ optimizer: "adam", learning_rate: 0.01 }),
    "Rewind GD to 0, Adam, rate 0.01",
  );
});
