// The queue by keyboard, its selection, and what changes while it is looked at. Nothing moves by itself: lines that
// changed say so in place, and what is new waits behind a button.
"use strict";

(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const form = document.getElementById("bulk");
  const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), select, textarea, dialog");

  // ---- what changes -----------------------------------------------------------------------------------------------

  document.addEventListener("changed", () => htmx.trigger("#live", "refresh"));
  document.addEventListener("htmx:oobAfterSwap", () => {
    for (const row of all("[data-row]")) row.classList.toggle("is-gone", Boolean(row.querySelector("[data-gone]")));
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-reload]")) return;
    event.preventDefault();
    location.reload();
  });

  // ---- blurred texts ----------------------------------------------------------------------------------------------

  const shows = document.querySelector("[data-show-texts]");
  if (shows && !root.hasAttribute("data-blur")) shows.hidden = true;
  if (shows) {
    shows.addEventListener("click", () => {
      const on = document.body.classList.toggle("shows-texts");
      shows.setAttribute("aria-pressed", String(on));
      shows.textContent = on ? "Hide texts" : "Show texts";
      for (const text of all(".excerpt")) text.toggleAttribute("aria-hidden", !on);
    });
  }

  if (!form) return;

  // ---- lines ------------------------------------------------------------------------------------------------------

  const rows = () => all("[data-row]");
  const current = () => rows().findIndex((row) => row.contains(document.activeElement));

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (!root.hasAttribute("data-shortcuts") || document.querySelector("dialog[open]")) return;
    const found = rows();
    const at = current();
    const step = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && (event.key.length === 1 || at >= 0)) {
      event.preventDefault();
      const next = found[Math.max(0, Math.min(found.length - 1, at + step))];
      if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
    } else if (event.key === "x" && at >= 0) {
      const box = found[at].querySelector("[name=review]:not(:disabled)");
      if (box) box.click();
    } else if (event.key === "Enter" && event.target === found[at]) {
      event.preventDefault();
      const take = found[at].querySelector("[data-take]");
      (take || found[at].querySelector("a")).click();
    }
  });

  // ---- selection --------------------------------------------------------------------------------------------------

  const bar = form.querySelector("[data-bulk-bar]");
  if (!bar) return;
  const boxes = () => all("[name=review]:not(:disabled)");
  const picked = () => boxes().filter((box) => box.checked);
  const items = (number) => `${number} item${number === 1 ? "" : "s"}`;
  const pickAll = form.querySelector("[data-pick-all]");

  const settle = () => {
    const number = picked().length;
    bar.classList.toggle("is-on", number > 0);
    bar.querySelector("[data-picked]").textContent = `${items(number)}:`;
    bar.querySelector("[data-bulk-go]").textContent = `Decide ${items(number)}…`;
    pickAll.checked = number > 0 && number === boxes().length;
    pickAll.indeterminate = number > 0 && !pickAll.checked;
    for (const row of rows()) row.classList.toggle("is-selected", Boolean(row.querySelector("[name=review]:checked")));
  };
  form.addEventListener("change", (event) => {
    if (event.target === pickAll) for (const box of boxes()) box.checked = pickAll.checked;
    settle();
  });
  form.querySelector("[data-unpick]").addEventListener("click", () => {
    for (const box of boxes()) box.checked = false;
    settle();
  });
  settle();

  // ---- asking before many are decided -----------------------------------------------------------------------------

  const dialog = document.getElementById("confirm");
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.hasAttribute("data-take")) return;
    event.preventDefault();
    const number = picked().length;
    if (!number) return window.say("Select at least one item first.", "problem");
    const values = new FormData(form);
    const rejects = values.get("kind") === "rejected";
    const said = (name) => String(values.get(name)).replaceAll("_", " ");
    document.getElementById("confirm-title").textContent = `${rejects ? "Reject" : "Approve"} ${items(number)}?`;
    document.getElementById("confirm-text").textContent = rejects
      ? `For ${said("policy")}, ${said("severity")}; action: ${said("action")}. Each author is told.`
      : "Each author is told that nothing was found against the rules.";
    dialog.querySelector("[data-confirm-yes]").textContent = `${rejects ? "Reject" : "Approve"} ${number}`;
    dialog.returnValue = "";
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    const yes = document.createElement("input");
    Object.assign(yes, { type: "hidden", name: "confirmed", value: "true" });
    form.append(yes);
    form.submit();
  });
})();
