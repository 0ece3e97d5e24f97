// Whether the page follows what happens. While the websocket is lost the page
// is fetched from time to time, and once when it is back: whatever happened
// meanwhile, also to the manager, is in there. When that fails, too, what is
// shown is old, and says how old.
(() => {
  const pollEvery = 5000;
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  let polling = 0, opened = false, seen = Date.now(), retryAt = 0;

  const show = (state) => {
    const link = $("link");
    if (link) link.dataset.link = state;
  };
  const poll = () => { if (!document.hidden) htmx.trigger("#poll", "tend:poll"); };

  const count = () => {
    $("lost-age").textContent = `${Math.max(1, Math.round((Date.now() - seen) / 1000))} s`;
    const wait = Math.ceil((retryAt - Date.now()) / 1000);
    $("lost-next").textContent = wait > 0 ? `in ${wait} s` : "now";
  };
  let counting = 0;
  const stale = (is) => {
    if (is === root.hasAttribute("data-stale")) return;
    root.toggleAttribute("data-stale", is);
    $("lost").hidden = !is;
    clearInterval(counting);
    if (is) counting = setInterval(count, 500, count());
  };
  const well = () => {
    seen = Date.now();
    stale(false);
  };

  addEventListener("htmx:ws:after:connection", () => {
    clearInterval(polling);
    polling = 0;
    show("open");
    well();
    if (opened) poll();
    opened = true;
  });
  addEventListener("htmx:ws:after:message:incoming", () => { seen = Date.now(); });
  addEventListener("htmx:ws:close", ({ detail }) => {
    if (document.hidden || detail.reason !== "closed") return; // closed on purpose, opened again when it is looked at
    const { reconnectDelay, reconnectMaxDelay } = htmx.config.ws;
    retryAt = Date.now() + Math.min(reconnectDelay * 2 ** detail.connection.attempt, reconnectMaxDelay);
    show("lost");
    if (polling) return;
    if (opened) seen = Date.now();
    polling = setInterval(poll, pollEvery);
    if (opened) poll();
  });
  const answered = (works) => ({ detail: { ctx } }) => {
    if (ctx?.sourceElement?.id !== "poll" || !polling) return;
    if (works && ctx.response?.status < 500) well();
    else stale(true);
  };
  addEventListener("htmx:after:request", answered(true));
  addEventListener("htmx:error", answered(false));

  addEventListener("DOMContentLoaded", () => {
    const link = $("link");
    if (link) link.hidden = false;
    if ($("poll") && !$("socket")) { // what is pushed is not for everybody
      show("lost");
      polling = setInterval(poll, pollEvery);
    }
  });
})();
