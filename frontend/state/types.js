/**
 * The words of the browser's half: the state, the app's commands, and what charts expect.
 * Owns shapes only; there is no code here, and nothing may be stored that is not written here.
 *
 * Charts for a page (register once with `registerPlotlyChart(app)` of charts/plotly-chart.js):
 *   <plotly-chart kind="loss">       fills its parent; draws its own flags, end labels, baseline label
 *   <plotly-chart kind="gradients">  as many panels as layers; draws its own panel titles ("W1 5 x 4", a value a run)
 *   <plotly-chart kind="edge|alpha|...">  what an instrument told (state/instruments.js), in the gradients' place
 *   <plotly-chart kind="scatter">    one square a run; draws its own titles ("GD R2 0.88")
 * The page gives section headings, switches and the box. styles/charts.css belongs to the elements.
 * After each draw an element carries data-points (points in its fullest trace), data-traces, data-last-step (largest
 * step drawn), data-draws (how often), data-state ("waiting" before Plotly or the experiment's figure is there, then "drawn"), and aria-label (the summary).
 */

// ---------------------------------------------------------------- the server's words: see wire-types.js

/** @typedef {import("./wire-types.js").Json} Json */
/** @typedef {import("./wire-types.js").LayerRecipe} LayerRecipe */
/** @typedef {import("./wire-types.js").Edit} Edit */
/** @typedef {import("./wire-types.js").RunRecipe} RunRecipe */
/** @typedef {import("./wire-types.js").Recipe} Recipe */
/** @typedef {import("./wire-types.js").Stat4} Stat4 */
/** @typedef {import("./wire-types.js").Columns} Columns */
/** @typedef {import("./wire-types.js").RunAnswer} RunAnswer */
/** @typedef {import("./wire-types.js").ExperimentAnswer} ExperimentAnswer */
/** @typedef {import("./wire-types.js").RunStatus} RunStatus */
/** @typedef {import("./wire-types.js").Latest} Latest */
/** @typedef {import("./wire-types.js").Pace} Pace */
/** @typedef {import("./wire-types.js").Finding} Finding */
/** @typedef {import("./wire-types.js").Remedy} Remedy */
/** @typedef {import("./wire-types.js").Problem} Problem */
/** @typedef {import("./wire-types.js").Catalog} Catalog */

// ---------------------------------------------------------------- the state

/**
 * @typedef {object} Connection
 * @property {"connecting"|"ready"|"live"|"reconnecting"|"catching-up"|"offline"|"restarted"} status
 *   ready = on the line and nothing plays; live = something plays; offline = the browser itself says so;
 *   restarted = the server no longer knows the experiment, `app.restart()` starts it again from the kept recipe
 * @property {number|null} latency   ms, round trip
 * @property {number|null} retryIn   whole seconds until the next try
 * @property {{have: number, of: number, run: string}|null} progress  steps, while catching up; of the run furthest behind
 * @property {number|null} lastStep  last known step when the line broke
 */
/**
 * @typedef {object} UnitsInstrument
 * @property {number} [step]
 * @property {{mean: number[], active_share: number[], dead: boolean[]}[]} layers  hidden layers
 * @property {any} [output]
 */
/**
 * @typedef {object} PredictionsInstrument
 * @property {number} [step]
 * @property {string} split
 * @property {number[]} y       flat; with classes their indices
 * @property {number[]} y_pred  flat; likewise
 */
/**
 * @typedef {object} DrawnMatrix  weights as far as they are drawn
 * @property {number} largest     size of the largest weight
 * @property {{dtype: string, bdata: string}} cells  in parts of it, row by row
 */
/**
 * @typedef {object} DrawnWeights
 * @property {number} step
 * @property {Record<string, DrawnMatrix>} of  W1, W2, ...
 */
/**
 * @typedef {object} Moment  a run at a past step, made again by the server
 * @property {number} step
 * @property {number} generation
 * @property {number} epoch
 * @property {number} samples_seen
 * @property {Record<string, Latest>} latest
 * @property {UnitsInstrument|null} units
 * @property {PredictionsInstrument|null} predictions
 * @property {DrawnWeights|null} weights   of the run that is drawn
 * @property {"falling"|"flat"|"rising"|undefined} [trend]
 */
