/**
 * Shapes of the page: the state, the app's commands, and the charts' elements.
 * Owns: shapes only. Nothing may be in the state that is not here.
 *
 * Kinds of <plotly-chart>, after one call of `registerPlotlyChart(app)` of charts/plotly-chart.ts:
 * - kind="loss": fills its parent; draws its flags, end labels and baseline label
 * - kind="gradients": one panel a layer; draws their titles ("W1 5 x 4", a value a run)
 * - kind="edge|alpha|...": an instrument (instruments.ts), in place of the gradients
 * - kind="scatter": one square a run; draws their titles ("GD R2 0.88")
 *
 * The page adds section headings, switches and the box. charts/charts.css belongs to the elements.
 *
 * Each draw sets these attributes:
 * - data-points: points of the fullest trace
 * - data-traces: number of traces
 * - data-last-step: largest step drawn
 * - data-draws: number of draws
 * - data-state: "waiting" without Plotly or figure, then "drawn"
 * - aria-label: the chart's summary
 */

import type { Bet, Story } from "./questions.ts";
import type { Samples } from "./data-picture.ts";
import type { FallLine, Frame } from "./fall-line.ts";
import type { Changes } from "./recipes.ts";
import type { Condition } from "./stops.ts";
import type {
  Catalog,
  DoctorCost,
  Edit,
  Finding,
  FindingUpdate,
  Json,
  Latest,
  Pace,
  Problem,
  Recipe,
  Remedy,
  RunStatus,
  SelfCheck,
  Sheet,
  Table,
  Verdict,
} from "./wire-types.ts";

export type {
  Catalog,
  Columns,
  Edit,
  ExperimentAnswer,
  Finding,
  FindingNews,
  FindingUpdate,
  Json,
  LayerRecipe,
  Pace,
  Problem,
  Recipe,
  Remedy,
  RunAnswer,
  RunRecipe,
  Stat4,
  Verdict,
} from "./wire-types.ts";

// ---------------------------------------------------------------- shapes of the server: see
// wire-types.ts

// ---------------------------------------------------------------- the state

export type LineKind = "websocket" | "events" | "polling";
/** why it is no WebSocket: refused, without an answer, or a stream that the network holds back */
export type LineReason = "refused" | "swallowed" | "held";

export interface Connection {
  kind: LineKind; // carries the messages
  reason: LineReason | null; // null for a WebSocket
  isNoteClosed: boolean; // the strip about the kind
  /**
   * - ready: connected and paused
   * - live: connected and playing
   * - offline: as the browser reports
   * - restarted: the server lost the experiment, and `app.restart()` starts its stored recipe
   */
  status:
    | "connecting"
    | "ready"
    | "live"
    | "reconnecting"
    | "catching-up"
    | "offline"
    | "restarted";
  latency: number | null; // ms, round trip
  retryIn: number | null; // whole seconds until the next try
  /** steps of the run furthest behind, while catching up */
  progress: { have: number; of: number; run: string } | null;
  lastStep: number | null; // last known step when the connection was lost
  areLinesBlocked: boolean; // while reconnecting: a server answers, and no line to it works
}

interface UnitsInstrument {
  step?: number;
  layers: { mean: number[]; active_share: number[]; dead: boolean[] }[]; // hidden layers
  output?: any;
}

export interface PredictionsInstrument {
  step?: number;
  split: string;
  y: number[]; // flat; class indices for classes
  y_pred: number[]; // flat; class indices for classes
}

/** the drawn part of weights */
export interface DrawnMatrix {
  largest: number; // absolute value of the largest weight
  cells: { dtype: string; bdata: string }; // as shares of it, row by row
}

interface DrawnWeights {
  step: number;
  of: Record<string, DrawnMatrix>; // W1, W2, ...
}

/** a run at a past step, replayed by the server */
export interface Moment {
  step: number;
  generation: number;
  epoch: number;
  samples_seen: number;
  latest: Record<string, Latest>;
  verdict?: Verdict | null; // of then; null if it is not known any more
  harm?: number | null; // the same
  units: UnitsInstrument | null;
  predictions: PredictionsInstrument | null;
  weights: DrawnWeights | null; // of the drawn run
}

/** a run at the last beat: what a frame said of it then, and the news of its findings */
export type Shown = Pick<
  Run,
  | "generation"
  | "status"
  | "step"
  | "epoch"
  | "samplesSeen"
  | "latest"
  | "verdict"
  | "harm"
  | "findingsCompleteTo"
  | "doctor"
> & { news: FindingUpdate[] };

