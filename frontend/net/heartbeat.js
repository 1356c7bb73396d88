/**
 * Checks the connection: a ping every few seconds, its round trip, and the time of silence.
 * Owns: those clocks. The socket's `onclose` is not used: it may come minutes after the connection is lost.
 */

export const SILENCE = 12_000;
const EVERY = 3_000;

export function createHeartbeat() {
  let heardAt = 0;
  let pingedAt = 0;
  let count = 0;
  /** @type {Map<string, number>} */
  const out = new Map();

  return {
    /** @param {number} now */
    begin(now) {
      heardAt = now;
      pingedAt = now;
      out.clear();
    },
    /** @param {number} now */
    hear: (now) => void (heardAt = now),
    /** @param {number} now */
    isSilent: (now) => now - heardAt > SILENCE,
    /** @param {number} now */
    isDue: (now) => now - pingedAt >= EVERY,
    /** @param {number} now */
    ping(now) {
      pingedAt = now;
      const id = `p${++count}`;
      out.set(id, now);
      return { type: "ping", id };
    },
    /** Latency in ms; null for an unexpected answer. @param {string} id @param {number} now */
    pong(id, now) {
      const start = out.get(id);
      out.delete(id);
      return start === undefined ? null : now - start;
    },
  };
}
