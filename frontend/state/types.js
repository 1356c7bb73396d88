/**
 * Shapes of the page: the state, the app's commands, and the charts' elements.
 * Owns: shapes only. Nothing may be in the state that is not here.
 *
 * Elements (register them once with `registerPlotlyChart(app)` of charts/plotly-chart.js):
 *   <plotly-chart kind="loss">       fills its parent; draws its flags, end labels and baseline label
 *   <plotly-chart kind="gradients">  one panel a layer; draws their titles ("W1 5 x 4", a value a run)
 *   <plotly-chart kind="edge|alpha|...">  an instrument (state/instruments.js), in place of the gradients
 *   <plotly-chart kind="scatter">    one square a run; draws their titles ("GD R2 0.88")
 * The page adds section headings, switches and the box. styles/charts.css belongs to the elements.
 *
 * Each draw sets these attributes:
 *   data-points     points of the fullest trace
 *   data-traces     number of traces
 *   data-last-step  largest step drawn
 *   data-draws      number of draws
 *   data-state      "waiting" without Plotly or figure, then "drawn"
 *   aria-label      the chart's summary
 */

// ---------------------------------------------------------------- shapes of the server: see wire-types.js

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
 * @property {"connecting"|"ready"|"live"|"reconnecting"|"catching-up"|"offline"|"restarted"} status  ready = connected and paused; live = connected and playing; offline = the browser reports it; restarted = the server lost the experiment, `app.restart()` starts its stored recipe
 * @property {number|null} latency  ms, round trip
 * @property {number|null} retryIn  whole seconds until the next try
 * @property {{have: number, of: number, run: string}|null} progress  steps of the run furthest behind, while catching up
 * @property {number|null} lastStep  last known step when the connection was lost
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
 * @property {number[]} y  flat; class indices for classes
 * @property {number[]} y_pred  flat; class indices for classes
 */
/**
 * @typedef {object} DrawnMatrix  the drawn part of weights
 * @property {number} largest  absolute value of the largest weight
 * @property {{dtype: string, bdata: string}} cells  as shares of it, row by row
 */
/**
 * @typedef {object} DrawnWeights
 * @property {number} step
 * @property {Record<string, DrawnMatrix>} of  W1, W2, ...
 */
/**
 * @typedef {object} Moment  a run at a past step, replayed by the server
 * @property {number} step
 * @property {number} generation
 * @property {number} epoch
 * @property {number} samples_seen
 * @property {Record<string, Latest>} latest
 * @property {UnitsInstrument|null} units
 * @property {PredictionsInstrument|null} predictions
 * @property {DrawnWeights|null} weights  of the drawn run
 * @property {"falling"|"flat"|"rising"|undefined} [trend]
 */
/** @typedef {"a"|"b"|"c"|"d"} Lane  colour and shape of a run; they repeat from the fifth run on */
/**
 * @typedef {object} Run
 * @property {string} name
 * @property {string} label  display name: "GD", "SGD"
 * @property {Lane} lane
 * @property {boolean} hidden
 * @property {RunStatus} status
 * @property {number} step
 * @property {number} epoch
 * @property {number} samplesSeen
 * @property {number} generation
 * @property {number|null} divergedAt
 * @property {import("./stops.js").Condition|null} finishedBy  the stop condition met last
 * @property {Record<string, Latest>} latest
 * @property {Json & {optimizer: string, learning_rate: number, batch_size: number|null, order: string}} settings  in force, with the page's unanswered edits
 * @property {Edit[]} edits  made so far or planned by the recipe, oldest first
 * @property {number[]} [planned]  at_step of edits that were still to come in the server's last answer
 * @property {UnitsInstrument|null} units
 * @property {PredictionsInstrument|null} predictions
 * @property {DrawnWeights|null} weights
 * @property {"falling"|"flat"|"rising"|undefined} [trend]  of recent train losses
 * @property {Finding[]} findings  the Doctor's, oldest first; in the past view those of that step
 * @property {import("./wire-types.js").DoctorCost} [doctor]  cost of its examinations
 * @property {{step: number, beside: Record<string, number>}|null} restarted  after a reset of this run: the furthest step of the others, and their generations
 * @property {boolean} isWayBack  a fork of a diverged run
 */
/**
 * @typedef {object} Experiment
 * @property {string} id
 * @property {string|null} token  null = read only
 * @property {Recipe} recipe  filled in, with the edits received so far
 * @property {string} kernel
 * @property {{train: number|null, test: number|null}|null} baseline  loss of predicting the training mean, or the most frequent class
 * @property {number} trainSamples
 * @property {number} testSamples
 * @property {number|null} initialLoss  train_loss at step 0
 * @property {number} features  input columns
 * @property {string[]} inputs  their names
 * @property {number} outputs  of the network
 * @property {string[]} classes  their names; empty in a regression
 * @property {"r2"|"accuracy"} score  the score that has series
 * @property {string[]} weights  ["W1", "W2", "W3"]
 * @property {Record<string, [number, number]>} shapes  {"W1": [5, 4], ...}
 * @property {number} parameters  number of trained parameters
 */
