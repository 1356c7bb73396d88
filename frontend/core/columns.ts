/**
 * Columns as they travel.
 * Owns: reading both encodings.
 */

import type { Columns } from "./types.ts";

/** Plotly's names of the typed arrays that the server uses. */
const DTYPES = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/** Recent browsers have a native way, ten times as fast. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  if ("fromBase64" in Uint8Array) return (Uint8Array as any).fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Decodes a column: a JSON array (null = missing) or Plotly's {dtype, bdata}. */
export function decode(column: any): ArrayLike<number> {
  if (Array.isArray(column)) return column.map((value) => (value === null ? NaN : value));
  const Type = DTYPES[column.dtype as keyof typeof DTYPES];
  if (!Type) throw new Error(`a column of dtype ${column.dtype}`);
  return new Type(bytesOf(column.bdata).buffer);
}

/** The newest finite value of each series in a frame's columns. */
export function latestOf(columns: Columns) {
  const latest: Record<string, { step: number; value: number }> = {};
  const last = decode(columns.last);
  for (const [name, wire] of Object.entries(columns.series)) {
    const values = decode(wire.last);
    for (let i = values.length - 1; i >= 0; i--) {
      if (!Number.isFinite(values[i])) continue;
      latest[name] = { step: last[i], value: values[i] };
      break;
    }
  }
  return latest;
}