/** colour and shape of a run */
export type Lane = "a" | "b" | "c" | "d" | "e" | "f" | "g" | "h";
export interface Run {
  name: string;
  label: string; // display name: "GD", "SGD"
  lane: Lane;
  hidden: boolean;
  status: RunStatus;
  step: number;
  epoch: number;
  samplesSeen: number;
  generation: number;
  divergedAt: number | null;
  finishedBy: Condition | null; // the stop condition met last
  latest: Record<string, Latest>;
  /** in force, with the page's unanswered edits */
  settings: Json & {
    optimizer: string;
    learning_rate: number;
    batch_size: number | null;
    order: string;
  };
  edits: Edit[]; // made so far or planned by the recipe, oldest first
  planned?: number[]; // at_step of edits that were still to come in the server's last answer
  units: UnitsInstrument | null;
  predictions: PredictionsInstrument | null;
  weights: DrawnWeights | null;
  findings: Finding[]; // the Doctor's, oldest first; in the past view, the findings of that step
  findingsCompleteTo: number; // the step up to which the Doctor has looked
  verdict: Verdict | null; // null if it is not known: in the past view
  harm: number | null; // its losses over the lowest known, at least 1; null if it is not known
  doctor?: DoctorCost; // cost of its examinations
  /** after a reset of this run: the furthest step of the others, and their generations */
  restarted: { step: number; beside: Record<string, number> } | null;
  isWayBack: boolean; // a fork of a diverged run
  startsLate: boolean; // added or restarted here while others had steps
}

export interface Experiment {
  id: string;
  token: string | null; // null = read only
  recipe: Recipe; // filled in, with the edits received so far
  kernel: string;
  /** loss of predicting the training mean, or the most frequent class */
  baseline: { train: number | null; test: number | null } | null;
  trainSamples: number;
  testSamples: number;
  initialLoss: number | null; // train_loss at step 0
  features: number; // input columns
  inputs: string[]; // their names
  outputs: number; // of the network
  classes: string[]; // their names; empty in a regression
  score: "r2" | "accuracy"; // the score that has series
  weights: string[]; // ["W1", "W2", "W3"]
  shapes: Record<string, [number, number]>; // {"W1": [5, 4], ...}
  parameters: number; // number of trained parameters
}

/** what was requested, shown at once */
interface Playback {
  playing: boolean;
  speed: number | "max"; // steps per second
  pace: Pace;
  isOwn?: boolean; // speed or pace were chosen here and not sent yet, because nothing plays
}

export type XAxis = "steps" | "epochs" | "samples" | "seconds";
export type Measure = "grad_l1" | "grad_l2" | "grad_mean" | "ratio" | "whole";
export type Hero = "loss" | "data" | "fall" | "gradients";
export interface View {
  x: XAxis;
  logSteps: boolean | null; // steps on a log axis; null = by the length of the runs
  zoom: [number, number] | null; // range of the horizontal axis, in its units; null = all
  y: "log" | "linear";
  showsTest: boolean; // the loss chart has test lines
  showsBand: boolean; // and bands from min to max
  measure: Measure;
  layer: string | null; // shown over time, of more weight matrices than have a panel each
  panel: "gradients" | "instruments"; // content of the row below the loss
  instruments: string; // the open ones
  predicted: "map" | "table"; // view of predicted classes over two inputs
  mapInputs: [number, number] | null; // places of the map's inputs, chosen among more than two
  isMapSeen: boolean; // the decision maps are in sight
  picture: "loss" | "data" | "fall" | "both"; // over the gradients; see pictures.ts
  maps: number; // runs that the data's picture has room for; 0 out of sight
  hero: Hero | null; // the one picture while presenting
  fallFrame: Frame | null; // shape of the fall line; null out of sight
  fallFits: number; // rises when its view is to fit the paths
  theme: "auto" | "light" | "dark";
  selectedRun: string | null;
  networkRun: string | null;
  isRunChosen: boolean; // chosen by the person; until then a run in trouble is shown
  singleKeys: boolean;
  closedDivergences: string[]; // divergences whose strip was closed
  sheet: null | "recipe";
  opened: string | null; // settings open in the recipe: "data", "network" or "run gd"
  dialog: null | "help" | "summary" | "share" | "remedy";
  word: string | null; // the word at which the help opens
  explains: boolean; // every control of the recipe shows its help
  inspector: boolean; // the step inspector is open
  line: string | null; // key of its selected line (sheets.ts); null = the line to look at first
  firstSample: number; // first row of the batch on view
  samplesShown: number; // number of rows on view
}

