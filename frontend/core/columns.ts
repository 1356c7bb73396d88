/**
 * Columns as they travel.
 * Owns: reading their encodings.
 */

import type { Columns, Json } from "./types.ts";

/** Plotly's names of the typed arrays that the server uses. */
const DTYPES = {
  f8: Float64Array,
  f4: Float32Array,
  i4: Int32Array,
  u4: Uint32Array,
  u1: Uint8Array,
};

const UTF8 = new TextDecoder();

/** Recent browsers have a native way, ten times as fast. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  if ("fromBase64" in Uint8Array) return (Uint8Array as any).fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Decodes a column: numbers, a JSON array (null = missing) or Plotly's {dtype, bdata}. */
export function decode(column: any): ArrayLike<number> {
  if (ArrayBuffer.isView(column)) return column as Float64Array;
  if (Array.isArray(column)) return column.map((value) => (value === null ? NaN : value));
  const Type = DTYPES[column.dtype as keyof typeof DTYPES];
  if (!Type) throw new Error(`a column of dtype ${column.dtype}`);
  return new Type(bytesOf(column.bdata).buffer);
}

/** Reads a binary frame. Its columns are views of the message: whoever keeps them copies them. */
export function readBinary(message: ArrayBuffer): Json {
  const length = new DataView(message).getUint32(0, true);
  const start = Math.ceil((4 + length) / 8) * 8;
  function view(part: Json) {
    for (const name in part) {
      const { dtype, at, n } = part[name];
      if (dtype) part[name] = new DTYPES[dtype as keyof typeof DTYPES](message, start + at, n);
      else if (typeof part[name] === "object") view(part[name]);
    }
  }
  const frame = JSON.parse(UTF8.decode(new Uint8Array(message, 4, length)));
  for (const { columns } of Object.values<Json>(frame.runs)) {
    view(columns);
    // where each bucket is one step, all statistics are its value
    for (const [name, stat] of Object.entries<Json>(columns.series))
      columns.series[name] = { min: stat.last, max: stat.last, mean: stat.last, ...stat };
  }
  return frame;
}

/**
 * Columns of a frame, also of one whose numbers are packed into one text. A series without a value may
 * be missing.
 * @param names the series of the request, to which packed columns refer by their places; null: all
 */
export function unpacked(columns: Json, names: string[] | null): Columns {
  if (columns.encoding !== "packed" || !names)
    return { ...(columns as Columns), ...(names && { asked: names }) };
  const { generation, buckets, wide, f8, f4, counted = [] } = columns;
  const { buffer } = bytesOf(columns.bdata);
  let at = 0;
  function row(Type: typeof Float64Array | typeof Float32Array) {
    const numbers = new Type(buffer, at, buckets);
    at += numbers.byteLength;
    return numbers;
  }
  function statOf(Type: typeof Float64Array | typeof Float32Array): Json {
    const min = row(Type);
    if (!wide) return { min, max: min, mean: min, last: min };
    return { min, max: row(Type), mean: row(Type), last: row(Type) };
  }
  const first = Float64Array.from({ length: buckets }, (_, k) => columns.first + k);
  const last = wide ? row(Float64Array) : first;
  if (wide) for (let k = 1; k < buckets; k++) first[k] = last[k - 1] + 1;
  const [samples_seen, seconds] = [row(Float64Array), row(Float64Array)];
  const series: Json = {};
  for (const place of f8) series[names[place]] = statOf(Float64Array);
  const counts: [number, ArrayLike<number>][] = [];
  for (const place of counted) counts.push([place, row(Float64Array)]);
  for (const place of f4) series[names[place]] = statOf(Float32Array);
  for (const [place, count] of counts) series[names[place]].count = count;
  return { generation, first, last, samples_seen, seconds, series, asked: names };
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
