/**
 * Packs a link into the part of an address after "#", which no browser sends to a server. The form
 * is `#x=1.` and JSON, compressed (RFC 1951) and encoded as base64url (RFC 4648).
 * Owns: packing, unpacking and their bounds. links.ts has the content.
 */

import { CUT, readLink, UnreadableLink, VERSION } from "./links.ts";
import * as texts from "../../words/english.ts";
import type { Link } from "./links.ts";

/** Bound of the unpacked size: the server refuses larger recipes. */
export const MOST_BYTES = 64 * 1024;
/** Bound in characters; data that does not compress grows a little. */
const LONGEST = 2 * MOST_BYTES;
const SHAPE = /^x=(\d{1,6})\.([A-Za-z0-9_-]+)$/;

async function passed(
  bytes: Uint8Array<ArrayBuffer>,
  through: CompressionStream | DecompressionStream,
  most = Infinity,
) {
  const reader = new Blob([bytes])
    .stream()
    .pipeThrough<Uint8Array<ArrayBuffer>>(through as any)
    .getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    size += part.value.length;
    if (size > most) {
      await reader.cancel();
      throw new UnreadableLink(texts.itIsLargerThanAnyExperiment);
    }
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const written = (bytes: Uint8Array) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const bytesOf = (text: string) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) =>
    character.charCodeAt(0),
  );

/** The fragment without its "#"; null if it would be too large to open. */
export async function pack(link: Link): Promise<string | null> {
  const bytes = new TextEncoder().encode(JSON.stringify(link));
  if (bytes.length > MOST_BYTES) return null;
  return `x=${VERSION}.${written(await passed(bytes, new CompressionStream("deflate-raw")))}`;
}

/** True for any link, even one cut short or mistyped. */
export const isPacked = (fragment: string) => fragment.startsWith("x=");

/**
 * @param fragment without its "#"
 * @returns rejects with UnreadableLink
 */
export async function unpack(fragment: string): Promise<Link> {
  const match = fragment.length <= LONGEST ? SHAPE.exec(fragment) : null;
  if (!match) throw new UnreadableLink(CUT);
  const version = Number(match[1]);
  // an unknown version may be packed in an unknown way
  if (version > VERSION) return readLink(version, null);
  try {
    const bytes = await passed(
      bytesOf(match[2]),
      new DecompressionStream("deflate-raw"),
      MOST_BYTES,
    );
    return readLink(version, JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    if (error instanceof UnreadableLink) throw error;
    throw new UnreadableLink(CUT);
  }
}
