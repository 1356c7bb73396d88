/**
 * Light, dark, or the system's choice.
 * Owns: the present theme, and the order of its button. Colours are in tokens.css.
 */

import type { Store, View } from "../core/types.ts";

type Theme = View["theme"];

const system = matchMedia("(prefers-color-scheme: dark)");

export const effective = (theme: Theme): "light" | "dark" =>
  theme === "auto" ? (system.matches ? "dark" : "light") : theme;

/** From the system's theme to the opposite, then fixed to the system's, then automatic again. */
export function nextTheme(theme: Theme): Theme {
  const [same, other] = (system.matches ? ["dark", "light"] : ["light", "dark"]) as Theme[];
  return theme === "auto" ? other : theme === other ? same : "auto";
}

export function keepTheme(store: Store) {
  const { dataset } = document.documentElement;
  // the printed sheet is light
  const apply = () => {
    if (dataset.print === undefined) dataset.theme = effective(store.get().view.theme);
  };
  system.addEventListener("change", apply);
  store.watch((state) => state.view.theme, apply);
  apply();
}
