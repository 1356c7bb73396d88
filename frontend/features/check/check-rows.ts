/**
 * The lines of the check before a class: what was measured, in words, and whether it is enough.
 * Owns: the limits and the words. Pure.
 */

import { integer, plural } from "../../core/format.ts";
import { isHere } from "../../core/net/here.ts";
import * as texts from "../../words/english.ts";

/** The probes' measurements; missing ones are left out. Times are in ms. */
export interface Measured {
  server?: { version?: string; problem?: string };
  /** addresses of the server for other machines; none unless this is the server's own machine */
  address?: { own: string; others: string[] };
  websocket?: Line;
  events?: Line;
  polling?: Line;
  roundTrips?: number[];
  /** bytes as they came, compressed */
  download?: { bytes: number; ms: number };
  /** the server's clock minus this one's; the server sends whole seconds */
  clockMs?: number;
  browser?: { userAgent: string; isModern: boolean };
  storage?: boolean;
}

/** Time until the first answer on a line, or why there is none. `missing`: this server does not offer it. */
export type Line = { ms: number } | { failed: "refused" | "silent" | "missing" };

export interface Row {
  name: string;
  text: string;
  isGood: boolean;
}

/** A probe of a line gives up after this. */
export const SILENT_MS = 3000;

const MOST_ROUND_TRIP_MS = 300;
const LEAST_MBIT = 1;
/** A person who watches ten frames a second takes 25 kB/s at most. */
const PERSON_MBIT = 0.2;
/** Bytes of a first visit. */
const PAGE_BYTES = 650_000;
const MOST_CLOCK_MS = 60_000;
/** The server's clock is known to a second. */
const CLOCK_GRAIN_MS = 1500;