/** `labelBefore` of an edit that changes the label: a refusal brings it back */
export type PendingCommand = { do: string; run: string | null; body: Json; labelBefore?: string };
/** a reset or a removed run; `run` null: all; `undo` is the id under which the server keeps it */
export type Undoable = { do: string; run: string | null; undo: string };
interface Notice {
  kind: "info" | "ok" | "warn" | "bad";
  text: string;
  waits?: string; // what waits for play; removed by play
  undo?: boolean; // true: `app.undo()` reverts it
  isBusy?: boolean; // it stays until what it names is done
}

/** by instrument: its last answer, and the numbers of all by step */
export type Measured = {
  generation: number;
  last: Record<string, Json>;
  trails: Record<string, Json[]>;
};
/** the past step on view, and each run's last answer there */
type Looking = { step: number; moments: Record<string, Moment> };
/** a run's step, line by line */
type Inspection = { experiment: string; run: string; sheet: Sheet };
/** a fork from a past step, with a change */
export type Offer = { run: string; change: Json; step: number };
export interface State {
  connection: Connection;
  catalog: Catalog | null;
  experiment: Experiment | null;
  runs: Record<string, Run>;
  order: string[];
  playback: Playback;
  view: View;
  pending: Record<string, PendingCommand>; // commands without an answer, by id
  undoable: Undoable | null; // the last change that the server can undo
  notice: Notice | null;
  problem: Problem | null; // the last refusal; cleared by the next success or by `app.dismiss()`
  loading: { since: number } | null; // an experiment is being created; `since` by the app's clock (ms)
  /** Plotly figures by name ("loss", "gradients"), as the server specifies them */
  figures: Record<string, Json>;
  instruments: Record<string, Measured>; // measurements of each run
  fallLine: FallLine | null; // its last measurement
  samples: Samples | null; // of one input, for its fit; of two, for a run without a map
  frames: number; // rises with every frame; watch it to know that columns changed
  finer: number; // rises when finer columns of a range on view have come
  /**
   * the runs at the last beat, by name; null where every frame is shown at once. Units, weights,
   * predictions, maps and the inspected step change with it
   */
  beat: Record<string, Shown> | null;
  inspection: Inspection | null; // the last answer, while the step inspector is open
  looking: Looking | null; // null at the present. Every view shows `stateOnView(state)` of state-on-view.ts
  offer: Offer | null; // an edit of the past, which can only be a fork
  isDrawingSlow: boolean; // charts are drawn less often, because drawing is slow here
  isWatching: boolean; // somebody else's experiment, opened by a link
  waitingFor: Problem | null; // why there is no experiment yet; the page retries
  isReadOnly: boolean; // the server cannot store anything at present, and refuses changes
  bet: Bet | null; // the last one of this browser; `betOf` says whether it is on this experiment
  story: Story | null; // the last one received; `storyOf` says whether it is of these runs
}

// ---------------------------------------------------------------- store, series, app

export interface Store {
  get: () => State;
  dispatch: (message: Message) => void;
  /**
   * calls the listener when the selected value changes (===, or shallowly equal arrays), not at
   * once. Returns `stop`
   */
  watch: <T>(select: (state: State) => T, listener: (value: T, state: State) => void) => () => void;
}

export type Message = Json & { type: string };
/** typed columns of one series, as long as its RunSeries; NaN = no finite value */
export interface Stat {
  min: Float64Array;
  max: Float64Array;
  mean: Float64Array;
  last: Float64Array;
  count: Float64Array;
}

/** one run's bounded columns */
export interface RunSeries {
  generation: number;
  length: number; // buckets
  first: Float64Array; // steps
  last: Float64Array;
  samplesSeen: Float64Array; // at the bucket's end
  seconds: Float64Array;
  names: () => string[];
  values: (name: string) => Stat | null;
}

/** `closer`: finer columns of a range */
export type SeriesStore = {
  of: (run: string) => RunSeries | null;
  closer: (run: string) => RunSeries | null;
  origin: (run: string) => RunSeries | null;
};

/**
 * The commands of the page. None throws: a refusal is in `state.problem`. Edits show in the state
 * at once.
 */
