/**
 * Packs a link into the part of an address after "#", which no browser sends to a server. The form is `#x=1.` and
 * JSON, compressed (RFC 1951) and encoded as base64url (RFC 4648).
 * Owns: packing, unpacking and their bounds. state/links.js has the content.
 */

import { CUT, readLink, UnreadableLink, VERSION } from "../state/links.js";

/** @typedef {import("../state/links.js").Link} Link */

/** Bound of the unpacked size: the server refuses larger recipes. */
export const MOST_BYTES = 64 * 1024;
/** Bound in characters; data that does not compress grows a little. */
const LONGEST = 2 * MOST_BYTES;
const SHAPE = /^x=(\d{1,6})\.([A-Za-z0-9_-]+)$/;

/** @param {Uint8Array<ArrayBuffer>} bytes @param {CompressionStream|DecompressionStream} through */
async function passed(bytes, through, most = Infinity) {
  const reader = new Blob([bytes]).stream().pipeThrough(/** @type {any} */ (through)).getReader();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    size += part.value.length;
    if (size > most) {
      await reader.cancel();
      throw new UnreadableLink("It is larger than any experiment. Your experiment is unchanged.");
    }
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** @param {Uint8Array} bytes */
const written = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
/** @param {string} text */
const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));

/**
 * The fragment without its "#"; null if it would be too large to open.
 * @param {Link} link
 * @returns {Promise<string|null>}
 */
export async function pack(link) {
  const bytes = new TextEncoder().encode(JSON.stringify(link));
  if (bytes.length > MOST_BYTES) return null;
  return `x=${VERSION}.${written(await passed(bytes, new CompressionStream("deflate-raw")))}`;
}

/** True for any link, even one cut short or mistyped. @param {string} fragment */
export const isPacked = (fragment) => fragment.startsWith("x=");

/**
 * @param {string} fragment  without its "#"
 * @returns {Promise<Link>}  rejects with UnreadableLink
 */
export async function unpack(fragment) {
  const match = fragment.length <= LONGEST ? SHAPE.exec(fragment) : null;
  if (!match) throw new UnreadableLink(CUT);
  const version = Number(match[1]);
  // an unknown version may be packed in an unknown way
  if (version > VERSION) return readLink(version, null);
  try {
    const bytes = await passed(bytesOf(match[2]), new DecompressionStream("deflate-raw"), MOST_BYTES);
    return readLink(version, JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    if (error instanceof UnreadableLink) throw error;
    throw new UnreadableLink(CUT);
  }
}
