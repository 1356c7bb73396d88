/**
 * Every text of the page: labels, titles, sentences, and words for screen readers.
 * A translation is another file with the same names. `build.mjs --words FILE` builds the page with it.
 * A name says its text, with X, Y, Z, U, V for the parts that a function fills in:
 * - `Tail` is the end of a sentence
 * - `Label` begins with a capital
 *
 * Owns: texts, plurals, capitals, how whole numbers are written, and the server's words that the page looks for. Imports nothing.
 */

/** The language, for the page's `lang`. */
export const language = "en";

/** A part that fills a text in: a formatted number, a name, or another text. */
type Part = string | number;

// ---------- numbers and counts

/**
 * Decimals have a point everywhere, as in files and in NumPy, so groups must not. Created once, because `toLocaleString`
 * creates one for every number.
 */
const COMMAS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A whole count: "12,345", with a true minus. */
export const integer = (value: number) =>
  COMMAS.format(Math.round(value)).replaceAll("-", "\u2212");

/** Nouns of counts: one, several. A language with more forms adds them here and chooses in `plural`. */
const NOUNS = {
  byte: ["byte", "bytes"],
  column: ["column", "columns"],
  input: ["input", "inputs"],
  minute: ["minute", "minutes"],
  parameter: ["parameter", "parameters"],
  problem: ["problem", "problems"],
  row: ["row", "rows"],
  run: ["run", "runs"],
  sample: ["sample", "samples"],
  second: ["second", "seconds"],
  step: ["step", "steps"],
  testSample: ["test sample", "test samples"],
  trainingSample: ["training sample", "training samples"],
  unit: ["unit", "units"],
  warning: ["warning", "warnings"],
};
export type Noun = keyof typeof NOUNS;

/** A count with its noun: plural(1, "sample") = "1 sample". */
export const plural = (count: number, noun: Noun) =>
  `${integer(count)} ${NOUNS[noun][count === 1 ? 0 : 1]}`;

/** "all 900 samples", "the one sample". */
export const every = (count: number, noun: Noun) =>
  count === 1 ? `the one ${NOUNS[noun][0]}` : `all ${plural(count, noun)}`;

/** "GD", "GD and SGD", "GD, SGD and Adam". */
export const listed = (words: string[]) =>
  words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join("");

