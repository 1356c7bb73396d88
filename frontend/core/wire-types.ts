/**
 * Shapes of the server's recipes, answers, columns and problems.
 * Owns: shapes only. types.ts has the page's own, and exports these too.
 */

import type { LossRecipe } from "./losses.ts";
import type { Condition } from "./stops.ts";

export type Json = Record<string, any>;

export interface LayerRecipe {
  units: number;
  activation: string;
}

/** one live change; the other fields are settings */
export type Edit = Json & { at_step: number };
export type RunRecipe = Json & {
  name: string;
  label?: string | null;
  optimizer: string;
  learning_rate: number;
  batch_size: number | null;
  order: string;
  seed: number;
  edits: Edit[];
  origin?: Origin;
};
/** of a fork: its parent, and the step up to which they share a past */
export type Origin = { run: string; at_step: number };
/** filled in, as the server answers it */
export interface Recipe {
  data: Json & {
    name: string;
    samples: number;
    features?: number;
    noise?: number;
    test_fraction: number;
    seed: number;
  };
  network: {
    layers: LayerRecipe[];
    output: string;
    weights: any;
    biases: any;
    seed: number;
    start?: string;
  };
  loss: LossRecipe;
  runs: RunRecipe[];
}

/** one series over buckets; null or NaN = no finite value */
export interface Stat4 {
  min: ArrayLike<number | null>;
  max: ArrayLike<number | null>;
  mean: ArrayLike<number | null>;
  last: ArrayLike<number | null>;
  count?: ArrayLike<number>; // only for series not recorded every step
}

/** measurements as they travel; each column an array, a typed one, or {dtype, bdata} */
export interface Columns {
  generation: number;
  first: any;
  last: any;
  samples_seen: any;
  seconds: any;
  series: Record<string, any>;
  asked?: string[]; // by the page; of some there is no value
}

/** a run in GET /experiments/{id} */
export interface RunAnswer {
  name: string;
  label?: string | null;
  status: RunStatus;
  step: number;
  epoch: number;
  samples_seen: number;
  generation: number;
  diverged_at?: number | null;
  finished_by?: Condition | null;
  latest: Record<string, Latest>;
  findings?: Finding[]; // oldest first, open and closed
  findings_complete_to?: number; // the step up to which they are complete
  verdict?: Verdict;
  harm?: number | null;
  doctor?: DoctorCost;
}

/** how a run is doing, as of its findings; the later of two that hold counts */
export type Verdict =
  | "waiting"
  | "learning"
  | "overfitting"
  | "on_the_way"
  | "flat"
  | "dead"
  | "diverged";

/** how long training waited for a run's examinations, and how long it computed meanwhile */
export interface DoctorCost {
  waited_seconds?: number;
  computed_seconds?: number;
}

/** an answer to choose */
export type Choice = { id: string; text: string };

/** a question to bet on, as the catalog has it */
export interface Question {
  id: string;
  prompt: string;
  kind: "choice" | "number";
  choices: Choice[];
  unit?: string | null;
}

/** a sentence of what happened, and the step that shows it */
export type Clause = { text: string; step?: number; run?: string };

/** what happened; the outcome is null before the end */
export interface StoryAnswer {
  id: string;
  answer: Json & { rule: string };
  explain: Clause[];
  outcome: { choice?: string | null; number?: number | null } | null;
  changed: boolean; // the recipe is no longer the exhibit's
}

export interface Remedy {
  label: string;
  hint?: string;
  command: Json & { do: string; run?: string }; // as the socket takes it
}

/** what came of a remedy that was taken at step `at_step` in a run, up to `step` */
export interface Outcome {
  label: string; // the remedy's
  run: string;
  at_step: number;
  step: number;
  series: "train_loss" | "test_loss";
  from: number;
  to: number;
  lasts: boolean; // that run still has the problem
  text: string;
}

/** what the examination at `step` saw of a finding: another severity, title or units than before */
export interface Stage {
  step: number;
  severity: Finding["severity"];
  title: string;
  mark: string;
  evidence: string;
}

