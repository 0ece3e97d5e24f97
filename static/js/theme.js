// Applies what was chosen for the looks, light or dark, dense or roomy, more
// contrast or not, before anything is painted, and lets the buttons change it.
// Without a choice the system decides.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)"), contrast = matchMedia("(prefers-contrast: more)");
  const read = (name) => { try { return localStorage.getItem("tend-" + name); } catch { return null; } };
  const write = (name, value) => { try { localStorage.setItem("tend-" + name, value); } catch { /* private mode: not remembered */ } };
  const apply = () => {
    root.dataset.theme = read("theme") || (dark.matches ? "dark" : "light");
    root.dataset.density = read("density") || "roomy";
    root.dataset.contrast = read("contrast") || (contrast.matches ? "more" : "usual");
    const choice = document.getElementById("contrast");
    if (choice) choice.checked = root.dataset.contrast === "more";
    document.getElementById("density")?.setAttribute("aria-pressed", String(root.dataset.density === "dense"));
  };
  root.dataset.script = "on"; // for what makes sense only with it, or without
  apply();
  dark.addEventListener("change", apply);
  contrast.addEventListener("change", apply);
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
    const help = document.getElementById("help");
    addEventListener("change", ({ target }) => {
      if (target.id !== "contrast") return;
      write("contrast", target.checked ? "more" : "usual");
      apply();
    });
    new MutationObserver(apply).observe(help, { childList: true }); // the box is in there
    apply();
  });
})();