/**
 * @typedef {object} Playback  what was requested, shown at once
 * @property {boolean} playing
 * @property {number|"max"} speed  steps per second
 * @property {Pace} pace
 * @property {boolean} [isOwn]  speed or pace were chosen here and not sent yet, because nothing plays
 */
/** @typedef {"steps"|"epochs"|"samples"|"seconds"} XAxis */
/** @typedef {"grad_l1"|"grad_l2"|"grad_mean"|"ratio"} Measure */
/**
 * @typedef {object} View
 * @property {XAxis} x
 * @property {"log"|"linear"} y
 * @property {Measure} measure
 * @property {"gradients"|"instruments"} panel  content of the row below the loss
 * @property {string} instruments  the open ones
 * @property {"map"|"table"} predicted  view of predicted classes over two inputs
 * @property {boolean} isMapSeen  the decision maps are in sight
 * @property {boolean} isPictured  an export needs the predictions, in sight or not
 * @property {"auto"|"light"|"dark"} theme
 * @property {string|null} selectedRun
 * @property {string|null} networkRun
 * @property {boolean} isRunChosen  chosen by the person; until then a run in trouble is shown
 * @property {boolean} singleKeys
 * @property {string|null} closedNote  the exhibit whose sentences were closed
 * @property {string[]} closedDivergences  divergences whose strip was closed
 * @property {null|"recipe"} sheet
 * @property {null|"help"|"summary"|"share"|"remedy"} dialog
 * @property {"charts"|"network"|"doctor"|"step"} tab
 * @property {boolean} explains  every control of the recipe shows its help
 * @property {boolean} inspector  the step inspector is open; on a phone it is a tab
 * @property {string|null} line  key of its selected line (state/sheets.js); null = the line to look at first
 * @property {number} firstSample  first row of the batch on view
 * @property {number} samplesShown  number of rows on view
 */
/** @typedef {{do: string, run: string|null, body: Json}} PendingCommand */
/**
 * @typedef {object} Notice
 * @property {"info"|"ok"|"warn"|"bad"} kind
 * @property {string} text
 * @property {string} [waits]  what waits for play; removed by play
 * @property {boolean} [undo]  true: `app.undo()` reverts it
 */
/** @typedef {{generation: number, last: Record<string, Json>, trails: Record<string, Json[]>}} Measured  by instrument: its last answer, and the numbers of all by step */
/** @typedef {{step: number, moments: Record<string, Moment>}} Looking  the past step on view, and each run's last answer there */
/** @typedef {{experiment: string, run: string, sheet: import("./sheets.js").Sheet}} Inspection  a run's step, line by line */
/** @typedef {{run: string, change: Json, step: number}} Offer  a fork from a past step, with a change */
/**
 * @typedef {object} State
 * @property {Connection} connection
 * @property {Catalog|null} catalog
 * @property {Experiment|null} experiment
 * @property {Record<string, Run>} runs
 * @property {string[]} order
 * @property {Playback} playback
 * @property {View} view
 * @property {Record<string, PendingCommand>} pending  commands without an answer, by id
 * @property {Notice|null} notice
 * @property {Problem|null} problem  the last refusal; cleared by the next success or by `app.dismiss()`
 * @property {{since: number}|null} loading  an experiment is being created; `since` by the app's clock (ms)
 * @property {Record<string, Json>} figures  Plotly figures by name ("loss", "gradients"), as the server specifies them
 * @property {Record<string, Measured>} instruments  measurements of each run
 * @property {number} frames  rises with every frame; watch it to know that columns changed
 * @property {Inspection|null} inspection  the last answer, while the step inspector is open
 * @property {Looking|null} looking  null at the present. Every view shows `seen(state)` of moments.js
 * @property {Offer|null} offer  an edit of the past, which can only be a fork
 * @property {boolean} isDrawingSlow  charts are drawn less often, because drawing is slow here
 * @property {boolean} isWatching  somebody else's experiment, opened by a link
 * @property {Problem|null} waitingFor  why there is no experiment yet; the page retries
 * @property {boolean} isReadOnly  the server cannot store anything at present, and refuses changes
 */

// ---------------------------------------------------------------- store, series, app

