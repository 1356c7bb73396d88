// The theme that was chosen before, set before anything is painted. A classic script: modules run too late for that.
(() => {
  let theme = "auto";
  try {
    theme = JSON.parse(localStorage.getItem("fallline.view") ?? "{}").theme ?? "auto";
  } catch {
    // no storage, or something else's: the system decides
  }
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