export interface App {
  store: Store;
  series: SeriesStore;
  start: () => Promise<void>; // loads the catalog, then the stored experiment or the exhibit
  stop: () => void; // closes the socket and every timer
  play: () => void;
  pause: () => void;
  toggle: () => void;
  step: (steps?: number) => void;
  stepEpoch: (epochs?: number) => void;
  catchUp: (run: string, steps: number) => void; // steps of one run, to where the others are
  reset: (run?: string) => void;
  setSpeed: (speed: number | "max") => void;
  setPace: (pace: Pace) => void;
  edit: (run: string, change: Json) => void;
  addRun: (body?: Json) => void;
  removeRun: (run: string) => void;
  renameRun: (run: string, label: string) => void;
  setHidden: (run: string, hidden: boolean) => void;
  /**
   * merges changes into the recipe (layers replace layers), starts at step 0, leaves a notice with
   * undo
   */
  newExperiment: (changes: Changes) => Promise<void>;
  /** its recipe from step 0, in its best view; leaves a notice with undo */
  openExhibit: (name: string) => Promise<void>;
  /** a recipe as an own experiment, or parameters as the start of a new one */
  openFile: (file: File) => Promise<void>;
  /** reverts the last new experiment, reset or removal of a run */
  undo: () => Promise<void>;
  restart: () => Promise<void>; // after "restarted": the stored recipe, from step 0
  retryNow: () => void;
  setView: (part: Partial<View>) => void;
  bet: (answer: string | number) => void; // on the open question, until the first step
  /** uploads a CSV; resolves to the result or the refusal, not in the state */
  sendTable: (file: Blob) => Promise<{ table?: Table; problem?: Problem }>;
  readTable: (id: string) => Promise<{ table?: Table; problem?: Problem }>; // loads an uploaded one
  /** holds these steps, by run, at full resolution */
  lookCloser: (stretches: Record<string, { since: number; until: number }>) => void;
  /** shows a past step while training goes on; null = the present */
  lookAt: (step: number | null) => void;
  /** a step on: of the view in the past, of training in the present */
  forward: (steps?: number) => void;
  back: (steps?: number) => void; // moves the view a step back, from where the run looked at stands
  forwardEpoch: (epochs?: number) => void;
  lookAtMarker: (direction: 1 | -1) => void; // the next or previous mark; of a long run close up
  zoomTo: (range: [number, number] | null) => void; // shows these steps in the charts; null = all
  zoomToFall: () => void; // shows the steps in which the losses fall
  fork: (run: string, change?: Json) => void; // a new run from the step on view, beside its parent
  answerOffer: (accepted: boolean) => void;
  remedy: (remedy: Remedy) => void; // applies a remedy of the Doctor; leaves a notice with undo
  /** the whole address, of the present or an earlier state; null if too long */
  linkTo: (of: "recipe" | "moment" | "watch", state?: State) => Promise<string | null>;
  qr: (text: string) => Promise<{ svg?: Blob; problem?: Problem }>;
  /** runs a run's self-check */
  check: (run: string) => Promise<{ check?: SelfCheck; problem?: Problem }>;
  /** the inspected step as a program that needs NumPy only */
  changeScript: () => Promise<{ script?: string; problem?: Problem }>;
  copyOfOwn: () => Promise<void>; // copies the experiment on view to an own one
  hasFormer: () => boolean; // true if an experiment was left for a link
  goBack: () => Promise<void>; // returns to it
  hasEarlier: () => boolean; // true if this browser left an experiment, for whatever reason
  openEarlier: () => Promise<void>; // returns to the last one
  dismiss: () => void; // clears notice and problem
  closeLineNote: () => void; // hides the strip about the kind of line
  closeDivergence: (runs: string[]) => void; // hides the strip of these divergences
  kernelWords: () => Promise<string>; // which kernel makes the steps, requested anew
}

/** An app's environment; tests pass their own. */
export interface Environment {
  fetch: typeof fetch;
  WebSocket: new (url: string) => WebSocket;
  storage: {
    getItem: (key: string) => string | null;
    setItem: (key: string, value: string) => void;
    removeItem: (key: string) => void;
  };
  isEmbedded?: boolean; // charts in another page, which only read
  now: () => number; // ms, monotonic
  setTimeout: (run: () => void, ms: number) => any;
  clearTimeout: (timer: any) => void;
  random: () => number; // 0..1
  uuid: () => string;
  secret: () => string; // 32 random hex digits
  address: string; // "http://host:port" or "http://host:port/path"
  fps: number; // frames a second to request
  hidden: () => boolean; // true if the page is hidden
  calm?: () => boolean; // true if the person prefers reduced motion
  fragment: () => string; // of the page's address, without its "#"
  setFragment: (fragment: string) => void; // replaces it; "" removes it
  listen: (hear: (signal: "online" | "offline" | "visible" | "hidden" | "link") => void) => void;
}