/** A text that begins a sentence. "y = Xβ" and "max(z, 0)" keep their small letter. */
export const capital = (text: string) =>
  /^(\p{Ll}{2}(?!\w*\()|a )/u.test(text) ? text[0].toUpperCase() + text.slice(1) : text;

/** A label inside a sentence. German nouns would keep their capital. */
export const lower = (label: string) => label.charAt(0).toLowerCase() + label.slice(1);

// ---------- words in the server's sentences: change them only with the server's

/** The page explains these, by their term. */
export const serverWords = {
  r2: /R²/,
  zero: /exactly 0/,
  he: /He init/,
  edge: /steepest bend/,
  noise: /noise scale/,
  baseline: /predicts the mean|predicting the mean/,
};
/** The part of a finding's mark that fits on a phone: "dead" of "layer 2 dead", "3 dead" of "3 units dead". */
export const briefMark = (mark: string) =>
  mark.replace(/^(layer \d+|gradients) /, "").replace(/^(\d+) units? /, "$1 ");

/** Levels of gauges, by their names in the server's figures: in full, and in little room. */
export const levels: Record<string, { whole: string; brief: string }> = {
  "edge of stability": { whole: "edge of stability", brief: "edge" },
  "no step; below: lowest point behind": {
    whole: "no step; below: lowest point behind",
    brief: "",
  },
  "lowest point": { whole: "lowest point", brief: "lowest" },
  "same height behind it": { whole: "same height behind it", brief: "as high" },
};

// ---------- index.html, check.html

export const fallline = "fallline: watch gradient descent";
export const twoWaysDownTheSameSlope =
  "Two ways down the same slope: watch GD, mini-batch and SGD train the same network, step by step.";
export const skipToTransport = "Skip to transport";
export const falllineHome = "fallline, home";
export const connecting = "Connecting";
export const transport = "Transport";
export const charts = "Charts";
export const buildingTheDataAndTheInitial = "Building the data and the initial weights…";
export const inspection = "Inspection";
export const falllineDrawsWithJavascriptPleaseSwitch =
  "fallline draws with JavaScript: please switch it on.";
export const checkBeforeTheClass = "fallline: check before the class";
export const checksTheBrowserAndTheConnection =
  "Checks the browser and the connection to the server, before a class.";

// ---------- charts

export const predictingTheXY = (word: Part, mean: Part) => `predicting the ${word}: ${mean}`;
/** On a phone. */
export const theWordY = (word: Part, mean: Part) => `the ${word}: ${mean}`;
export const majority = "majority";
export const mean = "mean";
export const arrowKeysMoveTheCursorHome =
  "Arrow keys move the cursor. Home and End jump. Escape leaves the chart.";
export const epochX = (epochs: Part) => `epoch ${epochs}`;
export const xSeen = (count: Part) => `${count} seen`;
export const xSeconds = (x: Part) => `${x} seconds`;
export const stepX = (from: Part) => `step ${from}`;
export const stepsXToY = (from: Part, to: Part) => `steps ${from} to ${to}`;
export const xTest = (label: Part) => `${label} test`;
export const xTrain = (label: Part) => `${label} train`;
export const theFirstXSteps = (value: Part) => `the first ${value} steps`;
export const atStep0 = "at step 0";
export const byLayer = "By layer";
export const nowDashedX = (first: Part) => `now; dashed: ${first}`;
/** In little room; the last one in least. */
export const dashedStep0 = ["dashed: step 0"];
export const dashedFirstXSteps = (value: Part) => [
  `dashed: first ${value} steps`,
  `dashed: first ${value}`,
];
export const samplesSeen = "samples seen";
export const samples = "samples";
export const samplesLabel = "Samples";
export const logTail = ", log";
export const test = "test";
export const theRunStarts = "the run starts";
export const bothRunsStart = "both runs start";
export const allRunsStart = "all runs start";
export const chart = "chart";
export const xHereLossY = (who: Part, loss: Part) => `${who} here: loss ${loss}`;
export const notReceivedYet = "not received yet";
export const exactlyZero = "exactly 0";
export const r2X = (score: Part) => `R² ${score}`;
export const trueAndPredicted = "true %{x:.2f}<br>predicted %{y:.2f}<extra></extra>";
export const xOffAxis = (many: Part) => `${many} off axis`;
/** In a small square. */
export const xOff = (many: Part) => `${many} off`;
export const predicted = "predicted";
export const trueValue = "true";
export const allOffTheAxis = "all off the axis";
export const allXTheAxis = (word: Part) => `all ${word} the axis`;
export const above = "above";
export const below = "below";

// ---------- core

export const valuesWord = "values";
/** Bounds of stop conditions, and scales of a loss. */
export const ways = { above: "above", below: "below", log: "log", linear: "linear" };
/** Lets a step stay on one line with what stands there: "GD at 400". */
export const unbroken = (where: string) => where.replaceAll(" at ", "\u00a0at\u00a0");
export const zeroIsTheMean = "0 is the mean, 1 a standard deviation.";
export const xAsY = (count: Part, value: Part) => `${count} as ${value}`;
export const asX = (value: Part) => `as ${value}`;
export const xOfYZ = (wrong: Part, all: Part, value: Part, as: Part) =>
  `${wrong} of ${all} ${value} (${as})`;
export const xDivergedAtStepYOff = (label: Part, value: Part) =>
  `${label} diverged at step ${value}: off the axis.`;
export const xNoPredictionsYet = (label: Part) => `${label}: no predictions yet.`;
export const theOthersAtTheirMeanTail = ", the others at their mean";
export const xAtStepYZOf = (label: Part, step: Part, number: Part, all: Part, word: Part) =>
  `${label} at step ${step}: ${number} of ${all} ${word} samples correct.`;
export const training = "training";
export const wrongX = (list: Part) => `Wrong: ${list}.`;
export const planeOfXYZU = (list: Part, word: Part, others: Part, share: Part) =>
  `Plane of ${list}${word}${others}: ${share}.`;
export const andBetween = " and ";
export const bothStandardizedTail = ", both standardized";
export const nothingFinite = "nothing finite";
export const standardizedTail = ", standardized";
export const othersAtTheirMeanTail = " Others: at their mean.";
export const toBetween = " to ";
export const acrossXUpYZU = (across: Part, up: Part, word: Part, others: Part) =>
  `Across: ${across}. Up: ${up}.${word}${others}`;
export const bothStandardizedSentence = " Both standardized.";
export const lossAlongTheGradientAndA = "loss along the gradient and a random direction";
export const lossOverThePlaneOfThe = (value: Part) =>
  `loss over the plane of the start and the path of ${value}`;
export const lossOverThePlaneOfTheWord = (word: Part) =>
  `loss over the plane of the start and ${word}`;
export const bothRuns = "both runs";
export const lossOverTheMainPlaneOf = "loss over the main plane of all paths";
export const lossOverThePlaneOfThePaths = "loss over the plane of the paths";
export const fallLineNotMeasuredYet = "Fall line, not measured yet.";
export const fallLineAtStep0All = (initialLoss: Part) =>
  `Fall line at step 0. All runs are at the start, loss ${initialLoss}.`;
export const lossXTo = (start: Part) => `loss ${start} to `;
export const to = "to ";
export const xWentYUnitsZU = (label: Part, distance: Part, from: Part, loss: Part) =>
  `${label} went ${distance} units, ${from}${loss}.`;
export const ofThePathLies = "of the path lies";
export const ofThePathsLie = "of the paths lie";
export const fallLineAtStepXY = (step: Part, list: Part, shares: Part, lie: Part) =>
  `Fall line at step ${step}. ${list} ${shares} ${lie} outside.`;
export const distancesOfStepX = (step: Part) => `Distances and shares are those of step ${step}.`;
export const healthy = "Healthy";
export const problem = "Problem";
export const warning = "Warning";
export const note = "Note";
export const xSeenAtStepY = (evidence: Part, seen: Part) => `${evidence} Seen at step ${seen}.`;
export const sinceStepX = (since: Part) => `Since step ${since}.`;
export const forkOfXAtStepY = (value: Part, atStep: Part) => `fork of ${value} at step ${atStep}`;
export const allLayers = "all layers";
export const afterClipping = "after clipping";
export const rate = "rate";
export const notKnownYet = "not known yet";
export const beyondTheEdgeOfStability = "beyond the edge of stability";
export const atTheEdgeOfStability = "at the edge of stability";
export const belowTheEdgeOfStability = "below the edge of stability";
export const noStep = "no step";
export const theStepGoesUphill = "the step goes uphill";
export const theStepGoesBeyondTheLowest = "the step goes beyond the lowest point";
export const theStepEndsBeforeTheLowest = "the step ends before the lowest point";
export const theLowestPointLiesBehindThe = "the lowest point lies behind the step";
export const xLowestPointBehind = (alpha: Part) => `${alpha}, lowest point behind`;
export const noSignal = "no signal";
export const aBatchHasMoreNoiseThan = "a batch has more noise than signal";
export const aBatchHasMoreSignalThan = "a batch has more signal than noise";
export const theStepGoesDown = "the step goes down";
export const theStepGoesUp = "the step goes up";
export const exactly0InX = (list: Part) => `exactly 0 in ${list}`;
export const noGradientIsExactly0 = "no gradient is exactly 0";
export const noDirection = "no direction";
export const batchAndFullGradientAgree = "batch and full gradient agree";
export const batchAndFullGradientRoughlyAgree = "batch and full gradient roughly agree";
export const batchAndFullGradientDisagree = "batch and full gradient disagree";
export const notFiniteHere = "not finite here";
export const outsideThisPlaneX = (outside: Part) => `Outside this plane: ${outside}`;
export const noProbabilities = "no probabilities";
export const expectedErrorX = (error: Part) => `expected error ${error}`;
export const ofTheXSamples = (word: Part) => `of the ${word} samples`;
export const contoursPowersOfTenOfThe = "contours: powers of ten of the train loss";
export const edge = "Edge";
export const xOfY = (sharpness: Part, limit: Part) => `${sharpness} of ${limit}`;
export const noLimit = "no limit";
export const xNoLimit = (sharpness: Part) => `${sharpness}, no limit`;
export const batchEdge = "Batch edge";
export const stepAlpha = "Step α";
export const noise = "Noise";
export const xBatchY = (scale: Part, batch: Part) => `${scale}, batch ${batch}`;
export const lossAlongTheStep = "Loss along the step";
export const alongTheStep = "Along the step";
export const solidAllSamplesDashedTheBatch =
  "solid: all samples, dashed: the batch, thin: its parabola; from 0, before, to 1, after";
export const eigenvaluesOfTheHessian = "Eigenvalues of the Hessian";
export const eigenvalues = "Eigenvalues";
export const byRankHollowBelow0Their = "by rank; hollow: below 0, their size; dashed: the limit";
export const xYBelow0TraceZ = (count: Part, below: Part, trace: Part) =>
  `${count}, ${below} below 0, trace ${trace}`;
export const entriesOfTheGradient = "Entries of the gradient";
export const entries = "Entries";
export const batchX = (batch: Part) => `batch ${batch}`;
export const updateOverWeight = "Update over weight";
export const updateOverWeightLabel = "Update ÷ weight";
export const filledNormChangeNormPHollowSdChange =
  "filled: norm(change) / norm(P), hollow: sd(change) / sd(P)";
export const cosineWithTheFullGradient = "Cosine with the full gradient";
export const cosine = "Cosine";
export const ofEachParameter = "Of each parameter";
export const each = "Each";
export const signalOverNoiseOfEachLayer = "Signal ÷ noise of each layer";
export const signalOverNoise = "Signal ÷ noise";
export const signalOfOneSample = "|mean gradient|² / its scatter, for one sample";
export const residuals = "Residuals";
export const truePredictedOverThePrediction = "true − predicted, over the prediction";
export const rmseXMAEYMeanZ = (rmse: Part, mae: Part, mean: Part) =>
  `RMSE ${rmse}, MAE ${mae}, mean ${mean}`;
export const confusionMatrix = "Confusion matrix";
export const confusion = "Confusion";
export const rowsTheTrueClassColumnsThe = "rows: the true class, columns: the predicted one";
export const xRight = (value: Part) => `${value} right`;
export const scoresOfEachClass = "Scores of each class";
export const scores = "Scores";
export const dotsPrecisionHollowRecallDiamondsF1 =
  "dots: precision, hollow: recall; diamonds: F1, hollow: AUC";
export const calibration = "Calibration";
export const accuracyOverConfidenceDashedEqual = "accuracy over confidence; dashed: equal";
export const decisionMap = "Decision map";
export const decisions = "Decisions";
export const shadePredictedClassShapesSamplesBy =
  "shade: predicted class; shapes: samples by class";
export const overX = (list: Part) => `over ${list}`;
export const lossOverTheMainPlaneOfLabel = "Loss over the main plane of the path";
export const lossOverTheTwoSharpestDirections = "Loss over the two sharpest directions";
export const lossOverThePathsPlaneFilter = "Loss over the path's plane, filter-normalised";
export const edgeStepNoise = "Edge, step, noise";
export const histogramOfGradients = "Histogram of gradients";
export const signalAndNoiseByLayer = "Signal and noise by layer";
export const fallLine = "Fall line";
export const fallLineFilterNormalised = "Fall line, filter-normalised";
export const fallLineAlongTopEigenvectors = "Fall line along top eigenvectors";
export const xSemicolonStandardized = (key: Part) => `${key}; standardized`;
export const xOfYZSentence = (name: Part, label: Part, says: Part) =>
  `${name} of ${label}: ${says}.`;
export const xNotMeasuredYet = (name: Part) => `${name}, not measured yet.`;
export const notMeasuredYetPlayingRunsGo = "Not measured yet: playing runs go first.";
export const beingMeasured = "Being measured.";
export const takesX = (word: Part) => `takes ${word}`;
export const xMs = (number: Part) => `${number} ms`;
export const xS = (cost: Part) => `${cost} s`;
export const xEveryYS = (takes: Part, number: Part) => `${takes}, every ${number} s`;
export const compiledKernels = "compiled kernels";
export const numpy = "NumPy";
export const stepsAreMadeByXThe = (name: Part, name2: Part) =>
  `Steps are made by ${name}: the ${name2} have no code for this loss.`;
export const compiledKernelsAreNotInUse = (reason: Part) =>
  ` (compiled kernels are not in use: ${reason})`;
export const stepsAreMadeByXY = (name: Part, why: Part) => `Steps are made by ${name}${why}.`;
export const xStartedWithYAndZ = (list: Part, name: Part, word: Part) =>
  `${list} started with ${name} and ${word} it until reset`;
export const keep = "keep";
export const keeps = "keeps";
export const newRunsAreMadeByX = (name: Part, why: Part, note: Part) =>
  `New runs are made by ${name}${why}. ${note}.`;
export const meanSquaredError = "mean squared error";
export const huberLoss = "Huber loss";
export const binaryCrossEntropy = "binary cross-entropy";
export const softmaxCrossEntropy = "softmax cross-entropy";
export const halfOfTheX = (loss: Part) => `half of the ${loss}`;
export const xAndPenalties = (loss: Part) => `${loss}, and penalties`;
export const forkOfX = (parent: Part) => `fork of ${parent}`;
export const startsAgainAtStep0 = "starts again at step 0";
export const stepXY = (step: Part, text: Part) => `step ${step}: ${text}`;
export const justBelowX = (bound: Part) => `just below ${bound}`;
export const anyNumber = "any number";
export const upToX = (end: Part) => `up to ${end}`;
export const aboveX = (bound: Part) => `above ${bound}`;
export const xOrMore = (bound: Part) => `${bound} or more`;
export const aboveXUpToY = (bound: Part, end: Part) => `above ${bound}, up to ${end}`;
export const fromXToY = (bound: Part, end: Part) => `from ${bound} to ${end}`;
export const aWholeNumberXY = (word: Part, words: Part) => `a whole number${word}${words}`;
export const aRate = "A rate";
export const atMostX = (bound: Part) => `At most ${bound}.`;
export const xIsANumberAboveY = (subject: Part, bound: Part) =>
  `${subject} is a number above ${bound}.`;
export const xIsYOrMore = (subject: Part, bound: Part) => `${subject} is ${bound} or more.`;
export const emptyIsOffTail = "; empty is off";
export const sourceX = (source: Part) => `Source: ${source}`;
export const yourBetX = (text: Part) => `Your bet: ${text}`;
export const thatIsRight = "That is right.";
export const itGotStuck = "It got stuck.";
export const itDiverged = "It diverged.";
export const youBetOnX = (say: Part) => `You bet on ${say}.`;
export const xNoAnswerFitsTheseRuns = (yours: Part) => `${yours} No answer fits these runs.`;
export const itWasX = (count: Part) => `It was ${count}.`;
export const xItWasY = (yours: Part, say: Part) => `${yours} It was ${say}.`;
export const newData = "New data";
export const weightsFromAFile = "Weights from a file";
export const newShapeNewWeights = "New shape, new weights";
export const newWeights = "New weights";
export const aNewLoss = "A new loss";
export const anotherOrderOfTheSamples = "Another order of the samples";
export const xYAgainAtStep0 = (what: Part, who: Part) => `${what}: ${who} again at step 0.`;
export const allSamples = "all samples";
export const rateX = (rate: Part) => `rate ${rate}`;
export const miniBatch = "Mini-batch";
export const batchXLabel = (batchSize: Part) => `Batch ${batchSize}`;
export const miniX = (batchSize: Part) => `Mini ${batchSize}`;
export const rateXLabel = (learningRate: Part) => `Rate ${learningRate}`;
export const miniBatchX = (number: Part) => `mini-batch ${number}`;
export const switchedOff = "off";
export const thenBetween = " then ";
export const fullBatch = "full batch";
export const batchOfX = (batch: Part) => `batch of ${batch}`;
export const minimizedTheLossOfTheLast =
  "Minimized: the loss of the last batch (half of the mean squared error) and the penalties";
export const minimizedX = (value: Part) => `minimized: ${value}`;
export const scheduleX = (word: Part) => `schedule ${word}`;
export const thenX = (word: Part) => `then ${word}`;
export const xYReinitializedZ = (layers: Part, list: Part, initializer: Part) =>
  `${layers} ${list} reinitialized, ${initializer}`;
export const layers = "layers";
export const layer = "layer";
export const rateXRightArrowY = (learningRate: Part, learningRate2: Part) =>
  `rate ${learningRate} → ${learningRate2}`;
export const xDivergedAtStepYThe = (label: Part, value: Part) =>
  `${label} diverged at step ${value}. The change counts after a reset, or in a fork from an earlier step.`;
export const xStoppedAtStepYThe = (label: Part, step: Part) =>
  `${label} stopped at step ${step}. The change counts when it continues.`;
export const waiting = "waiting";
export const itHasNotMadeAStep = "It has not made a step yet.";
export const learning = "learning";
export const itsTrainLossIsBelowThat =
  "Its train loss is below the loss of the best constant guess.";
export const overfitting = "overfitting";
export const itsTestLossIs20Above = "Its test loss is 20 % above its best, and rising.";
export const onItsWay = "on its way";
export const itIsNoBetterThanA = "It is no better than a constant guess yet, but its loss falls.";
export const flat = "flat";
export const itIsNoBetterThanASentence =
  "It is no better than a constant guess, and its loss does not fall.";
export const itsLossRestsWithMuchLeft =
  "It is better than a constant guess, but its loss rests with much left to learn.";
export const dead = "dead";
export const aHiddenLayerOutputs0For = "A hidden layer outputs 0 for every training sample.";
export const diverged = "diverged";
export const diverging = "diverging";
export const itsLossGrowsWithoutBound =
  "Its loss does not fall, and the Doctor expects it to grow without bound.";
export const itsNumbersGrewWithoutBoundSo = "Its numbers grew without bound, so it stopped.";
export const lastIsTheNewestEighth =
  "Last: the losses of the newest eighth of the steps. Before: of the eighth before that.";
export const noNews = "no news";
export const itPlaysOnButTheConnection = "It plays on, but the connection is cut.";
export const asOfStepXTail = (step: Part) => ` As of step ${step}.`;
export const layerXDead = (layer: Part) => `layer ${layer} dead`;
export const sinceStepXTail = (step: Part) => ` since step ${step}`;
export const xStartsAtY = (label: Part, start: Part) => `${label} starts at ${start}.`;
export const xStartedAtYAndDiverged = (label: Part, start: Part, value: Part) =>
  `${label} started at ${start} and diverged at step ${value}.`;
export const xStartedAtYZ = (label: Part, start: Part, value: Part) =>
  `${label} started at ${start}${value}.`;
export const lossByXY = (value: Part, list: Part) => `Loss by ${value}. ${list}`;
export const steps = "steps";
export const epochs = "epochs";
export const seconds = "seconds";
export const secondsOfComputing = "seconds of computing";
export const sumOfAbsoluteGradients = "Sum of absolute gradients";
export const l2NormOfTheGradient = "L2 norm of the gradient";
export const meanAbsoluteGradient = "Mean absolute gradient";
export const l2NormOfTheWholeGradient = "L2 norm of the whole gradient, and the rate";
export const exactly0InXTail = (list: Part) => ` Exactly 0 in ${list}.`;
export const ofEachLayerTail = " of each layer";
export const xYByZU = (measure: Part, where: Part, axis: Part, zero: Part) =>
  `${measure}${where} by ${axis}.${zero}`;
export const standardizedValues = "standardized values";
export const predictedAgainstTrueXOfY = (values: Part, split: Part, list: Part) =>
  `Predicted against true ${values} of ${split} samples, one square a run: ${list}.`;
export const xAtY = (label: Part, step: Part) => `${label} at ${step}`;
export const testR2 = "test R²";
export const trainR2 = "train R²";
export const testAccuracy = "test accuracy";
export const trainAccuracy = "train accuracy";
export const testLoss = "test loss";
export const trainLoss = "train loss";
export const never = "Never";
export const aLayerDies = "A layer dies";
export const theLossStalls = "The loss stalls";
export const oneOfSeveral = "One of several";
export const stopsAfterThisManyStepsWithout =
  "stops after this many steps without the train loss falling by 1 % of its minimum";
export const stopsAtTheFirstStepWith = (value: Part, bound: Part) =>
  `stops at the first step with ${value} ${bound} this`;
export const whenALayerDies = "when a layer dies";
export const whenTheLossStallsX = (word: Part) => `when the loss stalls${word}`;
export const forXTail = (count: Part) => ` for ${count}`;
export const belowX = (number: Part) => `below ${number}`;
export const whenXIsY = (value: Part, bound: Part) => `when ${value} is ${bound}`;
export const whenALayerIsDeadSince = (step: Part) => `when a layer is dead, since step ${step}`;
export const stopsX = (list: Part) => `stops ${list}`;
export const orBetween = " or ";
export const noStopCondition = "no stop condition";
export const step = "Step";
export const oneChangeOfAllWeightsAnd =
  "One change of all weights and biases. Step 0 is the start.";
export const samplesSeenLabel = "Samples seen";
export const theSumOfTheBatchSizes =
  "The sum of the batch sizes so far: how many gradients of single samples a run has paid for.";
export const formulaOfSamplesSeen = "samples_seen += m   # the batch size";
export const epoch = "Epoch";
export const epochWord = "epoch";
export const onePassOverTheTrainingSamples = "One pass over the training samples.";
export const learningRate = "Learning rate";
export const howFarAStepGoesAlong =
  "How far a step goes along the gradient. Too low is slow, too high overshoots.";
export const batch = "Batch";
export const howManySamplesAStepAverages =
  "How many samples a step averages its gradient over: all is GD, one is SGD.";
export const formulaOfBatch = "dW = G.mean(axis=0)   # rows of G: m samples";
export const meanSquaredErrorLabel = "Mean squared error";
export const howFarThePredictionsAreFrom =
  "How far the predictions are from y: the distances squared, then averaged.";
export const squaredForSmallErrorsStraightBeyond =
  "Squared for small errors, straight beyond delta: a sample far off pulls no harder than that.";
export const binaryCrossEntropyLabel = "Binary cross-entropy";
export const minusTheLogarithmOfTheProbability =
  "Minus the logarithm of the probability given to the true class, averaged.";
export const softmaxCrossEntropyLabel = "Softmax cross-entropy";
export const onTest = "On test";
export const theSameLossOverSamplesThat =
  "The same loss over samples that training never uses. If it rises alone, the run overfits.";
export const r2 = "R²";
export const theShareOfTheSpreadIn =
  "The share of the spread in y that the network explains. 1 is perfect, 0 is always saying the mean, below 0 is worse.";
export const accuracy = "Accuracy";
export const theShareOfSamplesWhoseClass = "The share of samples whose class is predicted right.";
export const itIsOfTheTestSamples = "It counts the test samples, where there are any.";
export const predictingTheMean = "Predicting the mean";
export const theLossOfAlwaysSayingThe =
  "The loss of always saying the mean of y. A run at this line has learnt nothing from its inputs.";
export const predictingTheMajority = "Predicting the majority";
export const theLossOfAlwaysGivingEach =
  "The loss of always giving each class its share. A run at this line has learnt nothing from its inputs.";
export const sizeOfTheGradient = "Size of the gradient";
export const allEntriesOfDwWithoutSigns = "All entries of dW, without signs, added.";
export const l2Norm = "L2 norm";
export const theLengthOfDwItsEntries =
  "The length of dW: its entries squared, added, and the root of that.";
export const meanDw = "Mean |dW|";
export const theMeanSizeOfAnEntry =
  "The mean size of an entry of dW, so that layers of different sizes compare.";
export const howMuchAStepChangesW = "How much a step changes W, beside the size of W.";
export const formulaOfUpdateOverWeight = "norm(change of W) / norm(W)";
export const wholeGradientRate = "Whole gradient, rate";
export const theLengthOfTheGradientOver =
  "The length of the gradient over all weights and biases, and the rate in force.";
export const exactlyZeroLabel = "Exactly 0";
export const notMerelySmallEveryEntryOf =
  "Not merely small: every entry of dW is 0, so plain steps leave W as it is.";
export const deadLabel = "Dead";
export const aReluUnitIsDeadIf =
  "A relu unit is dead if it outputs 0 for every training sample. No gradient reaches its weights.";
export const firstWeights = "First weights";
export const fromNInputsToKUnits = "n: inputs of the layer. k: its units.";
export const howTheWeightsAreDrawnBefore =
  "How the weights are drawn before step 0. Too small, and signals fade; too large, and they explode.";
export const heInit = "He init";
export const firstWeightsScaledByTheNumber =
  "First weights scaled by the number of inputs, made for relu.";
export const steepestBend = "Steepest bend";
export const howSharplyTheLossCurvesWhere =
  "How sharply the loss curves where it bends most. Above 2 / rate, steps overshoot.";
export const formulaOfSteepestBend = "np.linalg.eigvalsh(H).max()\n2 / lr   # limit of plain steps";
export const bendOfBatches = "Bend of batches";
export const howSharplyTheLossOfA =
  "How sharply the loss of a batch curves along its own gradient, averaged over the batches of a pass.";
export const stepLengthAlpha = "Step length α";
export const theEndOfAStepInIts =
  "The end of a step in its valley: 0 at the lowest point, 1 as high as before on the other side.";
export const formulaOfStepLength = "alpha = lr * h - 1   # on a parabola of curvature h";
export const noiseScale = "Noise scale";
export const howMuchSingleSamplesDisagreeWith =
  "How much single samples disagree with the whole gradient. Smaller batches have more noise than signal.";
export const formulaOfNoiseScale =
  "g = G.mean(axis=0)  # rows of G: samples\n((G - g)**2).sum() / (m - 1) / (g @ g)";
export const howTheLossCurvesAlongIts =
  "How the loss curves in each of its main directions. Below 0, it bends down. The trace is their sum.";
export const howWellABatchAgreesWith =
  "How well a batch agrees with all samples. 1: the same way, 0: at right angles, −1: the opposite way.";
export const howLargeTheMeanGradientOf =
  "How large the mean gradient of a layer is, beside the scatter of single samples.";
export const formulaOfSignalOverNoise =
  "g = G.mean(axis=0)  # rows of G: samples\n(g @ g) / (((G - g)**2).sum() / (m - 1))";
export const theErrorsOfThePredictionsRmse =
  "The errors of the predictions. RMSE is their usual size, MAE their mean size.";
export const precisionTheShareOfSamplesPredicted =
  "Precision: which share of the samples predicted as a class belongs to it. Recall: which share of the class is found.";
export const formulaOfScores =
  "precision = right / predicted\nrecall = right / in_class\nf1 = 2 / (1 / precision + 1 / recall)";
export const aucHowOftenASampleOf =
  "AUC: how often a sample of the class has a higher score than one of the others.";
export const aCalibratedNetworkThatIs80 =
  "A calibrated network that is 80 % sure is right 80 % of the time. The expected error is the mean gap.";
export const formulaOfExpectedError =
  "gap = np.abs(accuracy - confidence)  # by bin\nnp.average(gap, weights=count)";
export const eachDirectionIsScaledUnitBy =
  "Each direction is scaled, unit by unit, to the length of the weights: networks of other scales compare.";
export const outsideThisPlane = "Outside this plane";
export const howMuchOfAPathThis =
  "How much of a path this plane cannot show: its share of the squared distance from the start.";
export const whyNoFactor2 = "Why no factor 2?";
export const theLossShownIsTheMean =
  "The loss shown is the mean of the squares. Training descends half of it, so the 2 of the square and the half cancel:";
export const formulaOfHalf =
  "loss = mean((y - y_pred)**2)  # shown\nhalf = loss / 2               # descended\ndy_pred = (y_pred - y) / m";
export const withThe2TheSameRate = "With the 2, the same rate would take steps twice as long.";
export const seeItInNumpy = "See it in NumPy";
export const allWords = "All words";
export const readMore = "Read more";
export const seeAlso = "See also";
export const state = "State";
export const now = "Now";
export const meanDwWord = "mean |dW|";
export const updateOverWeightWord = "update ÷ weight";
export const wholeRate = "whole, rate";
export const logLinear = "y = log(Xβ + 20)";
export const linearData = "y = Xβ";
export const sumOfSines = "y = Σ sin x";
export const chebyshevWave = "Chebyshev wave";
export const xor = "XOR";
export const twoGaussians = "two Gaussians";
export const gaussianHills = "Gaussian hills";
export const yourOwnData = "your own data (CSV)";
export const he = "He";
export const heNormal = "He, normal";
export const heUniform = "He, uniform";
export const lecun = "LeCun";
export const pytorch = "PyTorch";
export const xavier = "Xavier";
export const xavierNormal = "Xavier, normal";
export const xavierUniform = "Xavier, uniform";
export const plain = "plain";
export const nesterov = "Nesterov";
export const adagrad = "Adagrad";
export const adadelta = "Adadelta";
export const rmsprop = "RMSProp";
export const rmspropMomentum = "RMSProp, momentum";
export const rmspropCenteredMomentum = "RMSProp, centered, momentum";
export const adam = "Adam";
export const adamw = "AdamW";
export const amsgrad = "AMSGrad";
export const adamax = "Adamax";
export const nadam = "Nadam";
export const radam = "RAdam";
export const lion = "Lion";
export const linearActivation = "linear";
export const lBFGS = "L-BFGS";
export const stepDecay = "step decay";
export const cosineWithRestarts = "cosine with restarts";
export const reduceOnPlateau = "reduce on plateau";
export const inverseTime = "1/t";
export const warmUp = "warm-up";
export const shuffled = "shuffled";
export const inOrder = "in order";
export const withReplacement = "with replacement";
export const nothing = "nothing";
export const inputsAndTargets = "inputs and targets";
export const batchWord = "batch";
export const beta1 = "beta 1";
export const beta2 = "beta 2";
export const l1 = "L1";
export const l2 = "L2";
export const inputs = "inputs";

// ---------- features/doctor

export const watchesEveryStepNothingToSay = "Watches every step. Nothing to say yet.";
export const asOfStepX = (step: Part) => `as of step ${step}`;
export const doctor = "Doctor";
export const xMore = (count: Part) => `${count} more`;
export const xEarlier = (count: Part) => `${count} earlier`;
export const stepXOfY = (to: Part, label: Part) => `step ${to} of ${label}`;
export const examinedUpToX = (places: Part) => `Examined up to ${places}.`;
export const itsChecksHaveTakenXMs = (number: Part) => `Its checks have taken ${number} ms so far.`;
export const itsChecksTookXOfThe = (number: Part, value: Part) =>
  `Its checks took ${number} % of the last ${value} s of training.`;
export const xHealthy = (healthy: Part) => `${healthy} healthy`;
export const showStepX = (step: Part) => `Show step ${step}`;
export const whatDidIt = "What did it";
export const whatCameOfIt = "What came of it";
export const showTheLineX = (code: Part) => `Show the line: ${code}`;
export const whyX = (title: Part) => `Why? ${title}`;
export const why = "Why?";
export const toXTail = (step: Part) => ` to ${step}`;
export const stepsXY = (step: Part, until: Part) => `Steps ${step}${until}.`;
export const thereAreAlreadyXRunsRemove = (count: Part) =>
  `There are already ${count} runs. Remove one to fork.`;
export const xAppliedToY = (label: Part, value: Part) => `${label}: applied to ${value}.`;
export const xNewRunY = (label: Part, value: Part) => `${label}: new run ${value}.`;
export const pressPlayToContinue = "Press play to continue.";
export const allReinitializedX = (word: Part) => `all reinitialized, ${word}`;
export const rewindXToY = (value: Part, step: Part) => `Rewind ${value} to ${step}`;
export const theDoctorHasNoRemedyNow = "The Doctor has no remedy now.";
export const close = "Close";
export const thisMakes = "This makes";
export const inForce = "In force";
export const leaveIt = "Leave it";
export const doesNotApply = "does not apply";
export const passed = "passed";
export const failed = "failed";
export const numpys = "NumPy's";
export const theX = (kernel: Part) => `the ${kernel}`;
export const xAtStepYByZ = (label: Part, step: Part, name: Part, passed: Part, count: Part) =>
  `${label} at step ${step}, by ${name} kernel: ${passed} of ${count} checks passed.`;
export const checking = "Checking…";
export const isThisGradientRight = "Is this gradient right?";

// ---------- features/exhibits

export const xChooseAnExhibit = (name: Part) => `${name}; choose an exhibit`;
export const exhibits = "Exhibits";
export const theExperimentBefore = "The experiment before";
export const asYouLeftIt = "As you left it.";
export const yourOwnExperiment = "Your own experiment";
export const sharedExperiment = "Shared experiment";
export const allXRunsStart = (count: Part) => `all ${count} runs start`;
export const xYAtStep0 = (title: string, who: string) =>
  title.endsWith("?") ? `${title} ${capital(who)} at step 0.` : `${title}: ${who} at step 0.`;

// ---------- features/fallline

export const measuringTheTerrain = "Measuring the terrain…";
export const theFallLineNeedsTheServer = "The fall line needs the server.";
export const start = "start";
export const xTimesCloser = (times: Part) => `${times} times closer`;
export const aroundXYTimesCloser = (value: Part, times: Part) =>
  `around ${value}, ${times} times closer`;
export const stepXIsOnItsWay = (value: Part) => `step ${value} is on its way`;
export const pointsOfStepX = (step: Part) => `points of step ${step}`;
export const xLeftTheView = (label: Part) => `${label} left the view`;
export const coarseXTimesYLosses = (columns: Part, rows: Part) =>
  `coarse: ${columns} × ${rows} losses`;
export const loss = "Loss";
export const both = "Both";
export const picture = "Picture";

// ---------- the data's own picture

export const fit = "Fit";
export const runOfTheMap = "Run of the map";
export const train = "train";
export const wrong = "wrong";
export const aLineEveryX = (value: Part) => `a line every ${value}`;
export const onTestTail = " on test";
export const xOfYRight = (share: Part, split: Part) => `${share} of ${split} right`;
export const xOffTheAxis = (label: Part) => `${label}: off the axis`;
export const xColonY = (label: Part, words: Part) => `${label}: ${words}.`;
export const xTrainingAndYTestSamples = (train: Part, test: Part) =>
  `${train} training and ${test} test samples`;
export const fitAtStepXY = (step: Part, samples: Part) => `Fit at step ${step}, ${samples}.`;
export const mapAtStepXYZ = (step: Part, label: Part, result: Part) =>
  `Map at step ${step}, ${label}: ${result}.`;
export const mapOfXNoPredictions = (label: Part) => `Map of ${label}: no predictions yet.`;
export const predictedClass = "predicted class";
export const predictedValue = "predicted value";
export const xOverY = (what: Part, inputs: Part) => `${what} over ${inputs}`;

// ---------- features/figures

export const logLoss = "log loss";
export const linearLoss = "linear loss";
export const logSteps = "log steps";
export const overXTail = (count: Part) => ` over ${count}`;
export const atXTail = (place: Part) => `, at ${place}`;
export const axes = "Axes";
export const axesYKey = (list: Part) => `${list} (Y)`;
export const across = "Across";
export const up = "Up";
export const compareAtEqual = "Compare at equal";
export const xWithLossY = (label: Part, loss: Part) => `${label} ${loss}`;
export const afterXEach = (samples: Part, losses: Part) => `After ${samples} each: ${losses}`;
export const afterXEachLowest = (samples: Part, lowest: Part) =>
  `After ${samples} each, lowest: ${lowest}`;
export const compareAtEqualSamples = "Compare at equal samples";
export const runsStandAtOtherSteps =
  "The runs stand at other steps: show their losses at equal samples, and play so";
export const lines = "Lines";
export const testDashed = "test, dashed";
export const bandMinToMax = "band, min to max";
export const stepsShown = "Steps shown";
export const all = "all";
export const whereLossesFall = "where losses fall";
export const gradients = "Gradients";
export const instruments = "Instruments";
export const perLayer = "per layer";
export const runMeasured = "Run measured";
export const xChooseWhatIsBelowThe = (text: Part) => `${text}, choose what is below the loss`;
export const layerOverTime = "Layer over time";
export const layerBefore = "Layer before";
export const layerAfter = "Layer after";
export const belowTheLoss = "Below the loss";
export const gradientPerLayer = "Gradient per layer";
export const gradientPerLayerNotDrawnYet = "Gradient per layer, not drawn yet";
export const notMeasuredYet = "Not measured yet";
export const xToY = (least: Part, most: Part) => `${least} to ${most}`;
export const trainLossOfEveryRunEdits =
  "Train loss of every run, edits and findings. Two numbers are the minimum and maximum of nearby steps.";
export const lossByStep = "Loss by step";

// ---------- features/inspector

export const batchOfXMYZ = (which: Part, size: Part, more: Part) =>
  `batch: ${which}, m = ${size}${more}`;
export const theOnlyGradientLeft = "the only gradient left";
export const all0 = "all 0";
export const whatFollows = "What follows";
export const stepXBeginsWithThisY = (value: Part, name: Part) =>
  `step ${value} begins with this ${name}`;
export const nothingDependsOnThisLine = "nothing depends on this line";
export const theLine = "The line";
export const lineByLineI = "Line by line (I)";
export const lineByLine = "Line by line";
export const xStepYZ = (label: Part, step: Part, code: Part) => `${label}, step ${step}: ${code} `;
export const lineByLineXY = (who: Part, words: Part) => `Line by line (I). ${who}${words}`;
export const forward = "Forward";
export const backward = "Backward";
export const update = "Update";
export const notFinite = "not finite";
export const exactly0InAllX = (size: Part) => `exactly 0 in all ${size}`;
export const xOfYExactly0 = (zeros: Part, size: Part) => `${zeros} of ${size} exactly 0`;
export const theFirstLineThatIsNot = "the first line that is not finite";
export const hereEverythingBecameExactly0 = "here everything became exactly 0";
export const oneStepInNumpyXLines = (count: Part) => `One step in NumPy, ${count} lines`;
export const theOneEntryOfX = (name: Part) => `The one entry of ${name}`;
export const allXEntriesOfYZ = (size: Part, name: Part, value: Part) =>
  `All ${size} entries of ${name}${value}`;
export const is = "is";
export const are = "are";
export const negative = "negative";
export const negativeOr0 = "negative or 0";
export const xIsNotFiniteAlreadyAnd = (from: Part, name: Part, oddCounts: Part) =>
  `${from} is not finite already, and so is ${name}: ${oddCounts}.`;
export const thisIsTheFirstLineThat = "This is the first line that is not finite";
export const xIsNotFinite = (name: Part) => `${name} is not finite`;
export const xYOfZNumbersHave = (first: Part, oddCounts: Part, size: Part) =>
  `${first}: ${oddCounts} of ${size}. Numbers have become too large for a float.`;
export const xYReluReturnsExactly0 = (all: Part, below: Part) =>
  `${all} ${below}: relu returns exactly 0, and no gradient passes.`;
export const xYPositiveReluPassesAll = (all: Part, word: Part) =>
  `${all} ${word} positive: relu passes all of them unchanged.`;
export const reluPassesXOfYEntries = (positive: Part, size: Part, name: Part) =>
  `relu passes ${positive} of ${size} entries of ${name} and sets the others to 0.`;
export const tanhSqueezesEveryEntryToBetween =
  "tanh squeezes every entry to between −1 and 1; near either end hardly any gradient comes back.";
export const softplus0FarBelow0Unchanged =
  "softplus: 0 far below 0, unchanged far above, smooth between.";
export const geluEachEntryTimesTheProbability =
  "gelu: each entry times the probability that a standard normal number lies below it.";
export const eluPositiveEntriesStayAsThey =
  "elu: positive entries stay as they are, negative ones level off at −1.";
export const leakyReluPassesPositiveEntriesAnd =
  "leaky relu passes positive entries, and a hundredth of negative ones: no unit dies.";
export const sigmoidSqueezesEveryEntryToBetween =
  "sigmoid squeezes every entry to between 0 and 1; near either end hardly any gradient comes back.";
export const theLayerIsLinearXIs = (name: Part, z: Part) =>
  `The layer is linear: ${name} is ${z}, as it is.`;
export const logitsAbove0SpeaksForClass = "Logits: above 0 speaks for class 1, below for class 0.";
export const aLogitOfXYAnd = (here: Part, word: Part, there: Part) =>
  `A logit of ${here}: ${word}, and y is ${there}.`;
export const above0SpeaksForClass1 = "above 0 speaks for class 1";
export const below0SpeaksForClass0 = "below 0 speaks for class 0";
export const onAverageTheNetworkPredictsX = (here: Part, there: Part) =>
  `On average the network predicts ${here}, and y is ${there}`;
export const theNetworkPredictsXAndY = (here: Part, there: Part) =>
  `The network predicts ${here}, and y is ${there}`;
export const xYTooZ = (sentence: Part, abs: Part, word: Part) => `${sentence}: ${abs} too ${word}.`;
export const high = "high";
export const low = "low";
export const xIsExactly0SoY = (zero: Part, name: Part, bias: Part, where: Part) =>
  `${zero} is exactly 0, so ${name} is ${bias}${where}, for any inputs.`;
export const forEverySampleTail = " for every sample";
export const eachUnitWeighsItsInputsAnd = "Each unit weighs its inputs and adds its bias.";
export const noEntryOfXIsAbove = (z: Part, z2: Part, name: Part) =>
  `No entry of ${z} is above 0, so (${z2} > 0) is 0 everywhere: ${name} is exactly 0, and with it every gradient behind.`;
export const theGradientPassesWhereXIs = (z: Part, value: Part, size: Part) =>
  `The gradient passes where ${z} is above 0: at ${value} of ${size} entries.`;
export const theLayerIsLinearSoX = (name: Part, expression: Part) =>
  `The layer is linear, so ${name} is ${expression}.`;
export const theGradientTimesTheSlopeOf =
  "The gradient, times the slope of the activation at each entry.";
export const atRowXColumnYTail = (row: Part, column: Part) => ` at row ${row}, column ${column}`;
export const xOfItsYEntriesZTail = (zeros: Part, size: Part, word: Part) =>
  ` ${zeros} of its ${size} entries ${word} exactly 0.`;
export const theSteepestSlopeInXIs = (slice: Part, value: Part, where: Part, zeros: Part) =>
  `The steepest slope in ${slice} is ${value}${where}.${zeros}`;
export const dXIsExactly0So = (name: Part, name2: Part) =>
  `d${name} is exactly 0, so ${name2} stays as it is.`;
export const theChangeIsTooSmallFor = (name: Part) =>
  `The change is too small for a float: ${name} stays as it is.`;
export const dXIsExactly0What = (name: Part, name2: Part) =>
  `d${name} is exactly 0; what moves ${name2} is not its gradient. `;
export const xTheLargestChangeIsY = (
  only: Part,
  value: Part,
  where: Part,
  before: Part,
  after: Part,
) => `${only}The largest change is ${value}${where}: ${before} becomes ${after}.`;
export const xIsExactly0SoItTail = (zero: Part) => ` ${zero} is exactly 0, so it only decays.`;
export const theEarlierChangesTimesXPlus = (factor: Part, share: Part, over: Part, added: Part) =>
  `The earlier changes times ${factor}, plus ${share}this gradient${over}.${added}`;
export const aShareOf = "a share of ";
export const overItsUsualSizeTail = " over its usual size";
export const aRunningMeanOfTheGradient = (value: Part, added: Part) =>
  `A running mean of the gradient, of about the last ${value} changes.${added}`;
export const aRunningMeanOfTheSquared = (added: Part) =>
  `A running mean of the squared change, before the rate.${added}`;
export const theLargestSizeOfTheGradient = (added: Part) =>
  `The largest size of the gradient, entry by entry; an old one fades.${added}`;
export const theLargestMeanOfTheSquared =
  "The largest mean of the squared gradient so far, entry by entry.";
export const aRunningMeanOfTheSquaredGradientEntry = (added: Part) =>
  `A running mean of the squared gradient, entry by entry.${added}`;
export const theGradientIsLongerThanClip = (share: Part) =>
  `The gradient is longer than clip_norm allows: it is shortened to ${share}.`;
export const theGradientIsWithinClipNorm = (number: Part) =>
  `The gradient is within clip_norm (${number}): it stays as it is.`;
export const theLossOfXY = (word: Part, value: Part) => `The loss of ${word}: ${value}.`;
export const thisOneSample = "this one sample";
export const theseXSamplesOnAverage = (m: Part) => `these ${m} samples, on average`;
export const theValueThatTrainingMinimizesThe =
  "The value that training minimizes: the loss and the penalties on the weights.";
export const theLossFallsWhenThePrediction = (word: Part) =>
  `The loss falls when the prediction ${word}.`;
export const rises = "rises";
export const sinks = "sinks";
export const eachPredictionsShareOfTheSlope = (negative: Part, size: Part) =>
  `Each prediction's share of the slope: ${negative} of ${size} should rise, the others sink.`;
export const howTheLossChangesWithEach = (slice: Part) =>
  `How the loss changes with each output of layer ${slice}.`;
export const oneSampleXIsDY = (name: Part, name2: Part) =>
  `One sample: ${name} is d${name2} itself.`;
export const dXSummedOverTheY = (name: Part, m: Part) => `d${name}, summed over the ${m} samples.`;
export const theGradientTimesTheUsualSize =
  "The gradient, times the usual size of a change, over the usual size of a gradient.";
export const theGradientAndItsMeanWeighed =
  "The gradient and its mean, weighed as if this step's momentum had already been applied.";
export const theFactorOfEachEntryThe =
  "The factor of each entry: the rectifier over its usual size.";
export const all1TheMeanOfSquares =
  "All 1: the mean of squares is still too short to divide by it.";
export const allParametersInOneRowThe =
  "All parameters in one row; the last line of it is the result of the step.";
export const theWholeGradientInOneRow = "The whole gradient in one row.";
export const howTheGradientHasChangedSince = "How the gradient has changed since the last step.";
export const theCurvatureAlongTheLastChange = (number: Part, word: Part) =>
  `The curvature along the last change, times its squared length: ${number}. ${word}`;
export const itIsPositiveSoThePair = "It is positive, so the pair is kept.";
export const itIsNotPositiveSoThe = "It is not positive, so the pair is left out.";
export const theLastChangesOfTheParameters =
  "The last changes of the parameters, the newest below; a row of 0 is none.";
export const theChangesOfTheGradientThat = "The changes of the gradient that came with them.";
export const theChangesThatTheEstimateUses = "The changes that the estimate uses.";
export const theChangesOfTheGradientThatSentence =
  "The changes of the gradient that the estimate uses.";
export const innerProductsOfChangesWithThe =
  "Inner products of changes with the gradient's changes since.";
export const theCurvaturesAlongTheChangesOn = "The curvatures along the changes, on the diagonal.";
export const theInverseOfTheProductsA = "The inverse of the products; a missing pair counts as 1.";
export const theInverseCurvatureOfTheNewest = (number: Part) =>
  `The inverse curvature of the newest pair: ${number}; for all directions that no pair knows.`;
export const howMuchOfTheGradientEach = "How much of the gradient each pair explains.";
export const thePartThatNoPairExplains = "The part that no pair explains, scaled.";
export const newtonsDirectionTheGradientTimesThe =
  "Newton's direction: the gradient times the estimated inverse Hessian.";
export const stepNotShortened = "1: the step is not shortened.";
export const theFirstStepKnowsNoCurvature = (number: Part) =>
  `The first step knows no curvature, so it is shortened: ${number}.`;
export const theChangeOfAllParameters = "The change of all parameters.";
export const theGradientKeptForTheNext = "The gradient, kept for the next step.";
export const theRateOfLayerXY = (slice: Part, number: Part) =>
  `The rate of layer ${slice}: ${number}.`;
export const theMomentumOfThisStepX = (number: Part) => `The momentum of this step: ${number}.`;
export const theMomentumOfTheNextStep = (number: Part) =>
  `The momentum of the next step: ${number}.`;
export const n1MinusTheProductOfAll = (number: Part) =>
  `1 minus the product of all momentums so far: ${number}. It corrects the start from 0.`;
export const theNumberOfSamplesThatThe = (number: Part) =>
  `The number of samples that the mean of squares has in the end: ${number}.`;
export const theNumberOfSamplesInThe = (number: Part, word: Part) =>
  `The number of samples in the mean of squares so far: ${number}. ${word}`;
export const moreThan5ThisStepIs = "More than 5: this step is divided by its root.";
export const atMost5ThisStepIs = "At most 5: this step is not divided by its root.";
export const howReliableTheMeanOfSquares =
  "How reliable the mean of squares is: 1 at its longest length. It needs a length above 5.";
export const shortensDividedStepsWhileTheMean = (number: Part) =>
  `Shortens divided steps while the mean of squares is young: ${number}.`;
export const howLongTheGradientIsOver = "How long the gradient is, over all weights and biases.";
export const changesMadeByThisOptimizerX = (number: Part) =>
  `Changes made by this optimizer: ${number}.`;
export const theRateOfEveryEntry = "The rate of every entry.";
export const theScheduleMultipliesTheRateBy = (number: Part, number2: Part) =>
  `The schedule multiplies the rate by ${number}: ${number2}.`;
export const howFarEachPredictionIsOff = (negative: Part, size: Part) =>
  `How far each prediction is off: ${negative} of ${size} are too low.`;
export const errorsBeyondDeltaAreCutTo = (number: Part) =>
  `Errors beyond delta (${number}) are cut to it: one that is far off pulls no harder than that.`;
export const exponentialsSoftmaxTakesEachOnes =
  "Exponentials: softmax takes each one's share of its row.";
export const oneInColumnOfClass = "1 in the column of a sample's class, 0 elsewhere.";
export const minusTheLargestLogitOfEach =
  "Minus the largest logit of each row, so that no exponential overflows.";
export const softmaxThePredictedProbabilityOfEach =
  "Softmax: the predicted probability of each class; a row adds up to 1.";
export const signOfClass = "1 for class 0, −1 for class 1.";
export const above0WhereTheLogitIs = (value: Part, size: Part) =>
  `Above 0 where the logit is on the wrong side: at ${value} of ${size}.`;
export const xIsExactly0SoYSentence = (zero: Part, name: Part) =>
  `${zero} is exactly 0, so ${name} is too.`;
export const xYExactly0 = (all: Part, word: Part) => `${all} ${word} exactly 0.`;
export const anEditReinitializesThisLayerAt = (name: Part, word: Part) =>
  `An edit reinitializes this layer at the end of the step: ${name} starts ${word}.`;
export const withNewNumbers = "with new numbers";
export const at0 = "at 0";
export const theGradientOfXClippedTo = (slice: Part) =>
  `The gradient of ${slice}, clipped to its bounds.`;
export const xForTests = (testSamples: Part) => ` (${testSamples} for tests)`;
export const sampleXOfYZ = (row: Part, of: Part, tests: Part) => `sample ${row} of ${of}${tests}`;
export const allXSamples = (samples: Part) => `all ${samples} samples`;
export const xOfYSamplesZ = (count: Part, samples: Part, word: Part) =>
  `${count} of ${samples} samples${word}`;
export const someRepeatedTail = ", some repeated";
export const stoppedTheNextStepIsNot =
  "stopped: the next step is not finite, or its loss is above a million times the first";
export const dXIsExactly0Y = (name: Part, word: Part) => `d${name} is exactly 0${word}`;
export const soXStaysAsItIsTail = (name: Part) => `, so ${name} stays as it is`;
export const oneStepLineByLineIn = "One step, line by line, in NumPy.";
export const changesXByY = (word: Part, value: Part) => `changes ${word}by ${value} %`;
export const sampleX = (name: Part) => `sample ${name}`;
export const xMoreRows = (moreRows: Part) => `${moreRows} more rows`;
export const byBetween = " by ";
export const onTheWayBack = "on the way back";
export const onTheWayThere = "on the way there";
export const itsGradient = "its gradient";
export const rowXSampleY = (last: Part, value: Part) => `row ${last}: sample ${value}`;
export const rowsXToY = (value: Part, last: Part) => `rows ${value} to ${last}`;
export const stepWord = "step";
export const ofStepX = (count: Part) => `of ${count}`;
export const copyAsNumpy = "Copy as NumPy";
export const closeI = "Close (I)";
export const runInspected = "Run inspected";
export const oneStepBack = "One step back (left arrow)";
export const oneStepOn = "One step on (right arrow)";
export const theChangeFromStepXTo = (step: Part, value: Part) =>
  `The change from step ${step} to step ${value}`;
export const sampleBySample = "Sample by sample";
export const samplesBefore = "Samples before";
export const samplesAfter = "Samples after";
export const theBrowserBlocksCopying = "The browser blocks copying.";
export const copied = "Copied.";

// ---------- features/network

export const logit = "logit";
export const logits = "logits";
export const outputsOfXY = (count: number, activation: Part) =>
  `${integer(count)} ${activation} ${count === 1 ? "output" : "outputs"}`;
export const unitsXWeightsY = (units: Part, weights: Part) =>
  `units: ${units}; weights: ${weights}`;
export const greenW0VioletW0 =
  "Green: w > 0. Violet, dashed: w < 0. Width: |w|. Fill: mean activation.";
export const network = "Network";
export const runShown = "Run shown";
export const layerX = (place: Part) => `layer ${place}`;
export const xUnits = (units: Part) => `${units} units`;
export const xAlive = (units: Part) => `${units} alive`;
export const xDead = (dead: Part) => `${dead} dead`;
export const xOfYDead = (dead: Part, units: Part) => `${dead} of ${units} dead`;
export const xYWithZDead = (units: Part, activation: Part, value: Part, since: Part) =>
  `${units} ${activation} (${value} dead${since})`;
export const networkOfRunXY = (label: Part, count: Part) => `Network of run ${label}: ${count}`;
export const layerXY = (value: Part, activation: Part) => `layer ${value}, ${activation}`;
export const outputX = (last: Part) => `output, ${last}`;
export const layersOfRunX = (label: Part) => `Layers of run ${label}`;
export const layerLabel = "Layer";
export const units = "Units";
export const largestWeight = "Largest weight";

// ---------- features/questions

export const yourBet = "Your bet";
export const pressPlay = "Press play.";
export const betThenPressPlay = "Bet, then press play.";
export const theOwnerPressesPlay = "The owner presses play.";
export const betBeforeTheOwnerPlays = "Bet before the owner plays.";
export const yourNumber = "Your number";
export const youChangedTheRecipeSoThe =
  "You changed the recipe, so the exhibit's story does not apply. Your bet was checked against your runs.";
export const whatHappened = "What happened";
export const nextExhibit = "Next exhibit";
export const stepXLabel = (step: Part) => `Step ${step}`;
export const whatHappenedX = (count: Part) => `What happened: ${count}.`;

// ---------- features/recipe

export const inputWord = "input";
export const rowsWord = "rows";
export const columnsWord = "columns";
export const classesWord = "classes";
export const starting = "Starting…";
export const aNumber = "A number (regression)";
export const classes = "Classes (classification)";
export const theTableInUse = "The table in use";
export const readingX = (name: Part) => `Reading ${name}…`;
export const yourOwnDataLabel = "Your own data";
export const dropACSVFileHereOr = "Drop a CSV file here, or";
export const chooseAFile = "Choose a file";
export const oneRowASampleInputColumns =
  "One row a sample: input columns and one target column. The first row may hold their names. Commas, semicolons or tabs.";
export const targetColumn = "Target column";
export const predictItAs = "Predict it as";
export const useThisData = "Use this data";
export const anotherFile = "Another file";
export const predictNumbers = "Predict numbers";
export const predictClasses = "Predict classes";
export const trainingSamples = "training samples";
export const testSamplesNotTrainedOn = "test samples, not trained on";
export const standardDeviationOfTheAddedNoise = "standard deviation of the added noise";
export const aWholeNumberXOrMore = (least: Part) => `A whole number, ${least} or more.`;
export const atMostXSamplesTogether = (most: Part) => `At most ${most} samples together.`;
export const notInstalledTail = ", not installed";
export const yourOwn = "Your own";
export const yourOwnTableOneTargetColumn =
  "Your own table: one target column, the others are inputs.";
export const xClasses = (count: Part) => `${count} classes`;
export const regression = "regression";
export const data = "Data";
export const dataSet = "Data set";
export const dataSeed = "Data seed";
export const changeTheTargetOrTheFile = "Change the target or the file";
export const change = "Change";
export const valuesScaledToMean0And =
  "values scaled to mean 0 and standard deviation 1 over the training samples; losses are in these units";
export const xStandardized = (word: Part) => `${word} standardized`;
export const settingsOfTheData = "settings of the data";
export const standardize = "Standardize";
export const unitsWord = "units";
export const n1ToXUnits = (most: Part) => `1 to ${most} units.`;
export const oneUnitLess = "One unit less";
export const oneUnitMore = "One unit more";
export const hiddenLayerXYZEdit = (value: Part, units: Part, word: Part) =>
  `Hidden layer ${value}: ${units} ${word}. Edit`;
export const addAHiddenLayer = "Add a hidden layer";
export const hiddenLayerX = (value: Part) => `Hidden layer ${value}`;
export const activation = "Activation";
export const useXInAllLayers = (activation: Part) => `Use ${activation} in all layers`;
export const removeThisLayer = "Remove this layer";
export const fromAFile = "From a file";
export const weightsAndBiasesFromAFile =
  "Weights and biases from a file. Any other choice initializes new ones.";
export const layersLabel = "Layers";
export const initialWeights = "Initial weights";
export const weightSeed = "Weight seed";
export const weightX = (words: Part) => `weight ${words}`;
export const biasesX = (word: Part) => `biases ${word}`;
export const biasX = (words: Part) => `bias ${words}`;
export const outputActivation = (activation: Part) => `output ${activation}`;
export const settingsOfTheNetwork = "settings of the network";
export const initialBiases = "Initial biases";
export const weight = "weight ";
export const bias = "bias ";
export const output = "Output";
export const activationOfTheOutput = "Activation of the output";
export const xMib = (number: Part) => `${number} MiB`;
export const atMostXYAndZ = (size: Part, count: Part, count2: Part) =>
  `At most ${size}, ${count} and ${count2}, as text in UTF-8. It stays on this server.`;
export const moreThanX = (size: Part) => `more than ${size}`;
export const theFileHasXTheLimit = (has: Part, size: Part) =>
  `The file has ${has}; the limit is ${size}.`;
export const tooManyXYTheLimit = (what: Part, count: Part, limit: Part) =>
  `Too many ${what}: ${count}; the limit is ${limit}.`;
export const theFileIsTooLarge = "The file is too large.";
export const xWithYValues = (name: Part, distinct: Part) => `${name} (${distinct} values)`;
export const inputsX = (list: Part) => `Inputs: ${list}.`;
export const notUsedX = (list: Part) => `Not used: ${list}.`;
export const xCanBeUsed = (count: Part) => `${count} can be used`;
export const lineXY = (line: Part, reason: Part) => `Line ${line}: ${reason}`;
export const xYLeftOut = (count: Part, word: Part) => `${count} ${word} left out`;
export const andXMore = (more: Part) => `and ${more} more`;
export const asClasses = "as classes";
export const asANumber = "as a number";
export const recipe = "Recipe";
export const closeTheRecipe = "Close the recipe";
export const addARun = "Add a run";
export const settingsX = (name: Part) => `Settings: ${name}`;
export const backToTheRecipeEsc = "Back to the recipe (Esc)";
export const explainEverySetting = "Explain every setting";
export const xToTrain = (count: Part) => `${count} to train`;
export const xLayersOfY = (count: Part, value: Part) => `${count} layers of ${value}`;
export const weightsFromAFileWord = "weights from a file";
export const xWeights = (word: Part) => `${word} weights`;
export const toLearn = "to learn";
export const notUsed = "not used";
export const theFirstRows = "The first rows";
export const theFirstXRowsThatCan = (count: Part) => `The first ${count} rows that can be used`;

// ---------- features/runs

export const samplesPerStepOfX = (label: Part) => `Samples per step of ${label}`;
export const runX = (label: Part) => `Run ${label}`;
export const settingsOfX = (label: Part) => `Settings of ${label}`;
export const runXWord = (name: Part) => `run ${name}`;
export const learningRateWord = "learning rate";
export const batchSize = "batch size";
export const xOfRunY = (setting: Part, label: Part) => `${setting} of ${label}`;
export const oneInOrder = "1, in the order of the data";
export const oneAtRandom = "1, drawn at random";
export const xYSample = (trainSamples: Part, word: Part) => `${trainSamples}, ${word} sample`;
export const theOnly = "the only";
export const everyWord = "every";
export const rule = "Rule";
export const howAPassTakesTheTraining =
  "how a pass takes the training samples; a full batch uses all at once";
export const settingsOfXWord = (label: Part) => `settings of ${label}`;
export const order = "Order";
export const samplesPerStepAllAFew = "Samples per step: all, a few, or one.";
export const sourceCauchy1847RobbinsAndMonro = "Source: Cauchy 1847; Robbins and Monro 1951.";
export const aStep = "a step";
export const hideXInTheCharts = (label: Part) => `Hide ${label} in the charts`;
export const hide = "Hide";
export const rename = "Rename";
export const forkHere = "Fork here";
export const oneEpochShort = "1 epoch";
export const remove = "Remove";
export const newNameOfX = (before: Part) => `New name of ${before}`;
export const updateRule = "Update rule";
export const xLeastY = (most: Part, least: Part) => `${most} (least ${least})`;
export const lastKnownStepX = (where: Part) => `Last known: step ${where}`;
export const lastKnownStepsX = (range: Part) => `Last known: steps\u00a0${range}`;
export const asOfStepXLabel = (where: Part) => `As of step ${where}`;
export const beforeTheFirstStep = "Before the first step";
export const xToYBrief = (least: Part, most: Part) => `${least}–${most}`;
export const stepsX = (range: Part) => `Steps ${range}`;
export const atStepsX = (range: Part) => `At steps ${range}`;
export const asOfStepsX = (range: Part) => `As of steps ${range}`;
export const atStepX = (where: Part) => `At step ${where}`;
export const allRunsX = (words: Part) => `All runs. ${words}`;
export const methodTail = ", method";
export const xSeenEpochY = (count: Part, epochs: Part) => `${count} seen, epoch ${epochs}`;
export const none = "None";
export const scheduleOfTheRate = "Schedule of the rate";
export const scheduleOfX = (label: Part) => `Schedule of ${label}`;
export const nextSchedule = "Next schedule";
export const nextScheduleOfX = (label: Part) => `Next schedule of ${label}`;
export const theRunStopsAtTheFirst =
  "the run stops at the first step that meets this; the others continue";
export const xOfTheStopOfY = (word: Part, label: Part) => `${word} of the stop of ${label}`;
export const stopWhen = "Stop when";
export const stopXWhen = (label: Part) => `Stop ${label} when`;

// ---------- features/sharing

export const thePictureCouldNotBeMade = "The picture could not be made.";
export const files = "Files";
export const runsToExport = "Runs to export";
export const chartsAsShown = "Charts as shown";
export const openAgain = "Open again";
export const aRecipeOrInitialParameters = "A recipe, or initial parameters.";
export const openAFile = "Open a file…";
export const predictedAndTrue = "Predicted and true";
export const allXRuns = (count: Part) => `All ${count} runs`;
export const bothRunsLabel = "Both runs";
export const theRun = "The run";
export const gradient = "Gradient";
export const thisLinksDataIsNotOn = "This link's data is not on this server.";
export const itUsesTheSharersOwnTable =
  "It uses the sharer's own table, which a link cannot contain. Ask for the CSV file and drop it under Data. Your experiment is unchanged.";
export const thisLinksInitialWeightsAreNot = "This link's initial weights are not on this server.";
export const itUsesTheSharersOwnParameters =
  "It uses the sharer's own parameters, which a link cannot contain. Ask for the .npz file and open it under Files. Your experiment is unchanged.";
export const itsStepsAreReplayedUpToTail = (furthest: Part) =>
  ` Its steps are replayed, up to ${furthest}.`;
export const openedFromALinkXY = (until: Part, word: Part) => `Opened from a link.${until}${word}`;
export const itShowsStepXTail = (look: Part) => ` It shows step ${look}.`;
export const itIsLargerThanAnyExperiment =
  "It is larger than any experiment. Your experiment is unchanged.";
export const thisLinkCannotBeOpened = "This link cannot be opened.";
export const itIsIncompleteOrChangedCopy =
  "It is incomplete or changed. Copy the whole link again. Your experiment is unchanged.";
export const aNewerFalllineMadeItOpen =
  "A newer fallline made it. Open it there, or update this one. Your experiment is unchanged.";
export const xIsNeitherARecipeNor = (name: Part) => `${name} is neither a recipe nor parameters.`;
export const openAJsonRecipeOrNpz =
  "Open a .json recipe or .npz parameters from Files. Drop a CSV file on Data.";
export const xHoldsNoRecipe = (name: Part) => `${name} holds no recipe.`;
export const aRecipeIsAJSONObject = "A recipe is a JSON object, like recipe.json under Files.";
export const openedFromXAtStep0 = (name: Part) =>
  `Opened from ${name}, at step 0. Press play to train it with its edits.`;
export const shareS = "Share (S)";
export const share = "Share";
export const thereIsNoQRCodeX = (title: Part) => `There is no QR code: ${title}`;
export const theBrowserBlocksCopyingTheLink =
  "The browser blocks copying. The link is selected: copy it yourself.";
export const copy = "Copy";
export const theLinkAsAQRCode = "The link as a QR code";
export const linkTo = "Link to";
export const code = "Code";
export const link = "Link";
export const backToTheExperimentBeforeThe = "Back to the experiment before the link";
export const opensACopyWithAllEdits = (shownStep: Part) =>
  `Opens a copy with all edits, replayed to the same steps, at step ${shownStep}. Same numbers.`;
export const opensACopyWithAllEditsSentence = "Opens a copy with all edits, at step 0.";
export const opensThisExperimentLiveAndRead = "Opens this experiment live and read-only.";
export const showsTheChartsLiveInAnother =
  "Shows the charts live in another page, read-only. FALLLINE_FRAME_ANCESTORS must name that page's origin.";
export const theRecipe = "The recipe";
export const toWatchLive = "To watch live";
export const embed = "Embed";
export const noChartX = (names: string) => `There is no chart "${names}".`;
export const theChartsAreX = (names: string) => `The names are ${names}.`;
export const theDataIsYourOwnTable =
  "The data is your own table, which a link cannot contain. The link opens on this server only, while it stores the table. Send the CSV file too.";
export const theInitialWeightsAreYourOwn =
  "The initial weights are your own file, which a link cannot contain. The link opens on this server only, while it stores the file. Send the .npz file too.";
/** It stays on one line, and can be copied to a command line. */
export const hostOption = "--host 0.0.0.0";
export const onlyThisComputerCanOpenIt = `Only this computer can open it. To let others in, start the server with ${hostOption}. In a container, open this page at the address of its host.`;
export const elsewhereAppendThePartFrom =
  "Elsewhere, append the part from # to another fallline's address.";
export const thisRecipeHasTooManyEdits =
  "This recipe has too many edits for a link. Send recipe.json instead.";
export const thisLinkHasXAQR = (count: Part, most: Part) =>
  `This link has ${count}; a QR code holds ${most}. Copy the link instead.`;
export const backToMine = "Back to mine";
export const youAreWatching = "You are watching.";
export const onlyTheOwnerCanChangeIt = "Only the owner can change it.";
export const makeItMineACopy = "Make it mine: a copy";

// ---------- features/transport

export const markerXTail = (markers: Part) => `, marker: ${markers}`;
export const xYZKeptTail = (whose: Part, count: Part, word: Part) =>
  ` ${whose} ${count} ${word} kept.`;
export const xIsRemovedY = (label: Part, kept: Part) => `${label} is removed.${kept}`;
export const its = "Its";
export const xAtStep0Y = (word: Part, kept: Part) => `${word} at step 0.${kept}`;
export const xIsBack = (label: Part) => `${label} is back`;
export const back = "Back";
export const the = "The";
export const startsANewRunFromX = (label: Part, step: Part, word: Part) =>
  `Starts a new run from ${label} at step ${step}${word}. The original stays.`;
export const withXTail = (changes: Part) => `, with ${changes}`;
export const continueHere = "Continue here";
export const backToLive = "Back to live";
export const continueFromStepX = (step: Part) => `Continue from step ${step}?`;
export const goToX = (list: Part) => `Go to ${list}`;
export const overviewOfXSteps = (end: Part) => `Overview of ${end} steps`;
export const pressLookAtThatStepDrag =
  "Press: look at that step. Drag: choose the steps in the charts. Double press: all";
export const timeTravel = "Time travel";
export const firstStepInTheCharts = "First step in the charts";
export const lastStepInTheCharts = "Last step in the charts";
export const stepXOfYZ = (step: Part, last: Part, words: Part) => `step ${step} of ${last}${words}`;
export const backToLiveTrainingIsX = (count: Part) =>
  `Back to live (L): training is ${count} ahead`;
export const live = "Live";
export const xStepsBack = (count: Part, many: number) =>
  many === 1 ? "1 step back" : `${count} steps back`;
export const xAhead = (ahead: Part) => `${ahead} ahead`;
export const newestStep = "Newest step";
export const backToStepXL = (step: Part) => `Back to step ${step} (L)`;
export const allSteps = "All steps (0)";
export const zoomToTheStepsInWhich = "Zoom to the steps in which the losses fall";
export const allStepsLabel = "All steps";
export const whereLossesFallLabel = "Where losses fall";
export const maxSpeed = "max";
export const xPerSecondShort = (speed: Part) => `${speed} /s`;
export const xPerSecond = (count: Part) => `${count} per second`;
export const asFastAsPossible = "as fast as possible";
export const recipeB = "Recipe (B)";
export const watching = "Watching";
export const play = "Play";
export const oneStepRightArrow = "1 step (right arrow)";
export const oneStepArrow = "1 step (→)";
export const backToStep0R = "Back to step 0 (R)";
export const speedX = (speedSpoken: Part) => `Speed: ${speedSpoken}`;
export const speedKeys = "Speed ([ and ])";
export const pauseSpace = "Pause (Space)";
export const playSpace = "Play (Space)";
export const nextEvent = "Next event (.)";
export const nextEventBack = "Next event (.), back (,)";
export const nextEventLabel = "Next event";
export const horizontalAxisX = "Horizontal axis (X)";
export const axisOfTheTimeline = "Axis of the timeline";
export const speed = "Speed";

// ---------- features/words

export const ofX = (count: Part) => `Of ${count}.`;
export const ofTheTrainingSamples = "Of the training samples.";
export const inX = (list: Part) => `in ${list}`;
export const inNoLayer = "in no layer";
export const layerXYOfZ = (value: Part, count: Part, count2: Part) =>
  `layer ${value}: ${count} of ${count2}`;
export const atStepXTail = (step: Part) => `, at step ${step}`;
export const fromAFileWord = "from a file";
export const xCommaOfY = (now: Part, rate: Part) => `${now}, of ${rate}`;
export const xTrainY = (latest: Part, latest2: Part) => `${latest}, train ${latest2}`;
export const zeroTheMean = "0, the mean";
export const xRateY = (norm: Part, latest: Part) => `${norm}, rate ${latest}`;
export const standardDeviationHereX = (he: Part) => `Standard deviation here: ${he}`;
export const limitOfXY = (label: Part, formula: Part) => `Limit of ${label}: ${formula}.`;
export const itsBendIsInScaledWeights = "Its bend is in weights scaled as its steps are.";
export const traceX = (trace: Part) => `trace ${trace}`;
export const xLimitY = (sharpness: Part, limit: Part) => `${sharpness}, limit ${limit}`;

// ---------- ui

export const closeEsc = "Close (Esc)";
export const xSlider = (name: Part) => `${name}, slider`;
export const more = "More";
export const thisIsNotANumber = "This is not a number.";
export const aSeedIsAWholeNumber = "A seed is a whole number, 0 or more.";

// ---------- page

export const instrumentsWord = "instruments";
export const thisPageIsReadOnly = "This page is read-only.";
export const onlyTheBrowserThatCreatedThis =
  "Only the browser that created this experiment can change it.";
export const readyStep0 = "Ready, step 0.";
export const stepXSentence = (where: Part) => `Step ${where}.`;
export const lookingBackStepXOfY = (where: Part, last: Part) =>
  `Looking back, step ${where} of ${last}.`;
export const lossNotDrawnYet = "Loss, not drawn yet";
export const stillStartingTheServerMayBe = "Still starting. The server may be waking up.";
export const waitingForTheServer = "Waiting for the server";
export const words = "Words";
export const keys = "Keys";
export const switchedOn = "on";
export const help = "Help";
export const wordsAndKeys = "Words and keys";
export const documentation = "Documentation";
export const singleKeyShortcuts = "Single-key shortcuts";
export const offOnlySpaceArrowsAndEsc = "Off: only Space, arrows and Esc work.";
export const playOrPause = "Play or pause";
export const space = "Space";
export const oneStepOnBack = "One step on, back";
export const oneEpoch = "One epoch";
export const shift = "Shift";
export const ctrl = "Ctrl";
export const previousNextEvent = "Previous, next event";
export const resetToStep0 = "Reset to step 0";
export const slowerFaster = "Slower, faster";
export const betOnAnAnswerThenSelect = "Bet on an answer, then select a run";
export const switchGDMiniBatchSGD = "Switch GD, mini-batch, SGD";
export const plainMomentumAdam = "Plain, momentum, Adam";
export const presentOnePictureStopPresenting = "Present one picture, stop presenting";
export const stepsOrLogSteps = "Steps or log steps";
export const gradientMeasure = "Gradient measure";
export const fitTheAxes = "Fit the axes";
export const theDoctorsFirstRemedy = "The Doctor's first remedy (asks first)";
export const previousNextLine = "Previous, next line";
export const theme = "Theme";
export const chartSummaryAsATable = "Chart summary as a table";
export const readAChartThatHasThe = "Read a chart that has the focus";
export const home = "Home";
export const end = "End";
export const esc = "Esc";
export const closeTheNotice = "Close the notice";
export const undo = "Undo";
export const undoing = "Undoing";
export const presentingVChangesThePictureP = "Presenting. V changes the picture, P leaves.";
export const pastStep = "past step";
export const presenting = "Presenting";
export const stopPresentingP = "Stop presenting (P)";
export const pictureV = "Picture (V)";
export const presentP = "Present (P)";
export const present = "Present";
export const xIsY = (label: Part, value: Part) => `${label} is ${value}.`;
export const xHasLoss0 = (label: Part) => `${label} has loss 0.`;
export const xAndYAreLevel = (label: Part, label2: Part) => `${label} and ${label2} are level.`;
export const xIsYTimesLower = (label: Part, times: Part) => `${label} is ${times} times lower.`;
export const lossXAtTheStart = (initialLoss: Part) => `Loss ${initialLoss} at the start.`;
export const lossX = (losses: Part) => `Loss: ${losses}.`;
export const gradientByLayerLogScale = "gradient by layer, log scale";
export const xOverYZScale = (loss: Part, samples: Part, y: Part) =>
  `${loss} over ${samples}, ${y} scale`;
export const printedSheet = "Printed sheet";
export const run = "Run";
export const gradientsSumDwPerLayer = "Gradients, Σ|dW| per layer";
export const gradientsL2NormPerLayer = "Gradients, L2 norm per layer";
export const gradientsMeanDwPerLayer = "Gradients, mean |dW| per layer";
export const updateOverWeightPerLayer = "Update ÷ weight per layer";
export const wholeGradientAndTheRate = "Whole gradient, and the rate";
export const lossXOverY = (loss: Part, count: Part) => `Loss: ${loss} over ${count}`;
export const dataSeedXNetworkSeedY = (seed: Part, seed2: Part) =>
  `Data seed ${seed}, network seed ${seed2}.`;
export const xYSeedZ = (label: Part, method: Part, value: Part) =>
  `${label}: ${method}, seed ${value}.`;
export const theRecipeMakesEveryNumberAgain = "The recipe makes every number again.";
export const catchingUp = "Catching up";
export const closeTheMessage = "Close the message";
export const forUpToXTail = (span: Part) => ` for up to ${span}`;
export const trainingContinuesXMissedStepsLoad = (pauses: Part) =>
  `Training continues${pauses}. Missed steps load when you reconnect.`;
export const whereItWasLost = (lastStep: Part) => ` at step ${lastStep}`;
export const connectionLostX = (last: Part) => `Connection lost${last}.`;
export const thisNetworkLetsNoLineThrough =
  "This network lets neither WebSockets nor server-sent events nor long polling through.";
export const theServerItselfAnswers = "The server itself answers.";
export const checkWhichLineWorks = "Check which line works";
export const nothingWasPlayingSoNoStep = "Nothing was playing, so no step is missed.";
export const tryNow = "Try now";
export const backOnline = "Back online.";
export const catchingUpXOfY = (have: Part, value: Part) => `Catching up: ${have} of ${value}.`;
export const theServerNoLongerHasThisExperiment = "The server no longer has this experiment.";
export const thePageShowsItsLastKnown =
  "The page shows its last known step. A copy starts at step 0.";
export const lookingBackNeedsTheServer = "Looking back needs the server. The connection is lost.";
export const yourRecipeIsSafeTheRun = "Your recipe is safe; the run starts again at step 0.";
export const startLabel = "Start";
export const xThePageRetriesAutomatically = (value: Part) =>
  `${value} The page retries automatically.`;
export const readOnly = "Read-only:";
export const theServerCannotWriteToIts =
  "the server cannot write to its data folder. No experiment can start now. The page retries automatically.";
export const howToFixIt = "How to fix it";
export const theServerCannotWriteToItsSentence =
  "the server cannot write to its data folder. Changes would be lost.";
export const xYAtStepZ = (label: Part, word: Part, value: Part) =>
  `${label}${word} at step ${value}`;
export const divergedTail = " diverged";
export const andIsStoppedTail = " and is stopped.";
export const bothAreStoppedTail = "; both are stopped.";
export const allAreStoppedTail = "; all are stopped.";
export const lowerTheRateThenReset = "Lower the rate, then reset.";
export const everyRunHasDiverged = "Every run has diverged.";
export const everyRunHasStopped = "Every run has stopped. Reset one, or add another.";
export const continueSingular = "continues";
export const continuePlural = "continue";
export const xCanContinue = (left: Part) => `${left} can continue.`;
export const xStoppedToo = (list: Part) => `${list} stopped too.`;
export const continueX = (label: Part) => `Continue ${label}`;
export const xStoppedAtStepYZ = (label: Part, step: Part, why: Part) =>
  `${label} stopped at step ${step}${why}.`;
export const dismiss = "Dismiss";
export const xIsAtStep0 = (label: Part) => `${label} is at step 0.`;
export const otherRunsAreFurther = "Other runs are further.";
export const catchUpX = (count: Part) => `Catch up: ${count}`;
export const ready = "Ready";
export const paused = "Paused";
export const stoppedWord = "Stopped";
export const reconnecting = "Reconnecting";
export const offline = "Offline";
export const behind = "Behind";
export const experimentGone = "Experiment gone";
export const gone = "Gone";
export const nowWord = "now";
export const inXS = (retryIn: Part) => `in ${retryIn} s`;
export const xMsThereAndBack = (number: Part) => `${number} ms there and back`;
export const drawingIsSlowInThisBrowser =
  "Drawing is slow in this browser, so charts update less often. Training and numbers are not affected.";
export const switchToTheDarkThemeT = "Switch to the dark theme (T)";
export const switchToTheLightThemeT = "Switch to the light theme (T)";
export const followTheThemeOfTheSystemT = "Follow the theme of the system (T)";
export const moreFilesThemeKeys = "More: files, theme, keys";
export const printASheet = "Print a sheet";
export const wordsAndKeysKey = "Words and keys (?)";
export const nextPictureLossFitOrMap = "Next picture: loss, fit or map, fall line";
export const connectedByXY = (line: Part, reason: Part) => `Connected by ${line}: ${reason}.`;
export const thisNetworkHoldsStreamsBack = "this network holds streams back";
export const thisNetworkRefusesWebsockets = "this network refuses WebSockets";
export const websocketsGetNoAnswerHere = "WebSockets get no answer here";

// ---------- core/net

export const theXOfTheOtherExperimentAreKept = (steps: Part, count: number) =>
  `The ${steps} of the other experiment ${count === 1 ? "is" : "are"} kept.`;
export const theServerDoesNotAnswer = "The server does not answer.";
export const checkThatItIsRunning = "Check that it is running.";
export const theServerNoLongerHasThisExperimentYourRecipe =
  "The server no longer has this experiment. Your recipe is safe; the run starts again at step 0.";
export const theExperimentToWatchIsNot = "The experiment to watch is not there.";
export const itMayHaveBeenDeletedOr =
  "It may have been deleted, or it is on another server. Your own is unchanged.";
export const thereIsNoExperimentToShow = "There is no experiment to show.";
export const theAddressNeedsWatchAndThe =
  "The address needs #watch= and the id of an experiment on this server.";
export const theServerNoLongerHasYour = "The server no longer has your table";
export const chooseOrDropItsFileAgain = "Choose or drop its file again, under Data.";
export const thisRecipesInitialWeightsAreNot =
  "This recipe's initial weights are not on this server";
export const itStartsFromUploadedParametersAnd =
  "It starts from uploaded parameters and opens only on their server. Open their .npz file under Files.";
export const thePageAndTheServerDo = "The page and the server do not understand each other.";
export const reloadThePageToGetThe = "Reload the page to get the server's own version of it.";

// ---------- features/predictions

export const xStandardizedY = (target: Part, scale: Part) => `${target}, standardized: ${scale}`;
export const xAccuracyY = (label: Part, right: Part) => `${label}: accuracy ${right}`;
export const accuracyWord = "accuracy";
export const xOfYZSamplesCorrect = (right: Part, all: Part, word: Part) =>
  `${right} of ${all} ${word} samples correct`;
export const noPredictionsYet = "no predictions yet";
export const xYRowsAreTrueClasses = (label: Part, result: Part) =>
  `${label}: ${result}. Rows are true classes, columns predicted ones.`;
export const map = "map";
export const offTheAxis = "off the axis";
export const noMapDivergedAtStepX = (step: Part) => `No map: diverged at step ${step}`;
export const noMapOfXDivergedAtStepY = (label: Part, step: Part, samples: Part) =>
  `No map of ${label}: it diverged at step ${step}. On view: ${samples}.`;
export const arrowKeysMoveTheCursorHomeSentence =
  "Arrow keys move the cursor. Home, End, Page Up and Page Down jump to the edges. Escape leaves the map.";
export const rowsTheTrueClassColumnsTheSentence =
  "Rows: the true class. Columns: the predicted one.";
export const predictedAndTrueNotDrawnYet = "Predicted and true, not drawn yet";
export const mapLabel = "Map";
export const table = "Table";
export const predictionsOfClasses = "Predictions of classes";
export const inputAcross = "Input across";
export const inputUp = "Input up";
export const predictionsOfClassesATableA = "Predictions of classes, a table a run";
export const values = "Values";

// ---------- features/check

export const xMbitS = (number: Part) => `${number} Mbit/s`;
export const serverSentEvents = "Server-sent events";
export const longPolling = "Long polling";
export const refusedOnTheWay = "Refused on the way";
export const noAnswerWithinXS = (value: Part) => `No answer within ${value} s`;
export const thePageUsesItTail = " The page uses it.";
export const answersAfterXY = (time: Part, use: Part) => `Answers after ${time}.${use}`;
export const server = "Server";
export const falllineXIsReady = (version: Part) => `fallline ${version} is ready.`;
export const address = "Address";
export const othersOpenX = (name: Part) => `Others open ${name}/`;
export const othersOpenXNotY = (value: Part, host: Part) => `Others open ${value}/, not ${host}.`;
export const onlyThisComputerReachesXStart = (host: Part) =>
  `Only this computer reaches ${host}. Start the server with ${hostOption}. In a container, use the address of its host.`;
export const roundTrip = "Round trip";
export const xAtMostY = (time: Part, time2: Part) => `${time}, at most ${time2}.`;
export const inLessThan01S = "in less than 0.1 s";
export const enoughForXY = (people: Part, word: Part) => `Enough for ${people} ${word}.`;
export const throughput = "Throughput";
export const xThePageLoadsYZ = (rate: Part, load: Part, enough: Part) =>
  `${rate}: the page loads ${load}. ${enough}`;
export const agreesWithTheServers = "Agrees with the server's.";
export const xYTheServers = (count: Part, way: Part) => `${count} ${way} the server's.`;
export const clock = "Clock";
export const behindWord = "behind";
export const aheadOf = "ahead of";
export const person = "person";
export const people = "people";
export const good = "good";
export const aProblem = "a problem";
export const unknownButNewEnough = "Unknown, but new enough.";
export const tooOldForThePage = "Too old for the page.";
export const browser = "Browser";
export const thePageNeedsXOrNewerTail = (least: Part) => ` The page needs ${least} or newer.`;
export const aReloadReturnsToTheSame = "A reload returns to the same experiment.";
export const blockedByTheBrowserAReload =
  "Blocked by the browser: a reload starts a new experiment.";
export const storage = "Storage";
export const notReadyNoLineToThe = "Not ready: no line to the server stays open.";
export const notReadyX = (names: Part) => `Not ready: ${names}.`;
export const byXTail = (toLowerCase: Part) => `, by ${toLowerCase}`;
export const readyForTheClassX = (by: Part) => `Ready for the class${by}.`;
export const checkThisComputerAndItsConnection = "Check this computer and its connection";
export const checkAgain = "Check again";
export const openFallline = "Open fallline";
export const theServerAnswersX = (status: Part) => `The server answers ${status}.`;