/** a finding of the Doctor */
export interface Finding {
  id: string; // unique within a generation of the run
  rule: string;
  severity: "problem" | "warning" | "info";
  subject: { layer?: number; units?: number[]; since?: number[] }; // `since`: each unit's first step
  since_step: number;
  until_step: number | null; // null while it is open
  found_at: number;
  seen_at: number; // the last examination, while it is open
  title: string;
  evidence: string; // the numbers then
  first_evidence: string; // the numbers when it was found
  stages?: Stage[]; // from `found_at` on
  mark: string; // two or three words
  why?: { text: string; code: string } | null;
  did?: Did | null;
  remedies: Remedy[];
  lower_rate?: string; // whether one helps, as tried; empty if a remedy has one
  outcomes?: Outcome[]; // of the remedies that were taken
}

/** the change from `step` to the next that did it: the entry of a parameter that moved most */
export interface Did {
  step: number;
  parameter: string; // "W2", "b2"
  entry: number; // row by row
  from: number;
  to: number;
  rows: number[]; // of the data, at most ten of the batch
  text: string;
}

/** a finding as its event carries it; `withdrawn`: it is gone, and there is nothing else of it */
/** what a frame says of a finding */
export type FindingUpdate = Pick<Finding, "id" | "seen_at" | "evidence" | "outcomes">;
export type FindingNews = Finding | { id: string; withdrawn: true };

export interface ExperimentAnswer {
  id: string;
  recipe: Recipe;
  kernel: string;
  next_kernel?: string;
  runs: RunAnswer[];
  token?: string;
  playing?: boolean;
  speed?: number | "max";
  pace?: Pace;
  baseline?: Record<string, number | null>; // by split
  classes?: string[];
  inputs?: string[];
  outputs?: number;
  score?: "r2" | "accuracy";
  initial_loss?: number;
  train_samples?: number;
  test_samples?: number;
  read_only?: boolean; // the server cannot store anything at present
}

export type RunStatus = "paused" | "playing" | "finished" | "diverged";
export type Latest = { step: number; value: number };
export type Pace = "steps" | "samples";
/** RFC 9457; `errors` name fields by JSON pointer */
export interface Problem {
  title: string;
  detail?: string;
  status?: number;
  type?: string;
  errors?: { pointer: string; detail?: string; message?: string }[];
  bound?: string; // the bound that was exceeded, if any
  limit?: number;
  asked?: number;
}

export interface TableColumn {
  name: string;
  kind: "number" | "category" | "text" | "constant";
  distinct: number;
  task: "regression" | "classification" | null; // the suggestion if it is the target
  used: boolean;
  reason: string | null; // why it is not used
}

/** as POST /datasets answers it */
export interface Table {
  id: string;
  columns: TableColumn[];
  rows: number; // usable rows
  target: string; // the suggested column
  preview: string[][];
  skipped: { line: number; reason: string }[]; // the first of `skipped_count`
  skipped_count: number;
}

export type Check = { name: string; title: string; passed: boolean | null; says: string };
/** as GET .../check answers it */
export type SelfCheck = { step: number; kernel: string; checks: Check[] };

/** null = not finite */
export type Cell = number | null;
export interface Entry {
  name: string;
  shape: number[]; // empty for a bare number
  /** the columns shown; of the batch `rows` rows from row `first` on, of others the first rows */
  values: Cell | Cell[][];
  zeros: number; // number of entries that are exactly 0
  negative: number;
  largest: number; // largest finite absolute value
  first?: number;
  rows?: number;
  mean?: Cell[]; // over the whole batch
  /** in the whole matrix, as everything besides `values` */
  largest_at?: { row: number; column: number; value: number };
  /** largest change since the name's last value */
  change?: { row: number; column: number; before: number; after: number };
  not_finite?: Partial<Record<"nan" | "inf" | "-inf", number>>;
  not_finite_at?: [number, number, "nan" | "inf" | "-inf"][]; // row (among those sent), column, kind
}

export type Line = Entry & { part: "forward" | "backward" | "update"; expression: string };
/** one step of a run, line by line */
export type Sheet = {
  step: number;
  generation: number;
  batch: number[];
  functions: Record<string, string>;
  given: Entry[];
  lines: Line[];
};

/** GET /catalog */
export type Catalog = Json;
