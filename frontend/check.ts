/**
 * Starts the page `/check`.
 * Owns: the browser's globals that it uses.
 */

import { CheckView } from "./features/check/check-view.ts";
import { createProbes } from "./features/check/probes.ts";
import { storedName } from "./core/stored-names.ts";

const { content } = document.querySelector('meta[name="sample-src"]') as HTMLMetaElement;

const { measure } = createProbes({
  fetch: (...request) => fetch(...request),
  WebSocket,
  now: () => performance.now(),
  wallNow: Date.now,
  setTimeout: (run, ms) => setTimeout(run, ms),
  address: new URL(".", location.href).href.replace(/\/$/, ""),
  sample: content,
  userAgent: navigator.userAgent,
  isModern: "withResolvers" in Promise,
  hasStorage() {
    try {
      const probe = storedName("fallline.probe", location.pathname);
      localStorage.setItem(probe, "1");
      localStorage.removeItem(probe);
      return true;
    } catch {
      return false;
    }
  },
});

customElements.define("check-view", CheckView);
const view = document.createElement("check-view") as CheckView;
view.measure = measure;
document.querySelector("main")?.replaceChildren(view);
