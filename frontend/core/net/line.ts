/** Lines carry messages between page and server. Owns: the shape of a line, and the WebSocket. */

import { readBinary } from "../columns.ts";
import type { Environment, Json } from "../types.ts";

/** Close code of a line that was never open, or was cut. */
export const NOBODY = 1006;
/** Close code of a line that the server opened, and whose messages do not come through. */
export const UNREADABLE = 1005;

export type Heard = {
  opened: () => void;
  received: (message: Json) => void;
  closed: (code: number) => void;
};

export type Line = { send: (message: Json) => void; close: () => void };

export function openWebSocket(
  { WebSocket, address }: Pick<Environment, "WebSocket" | "address">,
  { opened, received, closed }: Heard,
): Line {
  const socket = new WebSocket(`${address.replace(/^http/, "ws")}/api/v1/stream`);
  socket.binaryType = "arraybuffer";
  socket.onopen = opened;
  socket.onmessage = ({ data }) =>
    received(typeof data === "string" ? JSON.parse(data) : readBinary(data));
  socket.onclose = ({ code }) => closed(code);
  return {
    send(message) {
      if (socket.readyState === 1) socket.send(JSON.stringify(message));
    },
    close: () => socket.close(),
  };
}
