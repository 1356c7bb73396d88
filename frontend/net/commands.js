/**
 * Commands on their way: an id for ever, a place under `pending`, a message for the session.
 * Owns: the shape of a command. Must not know sockets or answers.
 */

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Message} Message */

/**
 * @param {object} given
 * @param {() => string} given.uuid
 * @param {() => string|null} given.experiment  the one that is watched
 * @param {(message: Message) => void} given.dispatch
 * @param {(message: Json) => void} given.send
 */
export function createCommands({ uuid, experiment, dispatch, send }) {
  /**
   * @param {string} what  play, pause, step, reset, edit, add_run, remove_run
   * @param {string|null} [run]
   * @param {Json} [body]
   * @returns {string|null} the command's id
   */
  return function command(what, run = null, body = {}) {
    const target = experiment();
    if (!target) return null;
    const id = uuid();
    dispatch({ type: "sent", id, do: what, run, body });
    send({ type: "command", id, experiment: target, do: what, ...(run === null ? {} : { run }), ...body });
    return id;
  };
}
