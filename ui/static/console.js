// The little that the console does in the browser. Everything here is a comfort: each page works without it.
//
//   data-key="a" | "g q" | "ctrl+enter" | "?"   presses or focuses the element; data-key-label names it in the list
//   data-submit      a control that sends its form when it changes
//   data-palette     opens the finder; data-keys opens the list of keys; data-dismiss takes its toast away
//   data-seconds     on a toast: for how long what it offers can be had; data-left inside shows what is left
//   data-sensitive   gets a button that shows what is blurred, and hides it again
//   data-key-help    names a key that a page's own script acts on, for the list
//   data-live        on the body: the stream that says when something changed; it is told on as the event `changed`
//   data-live-total  shows how many items wait
//   data-confirm     on a form: asks before it is sent
"use strict";

(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");
  const shown = (element) => element.checkVisibility({ visibilityProperty: true }) || element.tagName === "A";

  // ---- keys -------------------------------------------------------------------------------------------------------

  let before = "";
  let forget = 0;

  const pressed = (event) => {
    const name = event.key === " " ? "space" : event.key.toLowerCase();
    const held = [event.ctrlKey || event.metaKey ? "ctrl" : "", event.altKey ? "alt" : ""].filter(Boolean);
    return [...held, name].join("+");
  };

  const act = (element) => {
    if (element.matches("input:not([type=checkbox], [type=radio], [type=submit]), textarea, select")) element.focus();
    else element.click();
  };

  const open = () => all("dialog[open]").pop();

  const keyed = () => all("[data-key]", open() || document).filter((e) => !e.disabled && shown(e));

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    const key = pressed(event);
    const single = !key.includes("+");
    if (single && (typing(event.target) || !root.hasAttribute("data-shortcuts"))) return;
    const found = keyed();
    const sequence = `${before} ${key}`;
    const match = found.find((e) => before && e.dataset.key === sequence) || found.find((e) => e.dataset.key === key);
    clearTimeout(forget);
    before = "";
    if (match) {
      event.preventDefault();
      act(match);
    } else if (single && found.some((e) => e.dataset.key.startsWith(`${key} `))) {
      before = key;
      forget = setTimeout(() => { before = ""; }, 1500);
    }
  });

  const listKeys = () => {
    const dialog = document.getElementById("keys");
    if (!dialog || dialog.open) return;
    const list = dialog.querySelector("dl");
    list.replaceChildren();
    const seen = new Set();
    for (const element of [...keyed(), ...all("[data-key-help]")]) {
      const key = element.dataset.key || element.dataset.keyHelp;
      if (seen.has(key)) continue;
      seen.add(key);
      const term = document.createElement("dt");
      for (const part of key.split(/[ +]/)) {
        const cap = document.createElement("kbd");
        cap.textContent = part.length === 1 ? part : part[0].toUpperCase() + part.slice(1);
        term.append(cap, " ");
      }
      const meaning = document.createElement("dd");
      meaning.textContent = element.dataset.keyLabel || element.getAttribute("aria-label") || element.textContent.trim();
      list.append(term, meaning);
    }
    dialog.showModal();
  };

  // ---- the finder -------------------------------------------------------------------------------------------------

  const palette = document.getElementById("palette");
  if (palette) {
    const input = palette.querySelector("input");
    const results = palette.querySelector("#palette-results");
    let waiting = 0;
    let asked = 0;

    const links = () => all("a", results);
    const select = (link) => {
      for (const other of links()) other.removeAttribute("aria-selected");
      if (!link) return input.removeAttribute("aria-activedescendant");
      link.setAttribute("aria-selected", "true");
      input.setAttribute("aria-activedescendant", link.id);
      link.scrollIntoView({ block: "nearest" });
    };
    const selected = () => links().findIndex((link) => link.hasAttribute("aria-selected"));
    const find = async () => {
      const mine = ++asked;
      try {
        const answer = await fetch(`/search?q=${encodeURIComponent(input.value)}`, { headers: { "HX-Request": "true" } });
        if (answer.status === 401) return location.assign("/login");
        const text = await answer.text();
        if (mine !== asked) return;
        // Our own escaped template; parsed without running anything.
        results.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
        for (const list of all("ul", results)) {
          list.setAttribute("role", "listbox");
          list.setAttribute("aria-label", list.previousElementSibling.textContent);
          for (const item of list.children) item.setAttribute("role", "presentation");
        }
        links().forEach((link, index) => { link.id = `found-${index}`; link.setAttribute("role", "option"); link.tabIndex = -1; });
        select(links()[0]);
      } catch {
        results.textContent = "The service does not answer; try again.";
      }
    };

    input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(find, 150); });
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const found = links();
      if (step && found.length) {
        event.preventDefault();
        select(found[(selected() + step + found.length) % found.length]);
      } else if (event.key === "Enter") {
        event.preventDefault();
        const chosen = found[selected()];
        location.assign(chosen ? chosen.href : `/search?q=${encodeURIComponent(input.value)}`);
      }
    });
    palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });

    window.openPalette = () => {
      if (open()) return;
      palette.showModal();
      input.select();
      find();
    };
  }

  // ---- toasts -----------------------------------------------------------------------------------------------------

  const wireToast = (toast) => {
    if (toast.dataset.wired) return;
    toast.dataset.wired = "true";
    const dismiss = toast.querySelector("[data-dismiss]");
    if (dismiss) dismiss.hidden = false;
    if (!toast.dataset.seconds) return;
    const until = performance.now() + 1000 * Number(toast.dataset.seconds);
    const left = toast.querySelector("[data-left]");
    const tick = () => {
      const seconds = Math.ceil((until - performance.now()) / 1000);
      if (seconds <= 0) return toast.remove();
      if (left) left.textContent = `(${seconds})`;
      setTimeout(tick, 250);
    };
    if (left) left.setAttribute("aria-hidden", "true");
    tick();
  };

  const say = (text, kind = "done") => {
    const toast = document.createElement("div");
    toast.className = `toast is-${kind}`;
    const words = document.createElement("p");
    words.textContent = text;
    const dismiss = document.createElement("button");
    dismiss.className = "button is-quiet";
    dismiss.type = "button";
    dismiss.dataset.dismiss = "";
    dismiss.setAttribute("aria-label", "Dismiss");
    dismiss.textContent = "×";
    toast.append(words, dismiss);
    document.getElementById("toasts").append(toast);
    wireToast(toast);
  };

  // ---- what is blurred --------------------------------------------------------------------------------------------

  const wireSensitive = (element) => {
    if (element.dataset.wired || !root.hasAttribute("data-blur")) return;
    element.dataset.wired = "true";
    element.removeAttribute("tabindex");
    const label = element.dataset.sensitive;
    const inner = element.querySelector(".sensitive-inner");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button sensitive-show";
    const set = (on) => {
      element.classList.toggle("is-shown", on);
      inner.inert = !on;
      element.setAttribute("aria-label", on ? label : `${label}, blurred`);
      button.textContent = on ? "Hide" : "Show";
      button.setAttribute("aria-pressed", String(on));
      if (on) element.dispatchEvent(new CustomEvent("revealed", { bubbles: true }));
    };
    button.addEventListener("click", () => set(!element.classList.contains("is-shown")));
    if (!document.querySelector("[data-key=b]")) {
      button.dataset.key = "b";
      button.dataset.keyLabel = "Show what is blurred";
    }
    element.prepend(button);
    set(false);
  };

  // ---- what changes elsewhere -------------------------------------------------------------------------------------

  // Browsers open few streams to one host: only the page that is looked at keeps one.
  let stream = null;
  const listen = () => {
    const address = document.body.dataset.live;
    if (!address || stream || document.hidden) return;
    stream = new EventSource(address);
    stream.addEventListener("counts", (event) => {
      const counts = JSON.parse(event.data);
      for (const element of all("[data-live-total]")) {
        element.textContent = counts.total;
        element.hidden = !counts.total;
      }
      // The first as well: something may have changed between the making of the page and the opening of the stream.
      document.dispatchEvent(new CustomEvent("changed", { detail: counts }));
    });
  };
  const silence = () => { if (stream) stream.close(); stream = null; };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return silence();
    listen();
    document.dispatchEvent(new CustomEvent("changed"));
  });
  window.addEventListener("pagehide", silence);
  listen();

  // ---- wiring -----------------------------------------------------------------------------------------------------

  const wire = (within) => {
    all(".toast", within).forEach(wireToast);
    all(".sensitive", within).forEach(wireSensitive);
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-palette], [data-keys], [data-dismiss]");
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    if (!target) return;
    if (target.hasAttribute("data-dismiss")) return target.closest(".toast").remove();
    event.preventDefault();
    if (target.hasAttribute("data-palette")) window.openPalette();
    else listKeys();
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector("meta[name=csrf]");
    if (token) event.detail.headers["X-CSRF-Token"] = token.content;
  });
  document.addEventListener("htmx:load", (event) => wire(event.detail.elt));
  document.addEventListener("htmx:responseError", (event) => {
    const told = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").body.textContent.trim();
    say(told.slice(0, 300) || "That did not work; try again.", "problem");
  });
  document.addEventListener("htmx:sendError", () => say("The service does not answer; try again.", "problem"));

  root.classList.add("scripted");
  window.say = say;
  wire(document);
})();
