/**
 * Which addresses lead to the page's own computer only, or may do so.
 * Pure.
 */

/** A server that takes every address listens at the last two. They are no address for others. */
const NAMES = ["localhost", "[::1]", "0.0.0.0", "[::]"];

/** Only the page's own computer reaches this address. */
export function isHere(address: string) {
  const { hostname } = new URL(address);
  return NAMES.includes(hostname) || hostname.startsWith("127.");
}

/** A name without a dot may be that of this computer, which leads to it only: the server knows. */
export const mayBeHere = (address: string) =>
  isHere(address) || !/[.:]/.test(new URL(address).hostname);
