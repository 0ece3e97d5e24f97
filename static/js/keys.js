// The keyboard, after the table in model.Keyboard. A key presses what the mouse
// would press: there is one way to do each thing.
(() => {
  const $ = (id) => document.getElementById(id);
  const deeds = JSON.parse($("keymap").textContent);
  const stored = { get: () => { try { return localStorage.getItem("tend-keys"); } catch { return null; } }, set: (value) => { try { localStorage.setItem("tend-keys", value); } catch { /* private mode: not remembered */ } } };

  // The dialogs: filled when they open, empty when they are closed. The browser
  // puts the focus back.
  const fill = (id, path) => htmx.ajax("GET", path, { target: `#${id}`, swap: "innerHTML" });
  for (const id of ["help", "palette", "ask"]) {
    const dialog = $(id);
    new MutationObserver(() => { if (dialog.firstElementChild && !dialog.open) dialog.showModal(); }).observe(dialog, { childList: true });
    dialog.addEventListener("close", () => dialog.replaceChildren());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }
  $("ask").addEventListener("click", (event) => {
    if (event.target.id !== "ask-no") return;
    event.preventDefault();
    $("ask").close();
  });
  $("ask").addEventListener("submit", () => {
    setTimeout(() => $("ask").close()); // once it is on its way
    $("bulk")?.reset();
  });

  // The switch, in the dialog or on the page of the keys.
  const sync = () => { if ($("keys-on")) $("keys-on").checked = stored.get() !== "off"; };
  sync();
  new MutationObserver(sync).observe($("help"), { childList: true });
  addEventListener("change", ({ target }) => { if (target.id === "keys-on") stored.set(target.checked ? "on" : "off"); });

  // In the palette the focus stays in the box; arrows move what Enter opens.
  const palette = $("palette");
  const found = () => [...palette.querySelectorAll("[role=option]")];
  const mark = (item) => {
    for (const one of found()) one.ariaSelected = String(one === item);
    $("palette-box").setAttribute("aria-activedescendant", item?.id ?? "");
    item?.scrollIntoView({ block: "nearest" });
  };
  // Enter is for what was typed, also before the answer to that has come. What
  // the arrows have marked meanwhile stays marked, if the answer has it.
  let asked = false, entered = false, marked = "";
  palette.addEventListener("input", () => { asked = true; marked = ""; });
  palette.addEventListener("close", () => { asked = entered = false; marked = ""; });
  const again = () => marked && found().find((item) => item.getAttribute("href") === marked);
  new MutationObserver(() => {
    asked = false;
    if (entered) (again() || found()[0])?.click();
    entered = false;
  }).observe(palette, { childList: true });
  addEventListener("htmx:after:settle", () => {
    const item = again();
    if (item) mark(item);
  });
  palette.addEventListener("keydown", (event) => {
    const items = found(), at = items.findIndex((item) => item.ariaSelected === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && items.length) {
      const item = items[(at + step + items.length) % items.length];
      marked = item.getAttribute("href");
      mark(item);
    } else if (event.key === "Enter" && asked) entered = true;
    else if (event.key === "Enter" && !event.isComposing) items[at]?.click();
    else if (event.key === "Escape") palette.close(); // the box would only empty itself
    else return;
    event.preventDefault();
  });
  palette.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (!item) return;
    palette.close();
    if (!item.hasAttribute("data-ask")) return;
    event.preventDefault();
    fill("ask", item.getAttribute("href"));
  });

  // Rows: the focus is on their links.
  const links = () => [...document.querySelectorAll(".row .name, .node-link, .happening .name, .logs-screen a.l-t")].filter((link) => link.checkVisibility());
  let lastRow = "";
  const rowOf = (element) => element?.closest?.(".row");
  const currentRow = () => rowOf(document.activeElement) ?? $(lastRow);
  addEventListener("focusin", ({ target }) => { lastRow = rowOf(target)?.id ?? lastRow; });
  const go = (to) => {
    const list = links(), at = list.indexOf(currentRow()?.querySelector(".name") ?? document.activeElement);
    const next = list[Math.max(0, Math.min(list.length - 1, to(at, list.length)))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return Boolean(next);
  };
  const click = (selector) => {
    const element = document.querySelector(selector);
    element?.click();
    return Boolean(element);
  };

  // Whom an action is about: those that are selected, the row, or the page.
  const serverHere = () => document.querySelector("[data-here]")?.dataset.here;
  const server = () => currentRow()?.id.slice("server-".length) ?? serverHere();
  const act = (action) => () => {
    if (document.querySelector(".pick:checked")) return click(`#bulk-${action}`);
    const name = server();
    if (!name) return false;
    if (action === "start") return click(`#start-${CSS.escape(name)}`);
    fill("ask", `/bulk?action=${action}&id=${encodeURIComponent(name)}`);
    return true;
  };
  const visit = (path) => () => {
    const name = server();
    if (name) location.href = path(encodeURIComponent(name));
    return Boolean(name);
  };

  const does = {
    help: () => { fill("help", "/keys"); return true; },
    palette: () => { fill("palette", "/palette"); return true; },
    search: () => {
      const box = $("filter") ?? $("log-search") ?? document.querySelector("main input[type=search], main input[name=text]");
      box?.focus();
      box?.select?.();
      return Boolean(box);
    },
    back: () => click("#back"),
    down: () => go((at) => at + 1),
    up: () => go((at, n) => (at < 0 ? n - 1 : at - 1)),
    first: () => go(() => 0),
    last: () => go((_, n) => n - 1),
    select: () => {
      const box = currentRow()?.querySelector(".pick");
      box?.click();
      return Boolean(box);
    },
    start: act("start"),
    stop: act("stop"),
    restart: act("restart"),
    log: visit((name) => `/servers/${name}/logs`),
    events: visit((name) => `/servers/${name}/events`),
    tab: (key) => click(`[data-tab="${key}"]`),
    previous: () => click("main a[rel=prev][data-server]"),
    following: () => click("main a[rel=next][data-server]"),
    next: () => click("#log-next, #older"),
    before: () => click("#log-previous, #newest"),
  };

  const typing = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.isComposing || event.defaultPrevented || event.altKey || event.repeat && !["j", "k", "ArrowDown", "ArrowUp"].includes(key)) return;
    const control = event.ctrlKey || event.metaKey;
    const deed = deeds[control ? `Ctrl+${key.toLowerCase()}` : key];
    if (!deed || document.querySelector("dialog[open]") && deed !== "palette") return;
    if (!control && key !== "Escape") {
      const arrow = key.startsWith("Arrow");
      if (stored.get() === "off" || typing(target) || arrow && !rowOf(target) && target !== document.body) return;
    }
    if (key === "Escape" && document.querySelector(":popover-open")) return;
    if (key === "Escape" && typing(target)) { // to leave a box is not to empty it
      event.preventDefault();
      return target.blur();
    }
    if (does[deed](key)) event.preventDefault();
  });

  for (const [id, deed] of [["open-keys", "help"], ["open-palette", "palette"]]) {
    $(id).addEventListener("click", (event) => {
      event.preventDefault();
      does[deed]();
    });
  }
})();
