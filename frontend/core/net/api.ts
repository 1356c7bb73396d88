/** The page's REST calls. Owns: URLs and problem details. */

import * as texts from "../../words/english.ts";
import type { StoryAnswer } from "../wire-types.ts";
import type { Environment, ExperimentAnswer, Json, Problem, Store } from "../types.ts";

/** A refused request, with its RFC 9457 problem details. */
export class Refused extends Error {
  problem: Problem;
  retryAfter: number;

  /** @param retryAfter seconds, if the server says when to retry */
  constructor(problem: Problem, retryAfter = 0) {
    super(problem.title);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

export type Api = ReturnType<typeof createApi>;
/** what every module needs that asks the server something for a view */
export type Clients = { api: Api; store: Store; environment: Environment };

const NO_ANSWER: Problem = {
  title: texts.theServerDoesNotAnswer,
  detail: texts.checkThatItIsRunning,
};

const historyQuery = ({
  series,
  ...range
}: {
  since: number;
  until: number;
  series: string[];
  buckets?: number;
}) =>
  new URLSearchParams([
    ...Object.entries(range).map(([name, value]) => [name, `${value}`]),
    ["encoding", "bdata"],
    ...series.map((name) => ["series", name]),
  ]);

/**
 * @param address of the page
 * @param owner the owner key for new experiments, tables and QR codes
 */
export function createApi(fetch: typeof globalThis.fetch, address: string, owner: () => string) {
  /** @param how a Blob is sent unchanged, with its own type */
  async function call(
    path: string,
    {
      method = "GET",
      body,
      token,
      isOwned = false,
      under = "/api/v1",
      kind = "application/json",
    }: {
      method?: string;
      body?: Json | Blob;
      token?: string | null;
      isOwned?: boolean;
      under?: string;
      kind?: string;
    } = {},
  ) {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body) headers["Content-Type"] = kind;
    if (token) headers.Authorization = `Bearer ${token}`;
    if (isOwned) headers["Fallline-Owner"] = owner();
    const request = {
      method,
      headers,
      ...(body ? { body: body instanceof Blob ? body : JSON.stringify(body) } : {}),
    };
    const response = await fetch(`${address}${under}${path}`, request).catch(() => {
      throw new Refused(NO_ANSWER);
    });
    if (response.status === 204) return response.headers?.get("Fallline-Undo") ?? null;
    const is = (type: string) =>
      response.ok && response.headers?.get("Content-Type")?.startsWith(type);
    if (is("image/")) return response.blob();
    if (is("text/")) return response.text();
    const answer = await response.json().catch(() => null);
    if (!response.ok || answer === null) {
      const problem = {
        title: response.statusText || NO_ANSWER.title,
        ...answer,
        status: response.status,
      };
      throw new Refused(problem, Number(response.headers?.get("Retry-After")) || 0);
    }
    return answer;
  }

  const stepQuery = (step?: number, more?: string) => {
    const query = [step === undefined ? "" : `step=${step}`, more].filter(Boolean).join("&");
    return query && `?${query}`;
  };
  const at = (id: string) => `/experiments/${encodeURIComponent(id)}`;
  return {
    health: () => call("/healthz", { under: "" }),
    catalog: () => call("/catalog"),
    sendTable: (file: Blob) =>
      call("/datasets", { method: "POST", body: file, kind: "text/csv", isOwned: true }),
    sendParameters: (file: Blob) =>
      call("/parameters", { method: "POST", body: file, kind: "application/octet-stream" }),
    table: (id: string) => call(`/datasets/${encodeURIComponent(id)}`),
    /** Takes back a reset, the removal of a run, or a deletion. */
    undo: (id: string, token: string | null): Promise<ExperimentAnswer> =>
      call(`/undo/${id}`, { method: "POST", body: {}, token }),
    /** The server's addresses for other machines; none unless the page runs on the server's. */
    addresses: (): Promise<{ addresses: string[] }> => call("/addresses"),
    /** A QR code as SVG. */
    qr: (text: string): Promise<Blob> =>
      call("/qr", { method: "POST", body: { text }, isOwned: true }),
    create: (recipe: Json) => call("/experiments", { method: "POST", body: recipe, isOwned: true }),
    experiment: (id: string) => call(at(id)),
    /** @returns the id that takes it back; null if it is gone for good */
    remove: (id: string, token: string | null): Promise<string | null> =>
      call(at(id), { method: "DELETE", token }),
    /** @param how not filled, an instrument's figure measures nothing */
    figure: (id: string, name: string, { filled = true }: { filled?: boolean } = {}) =>
      call(`${at(id)}/figures/${name}${filled ? "" : "?filled=false"}`),
    /**
     * Measures now, or at a step.
     * @param query further query parameters
     */
    instrument: (id: string, run: string, name: string, step?: number, query?: string) =>
      call(`${at(id)}/runs/${run}/instruments/${name}${stepQuery(step, query)}`),
    /** All samples. */
    data: (id: string) => call(`${at(id)}/data`),
    /** All that the page shows of the runs, of one moment. */
    moment: (id: string, query: string) => call(`${at(id)}/moment?${query}`),
    /** Measures several runs. */
    sharedInstrument: (id: string, name: string, query: string) =>
      call(`${at(id)}/instruments/${name}?${query}`),
    /** Checks a run's numbers at its present step. */
    check: (id: string, run: string) => call(`${at(id)}/runs/${run}/check`),
    /** The story of an exhibit, and the answer of an experiment's runs to its question. */
    story: (exhibit: string, id: string): Promise<StoryAnswer> =>
      call(`/exhibits/${encodeURIComponent(exhibit)}/story?experiment=${encodeURIComponent(id)}`),
    /** A step line by line, for some rows of the batch. */
    inspect: (
      id: string,
      run: string,
      { step, first, rows, block }: { step?: number; first: number; rows: number; block: number },
    ) =>
      call(
        `${at(id)}/runs/${run}/inspect?first=${first}&rows=${rows}&block=${block}${step === undefined ? "" : `&step=${step}`}`,
      ),
    /** The same as a program. */
    changeScript: (id: string, run: string, step: number): Promise<string> =>
      call(`${at(id)}/runs/${run}/inspect/script?step=${step}`),
    /** A part of the history, in buckets fine enough for a chart. */
    history: (
      id: string,
      run: string,
      query: { since: number; until: number; series: string[]; buckets?: number },
    ) => call(`${at(id)}/runs/${run}/history?${historyQuery(query)}`),
  };
}