const OLDEST = [
  { name: "Firefox", found: /\bFirefox\/(\d+(?:\.\d+)?)/, least: 125 },
  { name: "Edge", found: /\bEdg\/(\d+)/, least: 124 },
  { name: "Opera", found: /\bOPR\/(\d+)/, least: 110 },
  { name: "Chromium", found: /\b(?:Headless)?Chrom(?:e|ium)\/(\d+)/, least: 124 },
  { name: "Safari", found: /\bVersion\/(\d+(?:\.\d+)?).* Safari\//, least: 17.4 },
];

/** The server's own words, as a sentence. */
const sentence = (text: string) => texts.capital(text).replace(/\.?$/, ".");
const time = (ms: number) => (ms < 10 ? texts.xMs(ms.toFixed(1)) : texts.xMs(Math.round(ms)));
const rate = (mbit: number) =>
  mbit < 10 ? texts.xMbitS(mbit.toFixed(1)) : texts.xMbitS(Math.round(mbit));
const host = (address: string) => new URL(address).host;

const middle = (values: number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const works = (line?: Line): line is { ms: number } => line !== undefined && "ms" in line;

const LINES = {
  websocket: "WebSocket",
  events: texts.serverSentEvents,
  polling: texts.longPolling,
};
type Kind = keyof typeof LINES;
const KINDS = Object.keys(LINES) as Kind[];

/** The line that the page uses from here, the best that works; null if none does. */
export const lineInUse = (measured: Measured) =>
  KINDS.find((kind) => works(measured[kind])) ?? null;

const FAILED: Record<string, string> = {
  refused: texts.refusedOnTheWay,
  silent: texts.noAnswerWithinXS(SILENT_MS / 1000),
};

function lineRow(measured: Measured, kind: Kind): Row | null {
  const line = measured[kind];
  if (!line || ("failed" in line && line.failed === "missing")) return null;
  if (!works(line)) return { name: LINES[kind], text: `${FAILED[line.failed]}.`, isGood: false };
  const use = lineInUse(measured) === kind ? texts.thePageUsesItTail : "";
  return { name: LINES[kind], text: texts.answersAfterXY(time(line.ms), use), isGood: true };
}

function serverRow({ server }: Measured): Row | null {
  if (!server) return null;
  const { version, problem } = server;
  const words = problem && sentence(problem);
  return {
    name: texts.server,
    text: words ?? texts.falllineXIsReady(version ?? ""),
    isGood: !problem,
  };
}

function addressRow({ address }: Measured): Row | null {
  if (!address) return null;
  const { own, others } = address;
  if (others.length)
    return { name: texts.address, text: texts.othersOpenXNotY(others[0], host(own)), isGood: true };
  if (!isHere(own)) return { name: texts.address, text: texts.othersOpenX(own), isGood: true };
  const text = texts.onlyThisComputerReachesXStart(host(own));
  return { name: texts.address, text, isGood: false };
}

function roundTripRow({ roundTrips }: Measured): Row | null {
  if (!roundTrips?.length) return null;
  const usual = middle(roundTrips);
  return {
    name: texts.roundTrip,
    text: texts.xAtMostY(time(usual), time(Math.max(...roundTrips))),
    isGood: usual <= MOST_ROUND_TRIP_MS,
  };
}

function throughputRow({ download }: Measured): Row | null {
  if (!download) return null;
  const mbit = (download.bytes * 8) / 1000 / Math.max(download.ms, 0.1);
  const seconds = (PAGE_BYTES * 8) / 1e6 / mbit;
  const load = seconds < 0.1 ? texts.inLessThan01S : texts.inXS(seconds.toFixed(1));
  const people = Math.floor(mbit / PERSON_MBIT);
  const enough = texts.enoughForXY(integer(people), people === 1 ? texts.person : texts.people);
  return {
    name: texts.throughput,
    text: texts.xThePageLoadsYZ(rate(mbit), load, enough),
    isGood: mbit >= LEAST_MBIT,
  };
}

function clockRow({ clockMs }: Measured): Row | null {
  if (clockMs === undefined) return null;
  const off = Math.abs(clockMs);
  const way = clockMs > 0 ? texts.behindWord : texts.aheadOf;
  const text =
    off <= CLOCK_GRAIN_MS
      ? texts.agreesWithTheServers
      : texts.xYTheServers(plural(Math.round(off / 1000), "second"), way);
  return { name: texts.clock, text, isGood: off <= MOST_CLOCK_MS };
}

function browserRow({ browser }: Measured): Row | null {
  if (!browser) return null;
  const product = OLDEST.map(({ name, found, least }) => {
    const version = browser.userAgent.match(found)?.[1];
    return version ? { name, version, least } : null;
  }).find(Boolean);
  if (!product) {
    const text = browser.isModern ? texts.unknownButNewEnough : texts.tooOldForThePage;
    return { name: texts.browser, text, isGood: browser.isModern };
  }
  const { name, version, least } = product;
  const isGood = Number(version) >= least;
  const requirement = isGood ? "" : texts.thePageNeedsXOrNewerTail(least);
  return { name: texts.browser, text: `${name} ${version}.${requirement}`, isGood };
}

function storageRow({ storage }: Measured): Row | null {
  if (storage === undefined) return null;
  const text = storage ? texts.aReloadReturnsToTheSame : texts.blockedByTheBrowserAReload;
  return { name: texts.storage, text, isGood: storage };
}

/** The measurements so far, in the order of the page. */
export function rowsOf(measured: Measured): Row[] {
  return [
    serverRow(measured),
    addressRow(measured),
    ...KINDS.map((kind) => lineRow(measured, kind)),
    roundTripRow(measured),
    throughputRow(measured),
    clockRow(measured),
    browserRow(measured),
    storageRow(measured),
  ].filter((row) => row !== null);
}

/** The result in a sentence. One line that works is enough. */
export function resultOf(measured: Measured): { text: string; isGood: boolean } {
  const lines = Object.values(LINES);
  const isLine = ({ name }: Row) => lines.includes(name);
  const bad = rowsOf(measured).filter((row) => !row.isGood && !isLine(row));
  if (!measured.server?.problem && lineInUse(measured) === null)
    return { text: texts.notReadyNoLineToThe, isGood: false };
  if (bad.length) {
    const names = bad.map(({ name }) => texts.lower(name)).join(", ");
    return { text: texts.notReadyX(names), isGood: false };
  }
  const line = lineInUse(measured) as Kind;
  const by = line === "websocket" ? "" : texts.byXTail(texts.lower(LINES[line]));
  return { text: texts.readyForTheClassX(by), isGood: true };
}
