// Applies the remembered choice of light or dark before anything is painted,
// and lets the button change it. Without a choice the system decides.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const read = () => { try { return localStorage.getItem("tend-theme"); } catch { return null; } };
  const write = (theme) => { try { localStorage.setItem("tend-theme", theme); } catch { /* private mode: not remembered */ } };
  const apply = () => { root.dataset.theme = read() || (dark.matches ? "dark" : "light"); };
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply); // another tab has chosen
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      const theme = root.dataset.theme === "dark" ? "light" : "dark";
      write(theme);
      root.dataset.theme = theme;
    });
  });
})();
