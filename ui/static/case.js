// The page of a case: keeps the claim while it is looked at, freezes the form when it is lost, gives it back on leaving,
// counts what was shown, and puts snippets where the cursor is.
"use strict";

(() => {
  const root = document.documentElement;
  const KEEP_MS = 30_000;
  const REPORT_MS = 20_000;
  const csrf = document.querySelector("meta[name=csrf]").content;
  const claim = () => document.getElementById("claim");
  const mine = () => claim() && claim().dataset.stand === "mine";
  const form = document.getElementById("decide");

  // ---- the claim --------------------------------------------------------------------------------------------------

  const renew = () => {
    if (!document.hidden && claim() && claim().hasAttribute("hx-post")) htmx.trigger(claim(), "renew");
  };

  const freeze = () => {
    const lost = !mine();
    form.classList.toggle("is-frozen", lost);
    for (const field of document.querySelectorAll("#decide input, #decide select, #decide button, .passing input, .passing select, .passing button")) {
      field.disabled = lost;
    }
    form.querySelector("textarea").readOnly = lost;
  };

  if (form && mine()) {
    setInterval(renew, KEEP_MS);
    document.addEventListener("visibilitychange", renew);
    document.addEventListener("htmx:afterSwap", freeze);
    // After a reload the page that was left has given the item back by now: take it again.
    const [entry] = performance.getEntriesByType("navigation");
    if (entry && entry.type !== "navigate") setTimeout(renew, 800);

    let sent = false;
    document.addEventListener("submit", (event) => { sent ||= event.target.closest(".desk-form") !== null; });
    window.addEventListener("pagehide", () => {
      const release = document.getElementById("release");
      if (!sent && mine() && release) navigator.sendBeacon(release.action, new URLSearchParams(new FormData(release)));
    });
  }

  // ---- snippets, and the places where one types -------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const field = document.getElementById("reasoning");
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
  });
  document.addEventListener("toggle", (event) => {
    const field = event.target.open && event.target.matches(".passing details") && event.target.querySelector("input:not([type=hidden]), select");
    if (field) field.focus();
  }, true);
  const inQuestion = document.querySelector(".talk .is-this");
  if (inQuestion) inQuestion.parentElement.scrollTop = inQuestion.offsetTop - inQuestion.parentElement.offsetTop - 120;
  const problem = document.getElementById("problem");
  if (problem) problem.scrollIntoView({ block: "nearest" });

  // ---- what was shown, and for how long ---------------------------------------------------------------------------

  const desk = document.querySelector("[data-seen]");
  let since = null;
  let seconds = 0;
  let counted = false;
  const revealed = () => !root.hasAttribute("data-blur") || Boolean(document.querySelector(".sensitive.is-shown"));
  const measure = () => {
    const now = performance.now();
    if (since !== null) seconds += (now - since) / 1000;
    since = revealed() && !document.hidden ? now : null;
  };
  const body = () => {
    const told = new URLSearchParams({ csrf, seconds: seconds.toFixed(1), items: counted ? "0" : "1" });
    seconds = 0;
    counted = true;
    return told;
  };
  const report = async () => {
    measure();
    if (seconds < 1) return;
    const answer = await fetch(desk.dataset.seen, { method: "POST", body: body() }).catch(() => null);
    if (!answer || answer.status !== 200) return;
    const said = new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent.trim();
    if (said) window.say(said);
  };
  document.addEventListener("revealed", measure);
  document.addEventListener("click", () => setTimeout(measure));
  document.addEventListener("visibilitychange", measure);
  measure();
  setInterval(report, REPORT_MS);
  window.addEventListener("pagehide", () => {
    measure();
    if (seconds >= 1) navigator.sendBeacon(desk.dataset.seen, body());
  });
})();