/** @typedef {"a"|"b"|"c"|"d"} Lane  colour and shape of a run; from the fifth run on they repeat */
/**
 * @typedef {object} Run
 * @property {string} name
 * @property {string} label            what people read: "GD", "SGD"
 * @property {Lane} lane
 * @property {boolean} hidden
 * @property {RunStatus} status
 * @property {number} step
 * @property {number} epoch
 * @property {number} samplesSeen
 * @property {number} generation
 * @property {number|null} divergedAt
 * @property {import("./stops.js").Condition|null} finishedBy  the stop condition that was met last
 * @property {Record<string, Latest>} latest
 * @property {Json & {optimizer: string, learning_rate: number, batch_size: number|null, order: string}} settings
 *   in force, with the page's own unanswered edits already in
 * @property {Edit[]} edits            made so far or planned by the recipe, oldest first
 * @property {number[]} [planned]      at_step of those that were still to come when the server told of them
 * @property {UnitsInstrument|null} units
 * @property {PredictionsInstrument|null} predictions
 * @property {DrawnWeights|null} weights
 * @property {"falling"|"flat"|"rising"|undefined} [trend]  of the train loss lately
 * @property {Finding[]} findings      the Doctor's, oldest first; in the past those of that step
 * @property {import("./wire-types.js").DoctorCost} [doctor]  what examining it costs
 * @property {{step: number, beside: Record<string, number>}|null} restarted  when this run was taken back to step 0: where the furthest of the others stood, and their generations
 * @property {boolean} isWayBack       a fork of a run that had diverged
 */
/**
 * @typedef {object} Experiment
 * @property {string} id
 * @property {string|null} token       null = may be looked at, not changed
 * @property {Recipe} recipe           filled, with the edits the server has told so far
 * @property {string} kernel
 * @property {{train: number|null, test: number|null}|null} baseline  loss of predicting the training mean, or the majority
 * @property {number} trainSamples
 * @property {number} testSamples
 * @property {number|null} initialLoss train_loss at step 0
 * @property {number} features         input columns
 * @property {string[]} inputs         their names
 * @property {number} outputs          of the network
 * @property {string[]} classes        names of what is told apart; none in a regression
 * @property {"r2"|"accuracy"} score   the score whose series there are
 * @property {string[]} weights        ["W1", "W2", "W3"]
 * @property {Record<string, [number, number]>} shapes  {"W1": [5, 4], ...}
 * @property {number} parameters       how many numbers are trained
 */
/**
 * @typedef {object} Playback  what was asked for, shown at once
 * @property {boolean} playing
 * @property {number|"max"} speed      steps per second
 * @property {Pace} pace
 * @property {boolean} [isOwn]         speed or pace were chosen here and the server has not heard of it: nothing plays yet
 */
/** @typedef {"steps"|"epochs"|"samples"|"seconds"} XAxis */
/** @typedef {"grad_l1"|"grad_l2"|"grad_mean"|"ratio"} Measure */
/**
 * @typedef {object} View
 * @property {XAxis} x
 * @property {"log"|"linear"} y
 * @property {Measure} measure
 * @property {"gradients"|"instruments"} panel  what the row under the loss shows
 * @property {string} instruments      which of them are open there
 * @property {"map"|"table"} predicted how predictions of classes over two inputs are shown
 * @property {boolean} isMapSeen       the place of the decision maps is in sight
 * @property {boolean} isPictured      predictions are wanted for a picture of them, wherever they are
 * @property {"auto"|"light"|"dark"} theme
 * @property {string|null} selectedRun
 * @property {string|null} networkRun
 * @property {boolean} isRunChosen     somebody chose it; until then the one that is in trouble is shown
 * @property {boolean} singleKeys
 * @property {string|null} closedNote  the exhibit whose sentences were closed
 * @property {string[]} closedDivergences  those whose strip was closed
 * @property {null|"recipe"} sheet
 * @property {null|"help"|"summary"|"share"|"remedy"} dialog
 * @property {"charts"|"network"|"doctor"|"step"} tab
 * @property {boolean} explains        every control of the recipe says what it is
 * @property {boolean} inspector       the step inspector is open; on a phone it is a tab
 * @property {string|null} line        which of its lines is shown, as state/sheets.js calls them; null = the one to look at first
 * @property {number} firstSample      the first row of the batch that it shows
 * @property {number} samplesShown     so many rows of the batch
 */
