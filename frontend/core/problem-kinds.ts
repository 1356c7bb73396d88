/** Kinds of problems. Owns: how their addresses are recognized. Pure. */

import type { Problem } from "./types.ts";

/** The address ends with the kind's code; it starts with the path under which the server is reached. */
const isOf = (problem: Pick<Problem, "type"> | null, code: string) =>
  problem?.type?.endsWith(`/problems/${code}`) ?? false;

/** The server cannot store anything now. */
export const isReadOnlyProblem = (problem: Pick<Problem, "type"> | null) =>
  isOf(problem, "read-only");
