/**
 * The address in links: one that others can reach.
 * Owns: which one that is. A page on the server's own machine asks the server.
 */

import { mayBeHere } from "../../core/net/here.ts";
import type { Clients } from "../../core/net/api.ts";

/** Asks anew for each link, since a laptop changes networks. */
export const createShareAddress =
  ({ api, environment }: Pick<Clients, "api" | "environment">) =>
  async () => {
    const own = environment.address;
    if (!mayBeHere(own)) return own;
    const { addresses } = await api.addresses().catch(() => ({ addresses: [] }));
    return addresses[0] ?? own;
  };
