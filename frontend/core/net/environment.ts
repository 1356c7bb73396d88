/** The browser as the app sees it. Owns: which globals are used. Tests pass their own. */

import { embeddedIn, memoryStorage, readingOnly } from "../embed.ts";
import { storedName } from "../stored-names.ts";
import type { Environment } from "../types.ts";

const FPS = { usual: 30, most: 30 };

/** Frames a second: `?fps=10` requests fewer. */
export function fpsOf(search: string) {
  const fps = Number(new URLSearchParams(search).get("fps") ?? FPS.usual);
  return Number.isInteger(fps) ? Math.min(FPS.most, Math.max(1, fps)) : FPS.usual;
}

/** The browser's storage for the server at this path. */
function storageAt(pathname: string): Environment["storage"] {
  const at = (key: string) => storedName(key, pathname);
  return {
    getItem: (key) => localStorage.getItem(at(key)),
    setItem: (key, value) => localStorage.setItem(at(key), value),
    removeItem: (key) => localStorage.removeItem(at(key)),
  };
}

/** Storage, or null if the browser forbids it: then nothing is stored. */
function safeStorage(): Environment["storage"] {
  try {
    const probe = "fallline.probe";
    localStorage.setItem(probe, "1");
    localStorage.removeItem(probe);
    return storageAt(location.pathname);
  } catch {
    return memoryStorage();
  }
}

/**
 * 32 random hex digits. `crypto.randomUUID` exists on secure origins only, which a workshop's LAN
 * is not.
 */
function secret() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function browserEnvironment(): Environment {
  const isEmbedded = embeddedIn(location.search) !== null;
  const plain: typeof fetch = (...request) => fetch(...request);
  return {
    fetch: isEmbedded ? readingOnly(plain) : plain,
    WebSocket,
    storage: isEmbedded ? memoryStorage() : safeStorage(),
    isEmbedded,
    now: () => performance.now(),
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    random: Math.random,
    uuid: () => crypto.randomUUID?.() ?? secret(),
    secret,
    address: new URL(".", location.href).href.replace(/\/$/, ""),
    fps: fpsOf(location.search),
    hidden: () => document.hidden,
    calm: () => matchMedia("(prefers-reduced-motion: reduce)").matches,
    fragment: () => location.hash.slice(1),
    setFragment: (fragment) =>
      history.replaceState(
        null,
        "",
        fragment ? `#${fragment}` : location.pathname + location.search,
      ),
    listen(hear) {
      window.addEventListener("online", () => hear("online"));
      window.addEventListener("offline", () => hear("offline"));
      window.addEventListener("hashchange", () => hear("link"));
      document.addEventListener("visibilitychange", () =>
        hear(document.hidden ? "hidden" : "visible"),
      );
      if (document.hidden) hear("hidden");
    },
  };
}
