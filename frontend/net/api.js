/**
 * The page's REST calls. Owns: URLs and problem details.
 */

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Problem} Problem */

/** A refused request, with its RFC 9457 problem details. */
export class Refused extends Error {
  /** @param {Problem} problem @param {number} [retryAfter]  seconds, if the server says when to retry */
  constructor(problem, retryAfter = 0) {
    super(problem.title);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** @type {Problem} */
const NO_ANSWER = { title: "The server does not answer.", detail: "Check that it is running." };

/**
 * @param {typeof globalThis.fetch} fetch
 * @param {string} address  of the page
 * @param {() => string} owner  the owner key for new experiments and tables
 */
export function createApi(fetch, address, owner) {
  /**
   * @param {string} path
   * @param {{method?: string, body?: Json|Blob, token?: string|null, isOwned?: boolean, under?: string, kind?: string}} [how]  a Blob is sent unchanged, with its own type
   */
  async function call(path, { method = "GET", body, token, isOwned = false, under = "/api/v1", kind = "application/json" } = {}) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (body) headers["Content-Type"] = kind;
    if (token) headers.Authorization = `Bearer ${token}`;
    if (isOwned) headers["Fallline-Owner"] = owner();
    const request = { method, headers, ...(body ? { body: body instanceof Blob ? body : JSON.stringify(body) } : {}) };
    const response = await fetch(`${address}${under}${path}`, request).catch(() => {
      throw new Refused(NO_ANSWER);
    });
    if (response.status === 204) return null;
    const is = (/** @type {string} */ type) => response.ok && response.headers?.get("Content-Type")?.startsWith(type);
    if (is("image/")) return response.blob();
    if (is("text/")) return response.text();
    const answer = await response.json().catch(() => null);
    if (!response.ok || answer === null) {
      const problem = { title: response.statusText || NO_ANSWER.title, ...answer, status: response.status };
      throw new Refused(problem, Number(response.headers?.get("Retry-After")) || 0);
    }
    return answer;
  }

  /** @param {number} [step] @param {string} [more] */
  const stepQuery = (step, more) => {
    const query = [step === undefined ? "" : `step=${step}`, more].filter(Boolean).join("&");
    return query && `?${query}`;
  };
  /** @param {string} id */
  const at = (id) => `/experiments/${encodeURIComponent(id)}`;
  return {
    health: () => call("/healthz", { under: "" }),
    catalog: () => call("/catalog"),
    /** @param {Blob} file */
    sendTable: (file) => call("/datasets", { method: "POST", body: file, kind: "text/csv", isOwned: true }),
    /** @param {Blob} file */
    sendParameters: (file) => call("/parameters", { method: "POST", body: file, kind: "application/octet-stream" }),
    /** @param {string} id */
    table: (id) => call(`/datasets/${encodeURIComponent(id)}`),
    /** A QR code as SVG. @param {string} text @returns {Promise<Blob>} */
    qr: (text) => call("/qr", { method: "POST", body: { text } }),
    /** @param {Json} recipe */
    create: (recipe) => call("/experiments", { method: "POST", body: recipe, isOwned: true }),
    /** @param {string} id */
    experiment: (id) => call(at(id)),
    /** @param {string} id @param {string|null} token */
    remove: (id, token) => call(at(id), { method: "DELETE", token }),
    /** @param {string} id @param {string} name @param {{filled?: boolean}} [how]  not filled, an instrument's figure measures nothing */
    figure: (id, name, { filled = true } = {}) => call(`${at(id)}/figures/${name}${filled ? "" : "?filled=false"}`),
    /** Measures now, or at a step. @param {string} id @param {string} run @param {string} name @param {number} [step] @param {string} [query]  further query parameters */
    instrument: (id, run, name, step, query) => call(`${at(id)}/runs/${run}/instruments/${name}${stepQuery(step, query)}`),
    /** Checks a run's numbers at its present step. @param {string} id @param {string} run */
    check: (id, run) => call(`${at(id)}/runs/${run}/check`),
    /** A step line by line, for some rows of the batch. @param {string} id @param {string} run @param {{step?: number, first: number, rows: number, block: number}} query */
    inspect: (id, run, { step, first, rows, block }) => call(`${at(id)}/runs/${run}/inspect?first=${first}&rows=${rows}&block=${block}${step === undefined ? "" : `&step=${step}`}`),
    /** The same as a program. @param {string} id @param {string} run @param {number} step @returns {Promise<string>} */
    changeScript: (id, run, step) => call(`${at(id)}/runs/${run}/inspect/script?step=${step}`),
    /** A part of the history, in buckets fine enough for a chart. @param {string} id @param {string} run @param {{since: number, until: number, series: string[]}} query */
    history: (id, run, { since, until, series }) => call(`${at(id)}/runs/${run}/history?${new URLSearchParams([["since", `${since}`], ["until", `${until}`], ["encoding", "bdata"], ...series.map((name) => ["series", name])])}`),
  };
}
