/**
 * Words for a recipe refused because of a table or parameters that this server no longer has. Pure.
 */

/** @typedef {import("../state/types.js").Problem} Problem */

/** The table was replaced by others, or the server restarted without storage. @type {Problem} */
export const TABLE_GONE = { title: "The server no longer has your table", detail: "Choose or drop its file again, under Data." };

/** @type {Problem} */
export const START_GONE = {
  title: "This recipe's initial weights are not on this server",
  detail: "It starts from uploaded parameters and opens only on their server. Open their .npz file under Export.",
};

/** @type {Record<string, Problem>} */
const BY_POINTER = { "/data/dataset": TABLE_GONE, "/network/start": START_GONE };

/** Words for such a refusal, if it is one. @param {Problem} problem @returns {Problem} */
export function missingUploadWords(problem) {
  const match = problem.errors?.find(({ pointer }) => pointer in BY_POINTER);
  return match ? BY_POINTER[match.pointer] : problem;
}
