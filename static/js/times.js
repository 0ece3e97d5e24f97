// Times: those that count go on counting, those of the manager's zone are told
// in the zone of this browser, and whoever points at one reads it exactly.
(() => {
  const two = (n) => String(n).padStart(2, "0");

  // As model.Span writes it.
  const span = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000)), m = Math.floor(s / 60), h = Math.floor(s / 3600), d = Math.floor(h / 24);
    if (s < 60) return `${s}s`;
    if (m < 60) return `${m}m ${two(s % 60)}s`;
    if (h < 24) return `${h}h ${two(m % 60)}m`;
    if (d < 100) return `${d}d ${two(h % 24)}h`;
    return `${d}d`;
  };

  const instant = (time) => new Date(time.dateTime ?? Number(time.dataset.at));
  let exact; // made when it is needed: that takes a browser 30 ms
  addEventListener("pointerover", ({ target }) => {
    const time = target.closest?.("time[datetime], [data-at]");
    if (!time) return;
    exact ??= new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
    time.title = exact.format(instant(time));
  });

  // As model.Moment writes it: the time of day, with the day where that is not
  // today. Lines of a log have the time of day alone.
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const clock = (at, short) => {
    const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
    return short || at.toDateString() === new Date().toDateString() ? `${time}:${two(at.getSeconds())}` : `${at.getDate()} ${months[at.getMonth()]} ${time}`;
  };
  const set = (time, text) => {
    if (time.firstChild?.nodeType === Node.TEXT_NODE && time.firstChild.data !== text) time.firstChild.data = text;
  };
  const told = new WeakMap(); // time element -> what it says by now
  const clocks = "time[data-clock], .l-t[data-at]";
  const tell = (time) => {
    if (told.get(time) === time.textContent) return;
    set(time, clock(instant(time), "at" in time.dataset));
    told.set(time, time.textContent);
  };
  // translate tells the times in what has changed.
  const translate = (changes) => {
    for (const { target, addedNodes } of changes) {
      if (target.nodeType === Node.TEXT_NODE) {
        const time = target.parentElement?.closest(clocks);
        if (time) tell(time);
      }
      for (const node of addedNodes) {
        if (node.nodeType === Node.TEXT_NODE) translate([{ target: node, addedNodes: [] }]);
        if (node.nodeType !== Node.ELEMENT_NODE) continue;
        if (node.matches(clocks)) tell(node);
        for (const time of node.querySelectorAll(clocks)) tell(time);
      }
    }
  };

  addEventListener("DOMContentLoaded", () => {
    const { now, zone } = document.body.dataset;
    const skew = Date.now() - Number(now); // between this clock and the manager's
    const tick = () => {
      if (document.hidden) return;
      const here = Date.now() - skew;
      for (const time of document.querySelectorAll("time[data-count]")) {
        const at = Date.parse(time.dateTime);
        set(time, span(time.dataset.count === "down" ? at - here : here - at));
      }
    };
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
    if (Number(zone) === -new Date().getTimezoneOffset()) return;
    document.getElementById("zone").hidden = false;
    const main = document.getElementById("main");
    translate([{ target: main, addedNodes: [main] }]);
    new MutationObserver(translate).observe(main, { subtree: true, childList: true, characterData: true });
  });
})();
