/**
 * Shapes of the server's recipes, answers, columns and problems.
 * Owns: shapes only. types.js has the page's own, and exports these too.
 */

/** @typedef {Record<string, any>} Json */

/**
 * @typedef {object} LayerRecipe
 * @property {number} units
 * @property {string} activation
 */
/** @typedef {Json & {at_step: number}} Edit  one live change; the other fields are settings */
/**
 * @typedef {Json & {name: string, label?: string|null, optimizer: string, learning_rate: number,
 *   batch_size: number|null, order: string, seed: number, edits: Edit[], origin?: Origin}} RunRecipe
 */
/**
 * @typedef {{run: string, at_step: number}} Origin  of a fork: its parent, and the step up to which they share a past
 */
/**
 * @typedef {object} Recipe  filled in, as the server answers it
 * @property {Json & {name: string, samples: number, features?: number, noise?: number, test_fraction: number, seed: number}} data
 * @property {{layers: LayerRecipe[], output: string, weights: any, biases: any, seed: number, start?: string}} network
 * @property {import("./losses.js").LossRecipe} loss
 * @property {RunRecipe[]} runs
 */
/**
 * @typedef {object} Stat4  one series over buckets; null or NaN = no finite value
 * @property {ArrayLike<number|null>} min
 * @property {ArrayLike<number|null>} max
 * @property {ArrayLike<number|null>} mean
 * @property {ArrayLike<number|null>} last
 * @property {ArrayLike<number>} [count]  only for series not recorded every step
 */
/**
 * @typedef {object} Columns  measurements as they travel; each column an array or {dtype, bdata}
 * @property {number} generation
 * @property {any} first
 * @property {any} last
 * @property {any} samples_seen
 * @property {any} seconds
 * @property {Record<string, any>} series
 */
/**
 * @typedef {object} RunAnswer  a run in GET /experiments/{id}
 * @property {string} name
 * @property {string|null} [label]
 * @property {RunStatus} status
 * @property {number} step
 * @property {number} epoch
 * @property {number} samples_seen
 * @property {number} generation
 * @property {number|null} [diverged_at]
 * @property {import("./stops.js").Condition|null} [finished_by]
 * @property {Record<string, Latest>} latest
 * @property {Finding[]} [findings]  oldest first, open and closed
 * @property {DoctorCost} [doctor]
 */
/**
 * @typedef {object} DoctorCost  how long training waited for a run's examinations, and how long it computed meanwhile
 * @property {number} [waited_seconds]
 * @property {number} [computed_seconds]
 */
/**
 * @typedef {object} Remedy
 * @property {string} label
 * @property {string} [hint]
 * @property {Json & {do: string, run?: string}} command  as the socket takes it
 */
/**
 * @typedef {object} Finding  a finding of the Doctor
 * @property {string} id  unique within a generation of the run
 * @property {string} rule
 * @property {"problem"|"warning"|"info"} severity
 * @property {{layer?: number, units?: number[]}} subject
 * @property {number} since_step
 * @property {number|null} until_step  null while it is open
 * @property {number} found_at
 * @property {number} seen_at  the last examination, while it is open
 * @property {string} title
 * @property {string} evidence  the numbers then
 * @property {string} first_evidence  the numbers when it was found
 * @property {string} mark  two or three words
 * @property {{text: string, code: string}|null} [why]
 * @property {Remedy[]} remedies
 */
/**
 * @typedef {object} ExperimentAnswer
 * @property {string} id
 * @property {Recipe} recipe
 * @property {string} kernel
 * @property {string} [next_kernel]
 * @property {RunAnswer[]} runs
 * @property {string} [token]
 * @property {boolean} [playing]
 * @property {number|"max"} [speed]
 * @property {Pace} [pace]
 * @property {Record<string, number|null>} [baseline]  by split
 * @property {string[]} [classes]
 * @property {string[]} [inputs]
 * @property {number} [outputs]
 * @property {"r2"|"accuracy"} [score]
 * @property {number} [initial_loss]
 * @property {number} [train_samples]
 * @property {number} [test_samples]
 * @property {boolean} [read_only]  the server cannot store anything at present
 */
/** @typedef {"paused"|"playing"|"finished"|"diverged"} RunStatus */
/** @typedef {{step: number, value: number}} Latest */
/** @typedef {"steps"|"samples"} Pace */
/**
 * @typedef {object} Problem  RFC 9457; `errors` name fields by JSON pointer
 * @property {string} title
 * @property {string} [detail]
 * @property {number} [status]
 * @property {string} [type]
 * @property {{pointer: string, detail?: string, message?: string}[]} [errors]
 * @property {string} [bound]  the bound that was exceeded, if any
 * @property {number} [limit]
 * @property {number} [asked]
 */
/**
 * @typedef {object} TableColumn
 * @property {string} name
 * @property {"number"|"category"|"text"|"constant"} kind
 * @property {number} distinct
 * @property {"regression"|"classification"|null} task  the suggestion if it is the target
 * @property {boolean} used
 * @property {string|null} reason  why it is not used
 */
/**
 * @typedef {object} Table  as POST /datasets answers it
 * @property {string} id
 * @property {TableColumn[]} columns
 * @property {number} rows  usable rows
 * @property {string} target  the suggested column
 * @property {string[][]} preview
 * @property {{line: number, reason: string}[]} skipped  the first of `skipped_count`
 * @property {number} skipped_count
 */
/** @typedef {Json} Catalog  GET /catalog */

export {};
