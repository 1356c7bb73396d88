/**
 * Checks the connection: a ping every few seconds, its round trip, and the time of silence.
 * Owns: those clocks. The socket's `onclose` is not used: it may come minutes after the connection
 * is lost.
 */

export const SILENCE = 12_000;
const EVERY = 3_000;

export function createHeartbeat() {
  let heardAt = 0;
  let pingedAt = 0;
  let count = 0;
  const out: Map<string, number> = new Map();

  return {
    begin(now: number) {
      heardAt = now;
      pingedAt = now;
      out.clear();
    },
    hear: (now: number) => void (heardAt = now),
    /** ms since something came. */
    silence: (now: number) => now - heardAt,
    isSilent: (now: number) => now - heardAt > SILENCE,
    isDue: (now: number) => now - pingedAt >= EVERY,
    ping(now: number) {
      pingedAt = now;
      const id = `p${++count}`;
      out.set(id, now);
      return { type: "ping", id };
    },
    /** Latency in ms; null for an unexpected answer. */
    pong(id: string, now: number) {
      const start = out.get(id);
      out.delete(id);
      return start === undefined ? null : now - start;
    },
  };
}
