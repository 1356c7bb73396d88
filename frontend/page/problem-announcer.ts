/**
 * Problems not announced yet, so that each is announced once.
 * Owns: that memory. A divergence has its own alert; problems found before the page came are no
 * news.
 */

import type { Finding, State } from "../core/types.ts";

const isToBeSaid = ({ severity, rule, until_step: until }: Finding) =>
  severity === "problem" && rule !== "diverged" && until === null;

/** @returns sentences of the new problems; empty if there are none */
export function createProblemAnnouncer(): (state: State) => string {
  let experiment: string | null = null;
  let announced: Set<string> = new Set();
  return (state) => {
    const problems = Object.values(state.runs).flatMap(({ name, generation, findings }) =>
      findings
        .filter(isToBeSaid)
        .map(({ id, title }) => ({ key: `${name} ${generation} ${id}`, title })),
    );
    const id = state.experiment?.id ?? null;
    const fresh = id === experiment ? problems.filter(({ key }) => !announced.has(key)) : [];
    announced = new Set([
      ...(id === experiment ? announced : []),
      ...problems.map(({ key }) => key),
    ]);
    experiment = id;
    return fresh.map(({ title }) => title).join(" ");
  };
}
