"use strict";
// Shows what the demo knows once a second, and turns the switch of the link.
const byId = (id) => document.getElementById(id);

function span(ms) {
  if (ms === null) return "–";
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} 秒 s`;
  if (s < 3600) return `${Math.floor(s / 60)} 分 min`;
  return `${Math.floor(s / 3600)} 时 h`;
}

function size(bytes) {
  return bytes < 100000 ? `${(bytes / 1000).toFixed(1)} kB` : `${Math.round(bytes / 1000)} kB`;
}

function show(state) {
  document.body.dataset.link = state.is_whole ? "whole" : "cut";
  byId("switch").setAttribute("aria-checked", String(state.is_whole));
  byId("waiting").textContent = state.waiting ?? "–";
  byId("oldest").textContent = span(state.oldest_age_ms);
  byId("contact").textContent = span(state.contact_age_ms);
  byId("carried").textContent = size(state.bytes_up + state.bytes_down);
  byId("kiosk-sign").classList.toggle("bad", !state.is_kiosk_running);
  byId("centre-sign").classList.toggle("bad", !state.is_centre_running);
  byId("gone").hidden = true;
}

async function ask(path, options) {
  try {
    const answer = await fetch(path, { ...options, signal: AbortSignal.timeout(4000) });
    show(await answer.json());
  } catch {
    byId("gone").hidden = false;
  }
}

byId("switch").addEventListener("click", () => {
  const isWhole = document.body.dataset.link !== "whole";
  ask("/link", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ is_whole: isWhole }),
  });
});
setInterval(() => ask("/state"), 1000);
ask("/state");