/** @typedef {{do: string, run: string|null, body: Json}} PendingCommand */
/**
 * @typedef {object} Notice
 * @property {"info"|"ok"|"warn"|"bad"} kind
 * @property {string} text
 * @property {string} [waits]  what it is that waits for play; goes once one has played
 * @property {boolean} [undo]  true: `app.undo()` takes it back
 */
/** @typedef {{generation: number, last: Record<string, Json>, trails: Record<string, Json[]>}} Measured  by instrument: its last answer, and the numbers of all, by step */
/** @typedef {{step: number, found: Record<string, Moment>}} Looking  at which past step, and what was found of each run there, or at the step before */
/** @typedef {{experiment: string, run: string, sheet: import("./sheets.js").Sheet}} Inspection  the change of a run, line by line */
/** @typedef {{run: string, change: Json, step: number}} Offer  to continue from a step of the past, with a change */
/**
 * @typedef {object} State
 * @property {Connection} connection
 * @property {Catalog|null} catalog
 * @property {Experiment|null} experiment
 * @property {Record<string, Run>} runs
 * @property {string[]} order
 * @property {Playback} playback
 * @property {View} view
 * @property {Record<string, PendingCommand>} pending   sent and not yet answered, by command id
 * @property {Notice|null} notice
 * @property {Problem|null} problem    the last refusal; cleared by the next success or by `app.dismiss()`
 * @property {{since: number}|null} loading  an experiment is being made; `since` by the app's clock (ms)
 * @property {Record<string, Json>} figures  Plotly figures by name ("loss", "gradients"), as the server specifies them
 * @property {Record<string, Measured>} instruments  what was measured of each run while it was open
 * @property {number} frames           rises with every frame; watch it to know that columns changed
 * @property {Inspection|null} inspection  what was answered last, while the step inspector is open
 * @property {Looking|null} looking    at the past; null at the present. Every view shows `seen(state)` of moments.js
 * @property {Offer|null} offer        an edit was asked for in the past, where it can only be a fork
 * @property {boolean} isDrawingSlow   charts are drawn less often than they might be, because drawing takes long here
 * @property {boolean} isWatching      somebody else's experiment, by a link that lets one watch
 * @property {Problem|null} waitingFor  why there is no experiment yet; the page asks again by itself
 * @property {boolean} isReadOnly      the server cannot store anything at present, and takes no changes
 */

// ---------------------------------------------------------------- store, series, app

/**
 * @typedef {object} Store
 * @property {() => State} get
 * @property {(message: Message) => void} dispatch
 * @property {<T>(select: (state: State) => T, listener: (value: T, state: State) => void) => (() => void)} watch
 *   calls the listener when the selected value changes (===, or shallowly equal arrays); not at once. Answers `stop`
 */
/** @typedef {Json & {type: string}} Message */
/**
 * @typedef {object} Stat  typed columns of one series, `length` of its RunSeries long; NaN = no finite value
 * @property {Float64Array} min
 * @property {Float64Array} max
 * @property {Float64Array} mean
 * @property {Float64Array} last
 * @property {Float64Array} count
 */
/**
 * @typedef {object} RunSeries  one run's bounded columns
 * @property {number} generation
 * @property {number} length        buckets
 * @property {Float64Array} first   steps
 * @property {Float64Array} last
 * @property {Float64Array} samplesSeen  at the bucket's end
 * @property {Float64Array} seconds
 * @property {() => string[]} names
 * @property {(name: string) => Stat|null} values
 */
/** @typedef {{of: (run: string) => RunSeries|null, closer: (run: string) => RunSeries|null}} SeriesBook  `closer`: a stretch, more finely */

