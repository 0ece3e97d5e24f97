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

  // A menu has done its work when one of its forms was sent.
  addEventListener("submit", (event) => event.target.closest("[popover]")?.hidePopover?.());

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
    startToasts();
  });
})();
