/**
 * Light, dark, or the system's choice.
 * Owns: the present theme, and the order of its button. Colours are in tokens.css.
 */

/** @typedef {import("../state/types.js").View["theme"]} Theme */

const system = matchMedia("(prefers-color-scheme: dark)");

/** @param {Theme} theme @returns {"light"|"dark"} */
export const effective = (theme) => (theme === "auto" ? (system.matches ? "dark" : "light") : theme);

/** From the system's theme to the opposite, then fixed to the system's, then automatic again. @param {Theme} theme @returns {Theme} */
export function nextTheme(theme) {
  const [same, other] = /** @type {Theme[]} */ (system.matches ? ["dark", "light"] : ["light", "dark"]);
  return theme === "auto" ? other : theme === other ? same : "auto";
}

/** @param {import("../state/types.js").Store} store */
export function keepTheme(store) {
  const apply = () => void (document.documentElement.dataset.theme = effective(store.get().view.theme));
  system.addEventListener("change", apply);
  store.watch((state) => state.view.theme, apply);
  apply();
}