/**
 * @typedef {object} Store
 * @property {() => State} get
 * @property {(message: Message) => void} dispatch
 * @property {<T>(select: (state: State) => T, listener: (value: T, state: State) => void) => (() => void)} watch  calls the listener when the selected value changes (===, or shallowly equal arrays), not at once. Returns `stop`
 */
/** @typedef {Json & {type: string}} Message */
/**
 * @typedef {object} Stat  typed columns of one series, as long as its RunSeries; NaN = no finite value
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
/** @typedef {{of: (run: string) => RunSeries|null, closer: (run: string) => RunSeries|null}} SeriesStore  `closer`: finer columns of a range */

/**
 * The commands of the page. None throws: a refusal is in `state.problem`. Edits show in the state at once.
 * @typedef {object} App
 * @property {Store} store
 * @property {SeriesStore} series
 * @property {Environment} environment
 * @property {() => Promise<void>} start  loads the catalog, then the stored experiment or the exhibit
 * @property {() => void} stop  closes the socket and every timer
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
 * @property {(changes: import("./recipes.js").Changes) => Promise<void>} newExperiment  merges changes into the recipe (layers replace layers), starts at step 0, leaves a notice with undo
 * @property {(name: string) => Promise<void>} openExhibit  its recipe from step 0, in its best view; leaves a notice with undo
 * @property {(file: File) => Promise<void>} openFile  a recipe as an own experiment, or parameters as the start of a new one
 * @property {() => Promise<void>} undo  reverts the last new experiment, or restores the last removed run from step 0
 * @property {() => Promise<void>} restart  after "restarted": the stored recipe, from step 0
 * @property {() => void} retryNow
 * @property {(part: Partial<View>) => void} setView
 * @property {(file: Blob) => Promise<{table?: import("./wire-types.js").Table, problem?: Problem}>} sendTable  uploads a CSV; resolves to the result or the refusal, not in the state
 * @property {(id: string) => Promise<{table?: import("./wire-types.js").Table, problem?: Problem}>} readTable  loads an uploaded one
 * @property {(stretches: Record<string, {since: number, until: number}>) => void} lookCloser  holds these steps, by run, at full resolution
 * @property {(step: number|null) => void} lookAt  shows a past step while training goes on; null = the present
 * @property {(steps?: number) => void} forward  a step on: of the view in the past, of training in the present
 * @property {(steps?: number) => void} back  moves the view a step back
 * @property {(epochs?: number) => void} forwardEpoch
 * @property {(direction: 1|-1) => void} lookAtMarker  the next or previous mark on the timeline
 * @property {(run: string, change?: Json) => void} fork  a new run from the step on view, beside its parent
 * @property {(accepted: boolean) => void} answerOffer
 * @property {(remedy: Remedy) => void} remedy  applies a remedy of the Doctor; leaves a notice with undo
 * @property {(of: "recipe"|"moment"|"watch", state?: State) => Promise<string|null>} linkTo  the whole address, of the present or an earlier state; null if too long
 * @property {(text: string) => Promise<{svg?: Blob, problem?: Problem}>} qr
 * @property {(run: string) => Promise<{check?: import("./self-check.js").SelfCheck, problem?: Problem}>} check  runs a run's self-check
 * @property {() => Promise<{script?: string, problem?: Problem}>} changeScript  the inspected step as a program that needs NumPy only
 * @property {() => Promise<void>} copyOfOwn  copies the experiment on view to an own one
 * @property {() => boolean} hasFormer  true if an experiment was left for a link
 * @property {() => Promise<void>} goBack  returns to it
 * @property {() => void} dismiss  clears notice and problem
 * @property {(runs: string[]) => void} closeDivergence  hides the strip of these divergences
 * @property {() => Promise<string>} kernelWords  which kernel makes the steps, requested anew
 */
/**
 * An app's environment; tests pass their own.
 * @typedef {object} Environment
 * @property {typeof fetch} fetch
 * @property {new (url: string) => WebSocket} WebSocket
 * @property {{getItem: (key: string) => string|null, setItem: (key: string, value: string) => void, removeItem: (key: string) => void}} storage
 * @property {() => number} now  ms, monotonic
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random  0..1
 * @property {() => string} uuid
 * @property {() => string} secret  32 random hex digits
 * @property {string} address  "http://host:port" or "http://host:port/path"
 * @property {number} fps  frames a second to request
 * @property {() => boolean} hidden  true if the page is hidden
 * @property {() => boolean} narrow  true on a phone's page, whose sections are behind tabs
 * @property {() => string} fragment  of the page's address, without its "#"
 * @property {(fragment: string) => void} setFragment  replaces it; "" removes it
 * @property {(hear: (signal: "online"|"offline"|"visible"|"link") => void) => void} listen
 */

export {};
