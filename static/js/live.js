// Keeps a page up to date beside what htmx does by itself. It moves and counts
// what the manager has rendered; what a state looks like is decided there.
(() => {
  const toastFor = 8000;

  // What is older than what is shown does not replace it: an answer to a click
  // and a push of the same change may come in any order.
  htmx.registerExtension("rev", {
    htmx_before_morph_node: (_, { oldNode, newNode }) => {
      const shown = Number(oldNode.dataset?.rev), offered = Number(newNode.dataset?.rev);
      return !(offered < shown);
    },
  });

  // A control that makes no sense now stays focusable, but does nothing.
  addEventListener("submit", (event) => {
    if (event.submitter?.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  // What has a key is pressed by it, unless somebody is typing.
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
    const control = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!control) return;
    event.preventDefault();
    control.click();
  });

  // A menu has done its work when one of its forms was sent.
  addEventListener("submit", (event) => event.target.closest("[popover]")?.hidePopover?.());

  // Whoever points at a time reads it exactly, in the zone of this browser.
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  addEventListener("pointerover", ({ target }) => {
    const time = target.closest?.("time[datetime]");
    if (time) time.title = exact.format(new Date(time.dateTime));
  });

  // Times go on counting, in the way that model.Span writes them.
  const two = (n) => String(n).padStart(2, "0");
  const span = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000)), m = Math.floor(s / 60), h = Math.floor(s / 3600), d = Math.floor(h / 24);
    if (s < 60) return `${s}s`;
    if (m < 60) return `${m}m ${two(s % 60)}s`;
    if (h < 24) return `${h}h ${two(m % 60)}m`;
    if (d < 100) return `${d}d ${two(h % 24)}h`;
    return `${d}d`;
  };
  const startClock = () => {
    const skew = Date.now() - Number(document.body.dataset.now); // between this clock and the manager's
    const tick = () => {
      if (document.hidden) return;
      const now = Date.now() - skew;
      for (const time of document.querySelectorAll("time[data-count]")) {
        const at = Date.parse(time.dateTime);
        const text = span(time.dataset.count === "down" ? at - now : now - at);
        if (time.firstChild?.nodeType === Node.TEXT_NODE && time.firstChild.data !== text) time.firstChild.data = text;
      }
    };
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
  };

  const startToasts = () => {
    const toasts = document.getElementById("toasts");
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) setTimeout(() => node.remove(), toastFor);
      }
    }).observe(toasts, { childList: true });
    toasts.addEventListener("click", (event) => event.target.closest(".toast")?.remove());
  };

  addEventListener("DOMContentLoaded", () => {
    startClock();
    startToasts();
  });
})();
