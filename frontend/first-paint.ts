import { storedName } from "./core/stored-names.ts";

// Sets the stored theme before the first paint. A classic script, because modules run too late.
(() => {
  const root = document.documentElement;
  const isEmbedded = new URLSearchParams(location.search).has("embed");
  let theme = "auto";
  if (isEmbedded)
    root.dataset.embed = ""; // in another page: the charts only, and nothing stored is read
  else
    try {
      theme =
        JSON.parse(localStorage.getItem(storedName("fallline.view", location.pathname)) ?? "{}")
          .theme ?? "auto";
    } catch {
      // no storage or an unknown value: the system decides
    }
  const dark =
    theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
})();