/**
 * What a page may ask. Nothing throws: a refusal lands in `state.problem`. Edits show in the state at once.
 * @typedef {object} App
 * @property {Store} store
 * @property {SeriesBook} series
 * @property {Environment} environment
 * @property {() => Promise<void>} start      catalog, then the stored experiment or the exhibit
 * @property {() => void} stop                closes the socket and every timer
 * @property {() => void} play
 * @property {() => void} pause
 * @property {() => void} toggle
 * @property {(steps?: number) => void} step
 * @property {(epochs?: number) => void} stepEpoch
 * @property {(run?: string) => void} reset
 * @property {(speed: number|"max") => void} setSpeed
 * @property {(pace: Pace) => void} setPace
 * @property {(run: string, change: Json) => void} edit
 * @property {(body?: Json) => void} addRun
 * @property {(run: string) => void} removeRun
 * @property {(run: string, label: string) => void} renameRun
 * @property {(run: string, hidden: boolean) => void} setHidden
 * @property {(changes: import("./recipes.js").Changes) => Promise<void>} newExperiment
 *   merges into the recipe (layers replace layers), starts at step 0, leaves a notice with undo
 * @property {(name: string) => Promise<void>} openExhibit  its recipe from step 0, seen as it is seen best; leaves a notice with undo
 * @property {(file: File) => Promise<void>} openFile  a recipe as an experiment of its own, parameters as the start of a fresh one
 * @property {() => Promise<void>} undo       takes back the last experiment begun, or starts the run removed last again
 * @property {() => Promise<void>} restart    after "restarted": the kept recipe, from step 0
 * @property {() => void} retryNow
 * @property {(part: Partial<View>) => void} setView
 * @property {(file: Blob) => Promise<{table?: import("./wire-types.js").Table, problem?: Problem}>} sendTable
 *   a CSV to the server; what was found in it, or why nothing was: told to who asked, not to the state
 * @property {(id: string) => Promise<{table?: import("./wire-types.js").Table, problem?: Problem}>} readTable  one that was sent
 * @property {(stretches: Record<string, {since: number, until: number}>) => void} lookCloser  at these steps, by run: held at full resolution meanwhile
 * @property {(step: number|null) => void} lookAt   the view goes to a past step, training goes on; null = back to the present
 * @property {(steps?: number) => void} forward  a step on: of the view in the past, of the training in the present
 * @property {(steps?: number) => void} back     the view goes a step back
 * @property {(epochs?: number) => void} forwardEpoch
 * @property {(direction: 1|-1) => void} lookAtMarker  the next mark on the timeline, or the one before
 * @property {(run: string, change?: Json) => void} fork  a run of its own from the step that is shown, beside its parent
 * @property {(accepted: boolean) => void} answerOffer
 * @property {(remedy: Remedy) => void} remedy  what the Doctor advises, done at once; leaves a notice with undo
 * @property {(of: "recipe"|"moment"|"watch", state?: State) => Promise<string|null>} linkTo
 *   the whole address, of now or of a state that was; null where it would be too long
 * @property {(text: string) => Promise<{svg?: Blob, problem?: Problem}>} qr
 * @property {(run: string) => Promise<{check?: import("./self-check.js").SelfCheck, problem?: Problem}>} check  lets a run check its numbers where it stands
 * @property {() => Promise<{script?: string, problem?: Problem}>} changeScript  the change that is inspected as a program that needs NumPy only
 * @property {() => Promise<void>} copyOfOwn  what is shown, as an experiment that one may change
 * @property {() => boolean} hasFormer       is there an experiment that was left for that of a link?
 * @property {() => Promise<void>} goBack     to it
 * @property {() => void} dismiss             clears notice and problem
 * @property {(runs: string[]) => void} closeDivergence  it is not told any more that these runs diverged, until they do once more
 * @property {() => Promise<string>} kernelWords  which kernel makes the steps, asked anew
 */
/**
 * What an app is given from outside, so that tests can give something else.
 * @typedef {object} Environment
 * @property {typeof fetch} fetch
 * @property {new (url: string) => WebSocket} WebSocket
 * @property {{getItem: (key: string) => string|null, setItem: (key: string, value: string) => void, removeItem: (key: string) => void}} storage
 * @property {() => number} now               ms, monotonic
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random            0..1
 * @property {() => string} uuid
 * @property {() => string} secret            32 hex digits that nobody can guess
 * @property {string} origin                  "http://host:port"
 * @property {number} fps                     frames a second asked of the server
 * @property {() => boolean} hidden           is the page hidden
 * @property {() => boolean} narrow           is it a phone's page, whose sections are behind tabs
 * @property {() => string} fragment          of the page's address, without its "#"
 * @property {(fragment: string) => void} setFragment  in place of the one there is; "" for none
 * @property {(hear: (signal: "online"|"offline"|"visible"|"link") => void) => void} listen
 */

export {};
