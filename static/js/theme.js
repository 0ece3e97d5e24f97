// Applies what was chosen for the looks, light or dark and dense or roomy,
// before anything is painted, and lets the buttons change it. Without a choice
// the system decides.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const read = (name) => { try { return localStorage.getItem("tend-" + name); } catch { return null; } };
  const write = (name, value) => { try { localStorage.setItem("tend-" + name, value); } catch { /* private mode: not remembered */ } };
  const apply = () => {
    root.dataset.theme = read("theme") || (dark.matches ? "dark" : "light");
    root.dataset.density = read("density") || "roomy";
    document.getElementById("density")?.setAttribute("aria-pressed", String(root.dataset.density === "dense"));
  };
  root.dataset.script = "on"; // for what makes sense only with it, or without
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply); // another tab has chosen
  addEventListener("DOMContentLoaded", () => {
    for (const [name, one, other] of [["theme", "dark", "light"], ["density", "dense", "roomy"]]) {
      const button = document.getElementById(name);
      button.hidden = false;
      button.addEventListener("click", () => {
        write(name, root.dataset[name] === one ? other : one);
        apply();
      });
    }
    apply();
  });
})();
