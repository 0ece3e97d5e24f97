// The view of logs: keeps a bounded piece of a log in the page and fetches what
// lies beside it, ready-made, when somebody scrolls near its end; follows,
// searches, copies. What a line looks like is decided by the manager.
(() => {
  const kept = 1500; // lines in the page
  const near = 800; // pixels from an end at which more is fetched
  const joined = 64; // pieces of one line that has no end
  const id = (name) => document.getElementById(name);

  const start = (view, screen) => {
    const form = id("log-form"), field = id("log-search"), follow = id("log-follow"), waiting = id("log-waiting"), state = id("log-state");
    const params = new URLSearchParams(view.dataset.params);
    let source = null, following = false, busy = false, unread = 0, heard = "", round = 0, closing = 0;

    // Where the lines in the page begin and end, as [log, place] of each log.
    const parse = (text) => new Map(text.split(",").map((part) => [part.includes(":") ? part.split(":")[0] : "", part]));
    const write = (at) => [...at.values()].join(",");
    const logOf = (line) => (line.id.includes(":") ? line.id.split(":")[0] : "");
    let first, next, begin, end;
    const take = (piece) => {
      first = parse(piece.dataset.first); next = parse(piece.dataset.next);
      begin = "begin" in piece.dataset; end = "end" in piece.dataset;
    };
    take(screen);
    let middle = screen.dataset.middle; // the line that was asked for

    const lines = () => screen.querySelectorAll(":scope > .l[id]");
    const atEnd = () => screen.scrollHeight - screen.scrollTop - screen.clientHeight < 24;
    const toEnd = () => { screen.scrollTop = screen.scrollHeight; top = screen.scrollTop; };
    let top = 0;

    // What the form says belongs to every address.
    const chosen = () => {
      const out = new URLSearchParams(params);
      for (const [name, value] of new FormData(form)) if (value && name !== "server" && name !== "at") out.set(name, value);
      return out;
    };
    const address = (base, more) => {
      const url = new URL(base, location.href);
      for (const [name, value] of chosen()) if (name !== "server") url.searchParams.set(name, value);
      for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
      return url;
    };
    const remember = (hash = "") => {
      const query = chosen().toString();
      history.replaceState(null, "", view.dataset.path + (query ? "?" + query : "") + hash);
    };
    const complain = (text) => { const p = id("log-problem"); p.textContent = text; p.hidden = !text; };

    const ask = async (more) => {
      const answer = await fetch(address(view.dataset.window, more), { headers: { "HX-Request": "true" } });
      const box = document.createElement("template");
      box.innerHTML = await answer.text();
      if (!answer.ok) throw new Error(box.content.textContent.trim().replace(/\s+/g, " "));
      return box.content.firstElementChild;
    };

    // Lines leave at the end that is far away. The places of both ends follow.
    const dropTop = () => {
      let extra = screen.childElementCount - kept;
      if (extra <= 0) return;
      const gone = new Set();
      while (extra-- > 0) { gone.add(logOf(screen.firstElementChild)); screen.firstElementChild.remove(); }
      for (const log of gone) first.set(log, next.get(log));
      for (const line of [...lines()].reverse()) if (gone.has(logOf(line))) first.set(logOf(line), line.id);
      begin = false;
    };
    const dropBottom = () => {
      let extra = screen.childElementCount - kept;
      if (extra <= 0) return;
      if (end) heard ||= write(next);
      while (extra-- > 0) {
        const line = screen.lastElementChild;
        if (line.id) next.set(logOf(line), line.id);
        line.remove();
      }
      end = false;
    };

    const append = (list) => {
      for (const line of list) {
        const last = screen.lastElementChild, text = last?.querySelector(".l-x");
        if ("joins" in line.dataset && last && "open" in last.dataset && text.childNodes.length < joined) {
          text.append(...line.querySelector(".l-x").childNodes);
          last.toggleAttribute("data-open", "open" in line.dataset);
        } else if (!line.id || !id(line.id)) {
          screen.append(line);
        }
      }
      const before = screen.scrollHeight;
      dropTop();
      if (following) toEnd();
      else screen.scrollTop = top = screen.scrollTop - (before - screen.scrollHeight);
    };

    // More lines at an end, as long as there are any and somebody is near.
    const more = async () => {
      if (busy) return;
      const older = screen.scrollTop < near && !begin;
      const newer = !older && !end && screen.scrollHeight - screen.scrollTop - screen.clientHeight < near;
      if (!older && !newer) return;
      busy = true;
      const mine = round;
      try {
        const piece = await ask(older ? { before: write(first) } : { after: write(next) });
        if (mine !== round) { // another part has taken its place
          setTimeout(more);
          return;
        }
        if (older) {
          const height = screen.scrollHeight;
          screen.prepend(...piece.children);
          first = parse(piece.dataset.first); begin = "begin" in piece.dataset;
          screen.scrollTop += screen.scrollHeight - height;
          top = screen.scrollTop;
          dropBottom();
        } else {
          next = parse(piece.dataset.next); end = "end" in piece.dataset;
          append([...piece.children]);
          if (end) { unread = 0; heard = ""; close(); open(); }
        }
        complain(piece.dataset.problem);
      } catch (error) {
        complain(error.message);
        return;
      } finally {
        busy = false;
        show();
      }
      more();
    };

    // Another part of the log takes the place of this one.
    const load = async (where) => {
      const mine = ++round;
      close();
      try {
        const piece = await ask(where);
        if (mine !== round) return false;
        take(piece);
        screen.replaceChildren(...piece.children);
        unread = 0; heard = "";
        middle = piece.dataset.middle;
        complain(piece.dataset.problem);
        return true;
      } catch (error) {
        complain(error.message);
        return false;
      } finally {
        if (mine === round) { show(); open(); }
      }
    };
    const newest = async () => {
      following = true;
      if (!end || unread) await load({});
      toEnd();
      show();
      more();
    };
    const reload = async () => {
      remember();
      if (following) { await load({}); return newest(); }
      const edge = screen.getBoundingClientRect().top, line = [...lines()].find((l) => l.getBoundingClientRect().bottom > edge);
      if (line) await jump(line.id, "start", true);
      else await load({});
      more();
    };

    // A line that somebody was sent to is marked.
    const mark = (place) => {
      screen.querySelector(".l-at")?.classList.remove("l-at");
      const line = id(place);
      line?.classList.add("l-at");
      return line;
    };
    const jump = async (place, block = "center", anew = false) => {
      following = false;
      if (anew || !id(place)) await load({ around: place });
      const line = id(place);
      if (line) {
        const box = line.getBoundingClientRect(), frame = screen.getBoundingClientRect();
        screen.scrollTop += box.top - frame.top - (block === "center" ? (frame.height - box.height) / 2 : 0);
        top = screen.scrollTop;
      }
      show();
      more();
      return line;
    };
    const toMiddle = async () => {
      if (middle) await jump(middle, "start").then(() => mark(middle));
      else toEnd(); // nothing was written since
      more();
    };
    const toHash = () => {
      const place = decodeURIComponent(location.hash.slice(1));
      if (/^([a-z0-9_-]+:)?\d+\.\d+$/.test(place)) return jump(place).then(() => { if (!mark(place)) complain("That line is no longer in the log, or is not shown: these are the nearest ones."); });
      return null;
    };

    const show = () => {
      follow.setAttribute("aria-pressed", following);
      follow.textContent = following ? "Pause" : "Follow";
      waiting.hidden = !unread;
      waiting.textContent = unread === 1 ? "1 new line ↓" : `${unread.toLocaleString("en")} new lines ↓`;
      state.hidden = !source;
    };
    screen.addEventListener("scroll", () => {
      if (screen.scrollTop < top && !atEnd()) following = false;
      else if (atEnd() && end && !unread && screen.scrollTop > top) following = true;
      top = screen.scrollTop;
      show();
      more();
    }, { passive: true });
    new ResizeObserver(() => { if (following) toEnd(); }).observe(screen);
    follow.addEventListener("click", () => { if (following) { following = false; show(); } else newest(); });
    waiting.addEventListener("click", newest);
    id("log-newest").addEventListener("click", (event) => { event.preventDefault(); remember(); newest(); });
    for (const name of ["log-older", "log-newer"]) if (id(name)) id(name).hidden = true; // scrolling does that

    // Lines that come while somebody reads are counted, and fetched when they
    // are wanted.
    const close = () => { source?.close(); source = null; clearTimeout(closing); };
    const open = () => {
      if (source || document.hidden || !(end || heard)) return;
      const mine = (source = new EventSource(address(view.dataset.stream, { after: heard || write(next) })));
      mine.onopen = () => { state.dataset.link = "open"; };
      mine.onmessage = (event) => {
        const box = document.createElement("template");
        box.innerHTML = event.data;
        heard = event.lastEventId;
        if (following && end) {
          next = parse(event.lastEventId);
          append([...box.content.children]);
        } else {
          unread += box.content.querySelectorAll(".l[id]").length;
          end = false;
        }
        show();
      };
      mine.onerror = () => {
        state.dataset.link = "lost";
        if (mine.readyState !== EventSource.CLOSED) return; // it tries again by itself
        close();
        closing = setTimeout(open, 2000);
      };
      show();
    };
    document.addEventListener("visibilitychange", () => {
      document.hidden ? close() : open();
    });
    addEventListener("pagehide", () => { close(); stop(); });
    addEventListener("pageshow", open);

    // A search goes over the whole log, from its end.
    const found = id("log-found"), bar = id("log-progress"), text = id("log-hits"), cancel = id("log-cancel");
    let search = null, hits = [], at = -1;
    const stop = () => { search?.close(); search = null; cancel.hidden = true; bar.hidden = true; };
    const seek = () => {
      stop();
      hits = []; at = -1;
      const wanted = field.value && id("log-problem").hidden; // else the manager has said why not
      found.hidden = !wanted;
      text.textContent = "";
      if (!wanted) return;
      bar.hidden = cancel.hidden = false;
      bar.removeAttribute("value");
      const mine = (search = new EventSource(address(view.dataset.search, {})));
      const progress = (event) => {
        const p = JSON.parse(event.data);
        bar.max = Math.max(1, p.all); bar.value = p.done;
        text.textContent = p.text;
      };
      mine.addEventListener("progress", progress);
      mine.addEventListener("done", (event) => { progress(event); stop(); });
      mine.addEventListener("hits", (event) => {
        hits.push(...event.data.trim().split(" "));
        if (at < 0) go(0);
      });
      mine.onerror = () => {
        if (search === mine && !hits.length && !text.textContent) found.hidden = true; // the window has told why
        stop();
      };
    };
    const go = (to) => {
      if (!hits.length) return;
      at = Math.max(0, Math.min(hits.length - 1, to));
      jump(hits[at]).then(() => mark(hits[at]));
    };
    cancel.addEventListener("click", () => { stop(); text.textContent = text.textContent.replace(/^Searching/, "Stopped"); });
    id("log-next").addEventListener("click", () => go(at - 1));
    id("log-previous").addEventListener("click", () => go(at + 1));

    // A time is one of the clock of whoever types it.
    const time = id("log-at");
    time.title = time.title.replace(/, by .*/, "");
    const moment = (text) => {
      const [, day, clock] = text.trim().match(/^(\d{4}-\d\d-\d\d)?[T ]?(\d{1,2}:\d\d(?::\d\d)?)?$/) ?? [];
      if (!day && !clock) return text; // the manager says what is wrong
      const today = new Date(), two = (n) => String(n).padStart(2, "0");
      const at = new Date(`${day ?? `${today.getFullYear()}-${two(today.getMonth() + 1)}-${two(today.getDate())}`}T${(clock ?? "00:00").padStart(5, "0")}`);
      return isNaN(at) ? text : at.toISOString();
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (document.activeElement === time && time.value) {
        following = false;
        if (await load({ at: moment(time.value) })) await toMiddle();
        return;
      }
      await reload();
      seek();
    });
    for (const name of ["log-level", "log-only", "log-re"]) {
      id(name).addEventListener("change", () => (name === "log-level" || field.value) && reload().then(() => name !== "log-only" && seek()));
    }
    field.addEventListener("search", () => { if (!field.value) { seek(); reload(); } });

    const wrap = id("log-wrap");
    const wrapped = () => { screen.classList.toggle("logs-long", !wrap.checked); if (following) toEnd(); };
    try { wrap.checked = localStorage.getItem("log-wrap") !== "no"; } catch { /* nobody remembers */ }
    wrap.addEventListener("change", () => {
      try { localStorage.setItem("log-wrap", wrap.checked ? "yes" : "no"); } catch { /* nobody remembers */ }
      wrapped();
    });
    wrapped();

    id("log-copy").addEventListener("click", async () => {
      const button = id("log-copy"), chosen = getSelection();
      let copy = chosen && screen.contains(chosen.anchorNode) ? chosen.toString() : "";
      if (!copy) {
        const frame = screen.getBoundingClientRect();
        copy = [...lines()].filter((l) => { const box = l.getBoundingClientRect(); return box.bottom > frame.top && box.top < frame.bottom; })
          .map((l) => l.querySelector(".l-x").textContent).join("\n");
      }
      try {
        await navigator.clipboard.writeText(copy);
      } catch { // only pages of this machine, or under TLS, may
        const area = document.createElement("textarea");
        area.value = copy;
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });

    // The address of a line can be sent to others. A thousand of them are no
    // places to stop at on the way through the page: j and k go from line to line.
    const skip = (changes) => {
      for (const { addedNodes } of changes) for (const line of addedNodes) for (const link of line.querySelectorAll?.("a.l-t") ?? []) link.tabIndex = -1;
    };
    skip([{ addedNodes: [screen] }]);
    new MutationObserver(skip).observe(screen, { childList: true });
    screen.addEventListener("click", (event) => {
      const link = event.target.closest("a.l-t");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      history.replaceState(null, "", link.href);
      mark(link.closest(".l").id);
    });
    addEventListener("hashchange", toHash);

    view.classList.add("logs-on");
    const query = new URLSearchParams(location.search);
    if (!toHash()) {
      following = end && !query.has("before") && !query.has("around") && !query.has("at");
      if (following) toEnd();
      else if (query.has("before")) toEnd();
      else if (middle) toMiddle();
      top = screen.scrollTop;
    }
    open();
    show();
    more();
    if (field.value) seek();
  };

  addEventListener("DOMContentLoaded", () => {
    const view = id("logs"), screen = id("log-screen");
    if (view && screen) start(view, screen);
  });
})();
