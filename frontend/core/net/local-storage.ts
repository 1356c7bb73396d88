/**
 * Local storage between visits.
 * - the owner key, bets, and the page's settings
 * - the experiment with token and recipe
 * - experiments left for a link
 * - deletions that can be taken back
 * Owns: names and shapes in local storage. An unreadable value counts as missing.
 */

import { recipeNow } from "../recipes.ts";
import type { Bet } from "../questions.ts";
import type { Environment, Lane, Recipe, State, Store } from "../types.ts";

export type Stored = {
  id: string;
  token: string | null;
  recipe: Recipe;
  lanes?: Record<string, Lane>;
};

const OWNER = "fallline.owner";
const KEY = /^[0-9a-f]{32}$/;
const EXPERIMENT = "fallline.experiment";
const FORMERS = "fallline.formers";
/** Number of former experiments remembered. */
const MOST_FORMERS = 8;
const BETS = "fallline.bets";
/** Number of bets remembered, one for each experiment. */
const MOST_BETS = 32;
const DELETIONS = "fallline.deletions";
/** Number of deletions remembered. */
const MOST_DELETIONS = 32;
const VIEW = "fallline.view";
const LASTING = [
  "x",
  "y",
  "measure",
  "theme",
  "singleKeys",
  "closedDivergences",
  "showsTest",
  "showsBand",
] as const;

export function createLocalStore(storage: Environment["storage"]) {
  function read(key: string) {
    try {
      return JSON.parse(storage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  }

  function write(key: string, value: unknown) {
    try {
      storage.setItem(key, JSON.stringify(value));
    } catch {
      // full or forbidden: the page works on, and a reload starts afresh
    }
  }

  /** While you watch somebody else's experiment, your own stays stored. */
  function keepExperiment(state: State) {
    const { experiment, isWatching } = state;
    if (experiment && !isWatching)
      write(EXPERIMENT, {
        id: experiment.id,
        token: experiment.token,
        recipe: recipeNow(state),
        lanes: Object.fromEntries(state.order.map((name) => [name, state.runs[name].lane])),
      });
  }

  const isWhole = (value: any): value is Stored =>
    typeof value?.id === "string" && Boolean(value.recipe);

  function formers(): Stored[] {
    const value = read(FORMERS);
    return Array.isArray(value) ? value.filter(isWhole) : [];
  }

  function bets(): Bet[] {
    const value = read(BETS);
    const isBet = (bet: any): bet is Bet =>
      typeof bet?.experiment === "string" &&
      typeof bet.exhibit === "string" &&
      ["string", "number"].includes(typeof bet.answer);
    return Array.isArray(value) ? value.filter(isBet) : [];
  }

  function keepBet(bet: Bet) {
    const others = bets().filter(({ experiment }) => experiment !== bet.experiment);
    write(BETS, [...others, bet].slice(-MOST_BETS));
  }

  /** Ids of deleted experiments, each with the id that takes it back. */
  function deletions(): [string, string][] {
    const value = read(DELETIONS);
    return Array.isArray(value) ? value.filter((each) => each?.length === 2) : [];
  }

  /** Without storage the key lasts as long as the page. */
  let owner = "";

  return {
    /**
     * The key under which this browser creates experiments and tables. Only those calls send it,
     * and only to the server.
     * @param make makes the key on first use
     */
    owner(make: () => string): string {
      const value = read(OWNER);
      if (typeof value === "string" && KEY.test(value)) return (owner = value);
      write(OWNER, (owner ||= make()));
      return owner;
    },
    experiment(): Stored | null {
      const value = read(EXPERIMENT);
      return isWhole(value) ? value : null;
    },
    /** The lanes of its runs, when this browser saw it last. */
    lanes(id: string): Record<string, Lane> {
      const experiments: Stored[] = [read(EXPERIMENT), ...formers()].filter(isWhole);
      return experiments.find((stored) => stored.id === id)?.lanes ?? {};
    },
    /** Oldest first. */
    formers,
    addFormer: (left: Stored | null) =>
      left &&
      write(FORMERS, [...formers().filter(({ id }) => id !== left.id), left].slice(-MOST_FORMERS)),
    /**
     * Removes the last one, which is opened again, and adds the one left for it at the start:
     * repeated use goes through all.
     */
    turnFormers: (left: Stored | null) =>
      write(FORMERS, [...(left ? [left] : []), ...formers().slice(0, -1)]),
    /** Only fields that this version knows. */
    view(): Partial<State["view"]> {
      const value = read(VIEW) ?? {};
      return Object.fromEntries(
        LASTING.filter((name) => name in value).map((name) => [name, value[name]]),
      );
    },
    /** The bet on an experiment. No link has it. */
    bet: (experiment: string): Bet | null =>
      bets().find((bet) => bet.experiment === experiment) ?? null,
    /** The server keeps the experiment for a while, for every tab of this browser. */
    addDeletion: (id: string, undo: string) =>
      write(DELETIONS, [...deletions(), [id, undo]].slice(-MOST_DELETIONS)),
    /** The key that takes back the deletion of an experiment by this browser. */
    undoOf: (id: string) => new Map(deletions()).get(id) ?? null,
    forget: () => storage.removeItem(EXPERIMENT),
    follow(store: Store) {
      const stories = [
        store.watch(
          ({ experiment, order, runs }) => [
            experiment?.id,
            experiment?.token,
            experiment?.recipe,
            ...order.flatMap((name) => [runs[name].edits, runs[name].label, runs[name].lane]),
          ],
          (_, state) => keepExperiment(state),
        ),
        store.watch(
          ({ bet }) => bet,
          (bet) => bet && keepBet(bet),
        ),
        store.watch(
          ({ view }) => LASTING.map((name) => view[name]),
          (_, { view }) =>
            write(VIEW, Object.fromEntries(LASTING.map((name) => [name, view[name]]))),
        ),
      ];
      return () => stories.forEach((stop) => stop());
    },
  };
}
