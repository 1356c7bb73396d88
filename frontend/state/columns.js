/**
 * Columns as they travel.
 * Owns: reading both encodings.
 */

/** @typedef {import("./types.js").Columns} Columns */

/** Plotly's names of the typed arrays that the server uses. */
const DTYPES = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/** Recent browsers have a native way, ten times as fast. @param {string} base64 @returns {Uint8Array<ArrayBuffer>} */
function bytesOf(base64) {
  if ("fromBase64" in Uint8Array) return /** @type {any} */ (Uint8Array).fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * Decodes a column: a JSON array (null = missing) or Plotly's {dtype, bdata}.
 * @param {any} column
 * @returns {ArrayLike<number>}
 */
export function decode(column) {
  if (Array.isArray(column)) return column.map((value) => (value === null ? NaN : value));
  const Type = DTYPES[/** @type {keyof typeof DTYPES} */ (column.dtype)];
  if (!Type) throw new Error(`a column of dtype ${column.dtype}`);
  return new Type(bytesOf(column.bdata).buffer);
}

/** The newest finite value of each series in a frame's columns. @param {Columns} columns */
export function latestOf(columns) {
  /** @type {Record<string, {step: number, value: number}>} */
  const latest = {};
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
