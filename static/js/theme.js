// Light or dark, dense or roomy, more contrast or not. What somebody has chosen
// is in a cookie, so that every page comes with it; without a choice the system
// decides.
(() => {
  const root = document.documentElement, cookie = "tend-looks", year = 365 * 24 * 60 * 60;
  const dark = matchMedia("(prefers-color-scheme: dark)"), contrast = matchMedia("(prefers-contrast: more)");
  const remembered = () => new URLSearchParams(document.cookie.match(/(?:^|; )tend-looks=([^;]*)/)?.[1]);
  let chosen = remembered();
  const shown = {
    theme: () => chosen.get("theme") ?? (dark.matches ? "dark" : "light"),
    density: () => chosen.get("density") ?? "roomy",
    contrast: () => chosen.get("contrast") ?? (contrast.matches ? "more" : "usual"),
  };
  const set = (name, value) => { // only what is new: it makes the browser compute every style anew
    if (value) { if (root.dataset[name] !== value) root.dataset[name] = value; } else delete root.dataset[name];
  };
  const apply = () => {
    set("theme", chosen.get("theme"));
    set("density", chosen.get("density"));
    set("contrast", shown.contrast() === "more" ? "more" : chosen.get("contrast"));
    const choice = document.getElementById("contrast");
    if (choice) choice.checked = shown.contrast() === "more";
    document.getElementById("density")?.setAttribute("aria-pressed", String(shown.density() === "dense"));
  };
  const choose = (name, value) => {
    chosen.set(name, value);
    document.cookie = `${cookie}=${chosen}; path=/; max-age=${year}; samesite=lax`;
    try { localStorage.setItem(cookie, chosen); } catch { /* private mode: other tabs do not hear of it */ }
    apply();
  };
  contrast.addEventListener("change", apply);
  addEventListener("storage", () => { chosen = remembered(); apply(); }); // another tab has chosen
  for (const [name, one, other] of [["theme", "dark", "light"], ["density", "dense", "roomy"]]) {
    const button = document.getElementById(name);
    if (!button) continue;
    button.hidden = false;
    button.addEventListener("click", () => choose(name, shown[name]() === one ? other : one));
  }
  const help = document.getElementById("help");
  if (help) new MutationObserver(apply).observe(help, { childList: true }); // the box is in there
  addEventListener("change", ({ target }) => {
    if (target.id === "contrast") choose("contrast", target.checked ? "more" : "usual");
  });
  apply();
})();
