// Goes on with the log of a server's page: appends the lines that the manager
// sends ready-made, keeps the end in view unless somebody reads further up,
// and keeps only so many.
(() => {
  const kept = 2000; // lines
  const joined = 64; // pieces of one line that has no end

  const start = (screen) => {
    const end = document.getElementById("log-end");
    const link = document.getElementById("log-link");
    let after = screen.dataset.after, source = null, follow = true;

    const atEnd = () => screen.scrollHeight - screen.scrollTop - screen.clientHeight < 24;
    const toEnd = () => { screen.scrollTop = screen.scrollHeight; top = screen.scrollTop; };
    const show = () => { end.hidden = follow; };
    // Whoever scrolls up wants to read. That new lines came before the news of
    // the last scrolling does not mean that.
    let top = 0;
    screen.addEventListener("scroll", () => {
      if (atEnd()) follow = true;
      else if (screen.scrollTop < top) follow = false;
      top = screen.scrollTop;
      show();
    }, { passive: true });
    new ResizeObserver(() => { if (follow) toEnd(); }).observe(screen);
    end.addEventListener("click", () => { follow = true; toEnd(); show(); screen.focus({ preventScroll: true }); });

    const append = (html) => {
      const box = document.createElement("template");
      box.innerHTML = html;
      for (const line of [...box.content.children]) {
        const last = screen.lastElementChild, text = last?.querySelector(".l-x");
        if ("joins" in line.dataset && last && "open" in last.dataset && text.childNodes.length < joined) {
          text.append(...line.querySelector(".l-x").childNodes);
          last.toggleAttribute("data-open", "open" in line.dataset);
        } else {
          screen.append(line);
        }
      }
      const above = screen.scrollHeight;
      let extra = screen.childElementCount - kept;
      if (extra > 0) {
        while (extra-- > 0) screen.firstElementChild.remove();
        if (!follow) screen.scrollTop -= above - screen.scrollHeight; // what is read stays where it is
      }
      if (follow) toEnd();
    };

    const close = () => { source?.close(); source = null; };
    const open = () => {
      if (source || document.hidden) return;
      const url = new URL(screen.dataset.stream, location.href);
      if (after) url.searchParams.set("after", after);
      source = new EventSource(url);
      source.onopen = () => { link.dataset.link = "open"; };
      source.onmessage = (event) => {
        if (event.lastEventId) after = event.lastEventId;
        append(event.data);
      };
      source.onerror = () => {
        link.dataset.link = "lost";
        if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
        close();
        setTimeout(open, 2000);
      };
    };
    // A stream is open only while somebody looks: there are few per browser.
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);

    link.hidden = false;
    toEnd();
    open();
  };

  addEventListener("DOMContentLoaded", () => {
    const screen = document.getElementById("screen");
    if (screen) start(screen);
  });
})();
