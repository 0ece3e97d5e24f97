// The overview: what is shown of it while somebody types and while servers
// change, and what is selected. The rules are those of model.Find, which makes
// the page that comes first and works without a script. What was chosen is in
// the address.
(() => {
  const board = document.getElementById("board"), find = document.getElementById("find");
  const back = document.getElementById("back");
  const remembered = { get: () => { try { return sessionStorage.getItem("tend-overview") || "/"; } catch { return "/"; } }, set: (path) => { try { sessionStorage.setItem("tend-overview", path); } catch { /* private mode */ } } };
  if (back) back.href = remembered.get();
  if (!board || !find) return;

  const $ = (id) => document.getElementById(id);
  const all = (selector) => board.querySelectorAll(selector);
  const parts = (selector) => $("summary").querySelectorAll(selector); // they are few: the board is large
  const chosen = () => new URLSearchParams(location.search);
  const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

  // choose changes one choice in the address.
  const choose = (name, value) => {
    const q = chosen();
    q.delete(name);
    for (const one of [value].flat()) if (one) q.append(name, one);
    const path = q.size ? `/?${q}` : "/";
    history.replaceState(history.state, "", path);
    remembered.set(path);
    $("poll")?.setAttribute("hx-get", path);
  };
  const fetchList = () => htmx.trigger("#poll", "tend:poll");

  // What a row is found by is read once for each revision of it.
  const texts = new WeakMap();
  const textOf = (row) => {
    const known = texts.get(row), { rev, kind, group } = row.dataset;
    if (known?.rev === rev) return known.text;
    const name = row.querySelector(".name");
    const parts = [name.textContent, name.title, group, row.querySelector(".port")?.textContent, row.querySelector(".c-state").textContent, kind];
    const text = parts.join("\n").toLowerCase();
    texts.set(row, { rev, text });
    return text;
  };

  // The rows by their groups, until the list changes: reading them out of the
  // document takes longer than all the rest that a key does.
  let groups;
  const read = () => Array.from(all("tbody"), (body) => ({ body, rows: Array.from(body.getElementsByClassName("row"), (row) => ({ row })) }));

  // afterPaint calls once the page as it is now is painted; nothing is while
  // nobody looks.
  const afterPaint = (call) => { document.hidden ? setTimeout(call) : requestAnimationFrame(() => setTimeout(call)); };

  // What stands below the first screen is shown and hidden when the typing
  // pauses, bit by bit: a thousand rows at once take a browser longer than a key
  // may. Room is kept for what is to come, so that nothing else moves.
  const pause = 100, piece = 48;
  let due = [], left = 0; // rows to turn; how many the page has not had yet
  const screenful = () => { // or more: a row may be lower than it says
    const [row] = board.getElementsByClassName("row"), height = row && getComputedStyle(row).containIntrinsicBlockSize;
    return 1 + Math.ceil(1.25 * innerHeight / (parseFloat(height?.split(" ").at(-1)) || 30));
  };
  const room = () => board.querySelector(".list")?.style.setProperty("--rest", left + due.filter((one) => one.shown).length);
  const turn = (count) => {
    for (const { row, shown } of due.splice(0, count)) row.hidden = !shown;
    room();
  };
  const turnMore = (mine) => {
    if (mine !== due || !due.length) return; // there is another list, or somebody could not wait
    turn(piece);
    afterPaint(() => turnMore(mine));
  };
  const turnAll = () => { if (due.length) turn(due.length); };

  // apply shows what matches. A row that somebody is in stays. What was pushed
  // obeys before it is painted, and keeps nobody waiting who is due.
  const apply = (pushed = false) => {
    const wanted = words(find.elements.q.value), state = chosen().get("state") ?? "", active = document.activeElement.closest?.(".row");
    const fits = (one) => {
      if (state && (one.kind ??= one.row.dataset.kind) !== state && one.row !== active) return false;
      const text = wanted.length ? (one.text ??= textOf(one.row)) : "";
      return wanted.every((word) => text.includes(word));
    };
    const before = new Set(due.map((one) => one.row));
    let any = false, count = 0, first;
    if (pushed) due.length = 0;
    else due = [];
    groups ??= read();
    for (const { body, rows } of groups) {
      const folded = body.hasAttribute("data-folded"); // its rows take no room
      let some = false;
      for (const one of rows) {
        one.shown = fits(one);
        if (one.row.hidden === one.shown) {
          const later = !folded && (!pushed || before.has(one.row)) && count >= (first ??= screenful());
          if (later) due.push(one);
          else one.row.hidden = !one.shown;
        }
        some ||= one.shown;
        if (one.shown && !folded) count++;
      }
      body.toggleAttribute("data-none", !some);
      any ||= some;
    }
    const nothing = $("nothing");
    if (nothing) nothing.hidden = any;
    for (const part of parts(".part")) part.ariaPressed = String(part.value === state);
    if (before.size || due.length) room();
    if (!pushed && due.length) setTimeout(turnMore, pause, due);
  };

  // A key that is pressed elsewhere than in the box finds all of them.
  addEventListener("keydown", ({ target }) => { if (target !== find.elements.q) turnAll(); }, true);

  // The title and the icon tell the worst state.
  const icon = $("icon"), plainIcon = icon.href;
  // A reader of the screen hears of trouble when it changes, and not too often.
  const rest = 5000;
  let said = "", heard = 0, waiting = 0;
  const trouble = () => [...parts('.part:is([data-tone="bad"], [data-tone="warn"]):not([data-none])')].map((part) => part.textContent.trim().replace(/\s+/g, " ")).join(", ");
  const say = () => {
    waiting = 0;
    const text = trouble();
    if (text === said) return;
    said = text;
    heard = Date.now();
    $("announce").textContent = text || "All is well again";
  };
  const announce = () => {
    waiting ||= setTimeout(say, Math.max(500, heard + rest - Date.now()));
    const { title, worst } = $("summary").dataset;
    if (document.title !== title) document.title = title;
    const href = icon.dataset[worst] ?? plainIcon;
    if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
  };

  // The address follows when the typing is over: it takes longer than the list,
  // and a key that comes meanwhile waits.
  let typed = 0; // the timer; none while the address is right
  const note = () => {
    typed = clearTimeout(typed);
    choose("q", find.elements.q.value.trim());
  };
  find.elements.q.addEventListener("input", () => {
    apply();
    clearTimeout(typed);
    typed = setTimeout(note, 1000);
  });
  find.elements.q.addEventListener("change", note); // somebody leaves the box
  addEventListener("pagehide", note);
  addEventListener("tend:poll", () => { if (typed) note(); }, true); // before the list is asked for

  // The form is never sent: its buttons change the address.
  find.addEventListener("submit", (event) => {
    event.preventDefault();
    note();
    const { name, value } = event.submitter ?? {};
    if (name === "toggle") {
      const folded = chosen().getAll("fold"), body = event.submitter.closest("tbody");
      choose("fold", folded.includes(value) ? folded.filter((group) => group !== value) : [...folded, value]);
      body.toggleAttribute("data-folded");
      if (bulk) count();
      event.submitter.setAttribute("aria-expanded", String(!body.hasAttribute("data-folded")));
      return;
    }
    if (name === "all") {
      find.elements.q.value = "";
      choose("q", "");
      choose("state", "");
      find.elements.q.focus();
    } else if (name) {
      choose(name, value);
      if (name === "sort") return fetchList();
    }
    apply();
  });

  // What is ordered in a row is sent in place; what asks is answered by a dialog.
  board.addEventListener("click", (event) => {
    const key = event.target.closest(".row [data-order], .row [data-ask]");
    if (!key || key.ariaDisabled === "true" || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if ("ask" in key.dataset) htmx.ajax("GET", key.getAttribute("href"), { source: key, target: "#ask", swap: "innerHTML" });
    else {
      const { id } = key.closest(".row");
      htmx.ajax("POST", `/servers/${encodeURIComponent(id.slice("server-".length))}/${key.dataset.order}`, { source: key, target: `#${CSS.escape(id)}`, swap: "outerMorph" });
    }
  });

  const bulk = $("bulk");
  const picks = () => [...all(".pick")];
  const seen = (box) => !box.closest(".row").hidden && !box.closest("[data-folded]");
  let marked = new Set(); // the rows that look selected
  const mark = (rows) => {
    for (const row of marked.difference(rows)) row.removeAttribute("data-picked");
    for (const row of rows) if (!row.hasAttribute("data-picked")) row.setAttribute("data-picked", "");
    marked = rows;
  };
  const count = () => {
    const boxes = picks(), picked = boxes.filter((box) => box.checked), n = picked.length;
    mark(new Set(picked.map((box) => box.closest(".row"))));
    bulk.dataset.picked = n;
    $("picked").textContent = n;
    const every = $("pick-all");
    every.hidden = false;
    every.checked = n > 0 && boxes.every((box) => box.checked || !seen(box));
    every.indeterminate = n > 0 && !every.checked;
  };
  if (bulk) {
    let last; // the box that was clicked before, for shift
    board.addEventListener("click", (event) => {
      const box = event.target, every = box.id === "pick-all";
      if (!every && !box.classList?.contains("pick")) return;
      turnAll();
      if (every) {
        for (const one of picks()) if (seen(one)) one.checked = box.checked;
      } else {
        if (event.shiftKey && last?.isConnected) {
          const boxes = picks(), [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
          for (const one of boxes.slice(from, to + 1)) if (seen(one)) one.checked = box.checked;
        }
        last = box;
      }
      count();
    });
    board.addEventListener("change", count); // by somebody else's script, or the keyboard
    bulk.addEventListener("reset", () => setTimeout(count));
  }

  // Pushes: a microtask later, and so before anything is painted.
  new MutationObserver((changes) => {
    let rows = false;
    for (const { target, type } of changes) {
      rows ||= type === "childList" ? target.matches("table, tbody, section") : target.matches(".row, .summary, .servers");
    }
    if (rows) {
      groups = undefined;
      apply(true);
      announce();
      if (bulk) count();
    }
    if (Number($("roster").dataset.rev) > Number($("servers").dataset.rev)) fetchList();
  }).observe(board, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-rev"] });

  // The rest of a long list comes as a text. Rows are made of it bit by bit, so
  // that the page answers meanwhile; what is pushed waits until they are there.
  const source = $("rest");
  if (source) {
    const list = board.querySelector(".list"), text = source.textContent, bytes = 64 << 10;
    let done;
    const whole = new Promise((resolve) => { done = resolve; });
    const wait = ({ detail }) => detail.waitUntil(whole);
    let at = text.indexOf("<tbody");
    left = Number(source.dataset.rows);
    const more = () => {
      if (!source.isConnected || at === text.length) { // the list has come anew, or is whole
        source.remove();
        left = 0;
        room();
        removeEventListener("htmx:ws:before:message:incoming", wait);
        return done();
      }
      const row = text.indexOf("</tr>", at + bytes), end = row < 0 ? text.length : row + "</tr>".length;
      const part = document.createElement("template");
      part.innerHTML = `<table>${text.slice(at, end)}`;
      at = end;
      for (const plain of part.content.querySelectorAll(".plain")) plain.remove();
      const forms = [...part.content.querySelectorAll("[hx-post]")];
      for (const body of part.content.querySelectorAll("tbody")) {
        const rows = [...body.rows], last = list.lastElementChild;
        if (body.id) list.append(body);
        else last.append(...rows);
        if (!list.lastElementChild.hasAttribute("data-folded")) left -= rows.filter((row) => row.matches(".row:not([hidden])")).length;
      }
      for (const form of forms) htmx.process(form);
      room();
      setTimeout(more);
    };
    addEventListener("htmx:ws:before:message:incoming", wait);
    room();
    afterPaint(more);
  }

  remembered.set(location.pathname + location.search);
  apply();
  said = trouble();
  announce();
  if (bulk) count();
})();
