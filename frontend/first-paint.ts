// Sets the stored theme before the first paint. A classic script, because modules run too late.
(() => {
  let theme = "auto";
  try {
    theme = JSON.parse(localStorage.getItem("fallline.view") ?? "{}").theme ?? "auto";
  } catch {
    // no storage or an unknown value: the system decides
  }
  const dark =
    theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
