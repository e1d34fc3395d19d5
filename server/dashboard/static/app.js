// Comfort only: every page works without this file. Keys move through the queue and reach the
// actions of a case; live pages swap in fragments that the centre draws.
"use strict";

const isTyping = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;

function queueKeys() {
  if (!document.body.classList.contains("desk")) return;
  let at = -1;
  const move = (to) => {
    // Looked up anew each time: the table may have been drawn again meanwhile.
    const links = [...document.querySelectorAll("[data-queue] .row-link")];
    if (links.length === 0) return;
    at = Math.max(0, Math.min(links.length - 1, to));
    document.querySelectorAll("tr.now").forEach((row) => row.classList.remove("now"));
    const row = links[at].closest("tr");
    row.classList.add("now");
    row.scrollIntoView({ block: "nearest" });
    links[at].focus({ preventScroll: true });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "j") move(at + 1);
    else if (event.key === "k") move(at - 1);
  });
}

function caseKeys() {
  const targets = new Map();
  document.querySelectorAll("[data-key]").forEach((item) => targets.set(item.dataset.key, item));
  if (targets.size === 0) return;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const target = targets.get(event.key);
    if (!target) return;
    event.preventDefault();
    // Moves to the action, never takes it: one key must not speak to a resident.
    if (target.tagName === "SUMMARY") target.parentElement.open = true;
    target.focus();
    target.scrollIntoView({ block: "center" });
  });
}

function liveFragment() {
  const place = document.getElementById("live");
  const sign = document.querySelector("[data-live]");
  if (!place || !window.EventSource) return;
  const source = new EventSource(place.dataset.stream + location.search);
  const show = (isLost) => {
    if (!sign) return;
    sign.hidden = false;
    sign.textContent = isLost ? sign.dataset.lost : sign.dataset.words;
    sign.classList.toggle("lost", isLost);
  };
  source.onopen = () => show(false);
  source.onerror = () => show(true);
  source.onmessage = (event) => {
    // A person who is selecting or tabbing through the table is not interrupted.
    if (place.contains(document.activeElement) || !getSelection().isCollapsed) return;
    place.innerHTML = event.data;
  };
  source.addEventListener("end", () => { source.close(); location.assign("/login"); });
}

function files() {
  // The frame appears when something is put into it.
  document.querySelectorAll("details.file form").forEach((form) => {
    const frame = form.parentElement.querySelector("iframe");
    frame.hidden = true;
    form.addEventListener("submit", () => { frame.hidden = false; form.hidden = true; });
  });
}

function oneSubmit() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.target) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  // A page that comes back from the browser's memory may send again.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
}

queueKeys();
caseKeys();
liveFragment();
files();
oneSubmit();
