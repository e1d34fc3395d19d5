// The page of the kiosk: touches go out as forms, screens come back whole and are swapped in.
// Only the body changes, so the sound and its decoded clips live on from screen to screen.

import { mountCarry } from "./carry.js";
import { mountDate } from "./dates.js";
import { mountInk } from "./ink.js";
import { mountName } from "./names.js";
import { mountPad, mountSeveral } from "./pads.js";
import { mountPhoto } from "./photo.js";
import { mountPulse } from "./pulse.js";
import { mountRecorder } from "./recorder.js";
import { Voice } from "./voice.js";

const DEAF_MS = 300; // a new screen hears nothing: the second half of a double tap is no answer
const SAME_MS = 500; // a trembling hand touches twice
const SAME_KEY_MS = 150; // on a key, where "11" is meant; a tremor's bounce is shorter
const SILENCE_MS = [20000, 45000];
const BEAT_MS = 250;
const SLOW_MS = 500; // from here on the page says that it is at work
const RETRY_MS = 1000;
const ALIVE_MS = 15000; // how often a busy finger tells the kiosk that somebody is there
const SMALLEST_MM = 4.2; // text is never shrunk below

const WIDGETS = {
  pad: mountPad, several: mountSeveral, date: mountDate, name: mountName,
  photo: mountPhoto, signature: mountInk, voice: mountRecorder, carry: mountCarry,
};

const log = (window.bianmin = {
  playing: [], played: [], firstSoundMs: null, screenMs: null, screens: 0, ignored: 0,
});
const voice = new Voice(log);
let playlist = { say: [], silence: [], preload: [] };
let widget = null;
let pressed = null;
let last = { target: "", at: -Infinity };
let shownAt = 0;
let quietMs = 0;
let stage = 0;
let isSending = false;
let aliveAt = 0;

// --- out and in ---

async function post(action, value = "", question = document.body.dataset.question) {
  if (isSending) return;
  isSending = true;
  voice.stop();
  const since = performance.now();
  const { visit, rev } = document.body.dataset;
  const slow = setTimeout(() => showWait("wait"), SLOW_MS);
  try {
    const reply = await fetch("/act", {
      method: "POST",
      headers: { "X-Requested-With": "kiosk" },
      body: new URLSearchParams({ visit, rev, action, value, question }),
    });
    swap(await pageOf(reply), since);
  } catch {
    await recover();
  } finally {
    clearTimeout(slow);
    isSending = false;
  }
}

async function pageOf(reply) {
  if (!(reply.headers.get("Content-Type") || "").startsWith("text/html"))
    throw new Error(`${reply.status}`);
  return reply.text();
}

// The kiosk's program is starting again: ask until it is there, then show where the visit stands.
async function recover() {
  showWait("restarting");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    try {
      const reply = await fetch("/", { cache: "no-store" });
      swap(await pageOf(reply), performance.now());
      return;
    } catch { /* not yet */ }
  }
}

// What happened meanwhile, unless a finger was quicker.
async function refresh(visit, rev) {
  const html = await pageOf(await fetch("/", { cache: "no-store" }));
  const now = document.body.dataset;
  if (!isSending && !pressed && now.visit === visit && now.rev === rev)
    swap(html, performance.now());
}

function showWait(key) {
  const wait = document.querySelector(".wait");
  if (!wait) return;
  wait.lastElementChild.textContent = JSON.parse(document.body.dataset.words)[key] || "";
  wait.hidden = false;
}

function swap(html, since) {
  const next = new DOMParser().parseFromString(html, "text/html");
  if (!next.body.dataset.playlist) throw new Error("no screen");
  const visit = document.body.dataset.visit;
  widget?.close?.();
  widget = null;
  voice.stop();
  document.documentElement.lang = next.documentElement.lang;
  document.title = next.title;
  document.body.replaceWith(document.adoptNode(next.body));
  if (visit !== document.body.dataset.visit) voice.forget();
  appear(since);
}

function appear(since) {
  const body = document.body;
  playlist = { say: [], silence: [], preload: [], ...JSON.parse(body.dataset.playlist) };
  // The heading is the sentence that is said first.
  if (playlist.say[0] && !playlist.say[0].highlight) playlist.say[0].highlight = "title";
  pressed = null;
  quietMs = 0;
  stage = 0;
  shownAt = performance.now();
  const section = body.querySelector("[data-entry]");
  if (section) widget = WIDGETS[section.dataset.entry](section, page);
  fit();
  document.getElementById("title")?.focus({ preventScroll: true });
  log.firstSoundMs = null;
  voice.play(playlist.say, shownAt);
  // After the frame is painted, not only asked for.
  requestAnimationFrame(() => setTimeout(() => {
    log.screenMs = performance.now() - since;
    log.screens += 1;
    voice.preload(playlist.preload || []);
  }));
}

// Texts that do not fit their box are made smaller, a step at a time.
function fit(root = document.body) {
  const mm = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--mm"));
  const boxes = root.querySelectorAll(
    "header,.tile,.nav,.alt,.error,.rows li,.steps,.side,.lines,.told,.due,.qr,.key.word,.poster,.stored,.hint,main");
  for (const box of boxes)
    for (let step = 0; step < 8 && overflows(box, mm); step += 1) {
      const texts = box.matches(".fit") ? [box] : [...box.querySelectorAll(".fit")];
      const sizes = texts.map((text) => parseFloat(getComputedStyle(text).fontSize));
      texts.forEach((text, index) => {
        text.style.fontSize = `${Math.max(sizes[index] * 0.93, SMALLEST_MM * mm)}px`;
      });
    }
}

function overflows(box, mm) {
  if (box.matches("header")) {
    // Glyphs reach beyond a heading's tight lines, so its lines are measured and not its ink.
    const title = box.querySelector("h1");
    const isUpright = box.clientHeight > title.offsetHeight * 1.5 && box.clientWidth < innerHeight;
    return title.scrollWidth > title.clientWidth + 1
      || (!isUpright && title.offsetHeight > box.clientHeight + 1);
  }
  // The last line's glyphs hang over its box by a hair; that is no overflow.
  const hair = box.matches("main") ? 4 : mm;
  return box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + hair;
}

const page = {
  post,
  voice,
  fit,
  words: (section) => JSON.parse(section.dataset.words || "{}"),
  async upload(index, blob) {
    const { visit, question } = document.body.dataset;
    const query = new URLSearchParams({ question, index: String(index), visit });
    const reply = await fetch(`/attachment?${query}`, {
      method: "POST",
      headers: { "Content-Type": blob.type.split(";")[0], "X-Requested-With": "kiosk" },
      body: blob,
    });
    if (!reply.ok) throw new Error(`${reply.status}`);
  },
  // A recording or a steady hand before the camera is no silence.
  stir() {
    quietMs = 0;
    tellAlive();
  },
  // What lies under the finger has changed: a second, trembling touch does not count.
  deafen() { shownAt = performance.now(); },
};

async function goOn() {
  const { next, nextValue } = document.body.dataset;
  if (!next) return;
  if (!widget) return post(next, nextValue);
  const value = await widget.value();
  if (value !== null) await post(next, value);
}

// --- touch ---

function buttonAt(target) {
  const button = target?.closest?.("button");
  return button && !button.disabled ? button : null;
}

// The kiosk watches the silence too, in case this page hangs; typing posts nothing by itself.
function tellAlive() {
  const now = performance.now();
  if (now - aliveAt < ALIVE_MS) return;
  aliveAt = now;
  const { visit } = document.body.dataset;
  fetch(`/alive?${new URLSearchParams({ visit })}`, { method: "POST" }).catch(() => {});
}

function touched() {
  quietMs = 0;
  stage = 0;
  tellAlive();
  if (!unmute()) voice.stop();
}

// Where the browser insists on a touch before any sound: a finger counts only once it is lifted.
function unmute() {
  const isMute = voice.context.state === "suspended";
  if (isMute) voice.context.resume().catch(() => {});
  return isMute;
}

document.addEventListener("pointerdown", (event) => {
  document.documentElement.classList.remove("keys");
  touched();
  const button = buttonAt(event.target);
  if (!button || pressed || event.button > 0) return;
  pressed = { button, pointer: event.pointerId, at: performance.now() };
  button.classList.add("pressed");
  if (performance.now() - shownAt >= DEAF_MS) voice.tick();
});

document.addEventListener("pointerup", (event) => {
  unmute();
  if (pressed?.pointer !== event.pointerId) return;
  const { button, at } = pressed;
  release();
  // Sliding off takes the touch back.
  if (buttonAt(document.elementFromPoint(event.clientX, event.clientY)) === button)
    activate(button, at);
});

document.addEventListener("pointercancel", release);

function release() {
  pressed?.button.classList.remove("pressed");
  pressed = null;
}

// A pointer has been answered above; a click without one comes from a keyboard or a screen reader.
document.addEventListener("click", (event) => {
  event.preventDefault();
  const button = buttonAt(event.target);
  if (event.detail === 0 && button) activate(button, performance.now());
});
// A touch gives no focus: else the Enter key would press again what was touched last.
document.addEventListener("mousedown", (event) => event.preventDefault());
document.addEventListener("contextmenu", (event) => event.preventDefault());
document.addEventListener("dragstart", (event) => event.preventDefault());

function activate(button, at) {
  const { action, value, question, key } = button.dataset;
  const target = `${button.id}|${action}|${value}|${key}|${button.dataset.do}|${button.textContent}`;
  const isSame = target === last.target && at - last.at < (key ? SAME_KEY_MS : SAME_MS);
  if (at - shownAt < DEAF_MS || isSame || isSending) {
    log.ignored += 1;
    return;
  }
  last = { target, at };
  if (button.dataset.do === "again") voice.play(playlist.say);
  else if (button.dataset.do === "next") goOn();
  else if (action) post(action, value, question);
  else widget?.touch?.(button);
}

// --- keys ---

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (widget?.key?.(event)) {
    event.preventDefault();
    touched();
    voice.tick();
    return;
  }
  const { key } = event;
  if (key === "Tab") document.documentElement.classList.add("keys");
  else if (key.startsWith("Arrow")) {
    document.documentElement.classList.add("keys");
    moveFocus(key);
    event.preventDefault();
  } else if (event.repeat) event.preventDefault();
  else if (key === "Enter") {
    if (document.activeElement?.tagName === "BUTTON") return;
    event.preventDefault();
    press(document.getElementById("next"));
  } else if (key === "Escape") {
    press(document.getElementById("back") || document.getElementById("home"));
  } else if (key >= "1" && key <= "9") {
    press(document.querySelectorAll(".tiles .tile")[Number(key) - 1]);
  }
});

function press(button) {
  if (!button) return;
  touched();
  activate(button, performance.now());
}

function moveFocus(key) {
  const from = document.activeElement?.closest?.("button");
  const all = [...document.querySelectorAll("button:not(:disabled)")]
    .filter((button) => button !== from && button.offsetParent !== null);
  const start = from ? from.getBoundingClientRect() : { left: 0, right: 0, top: 0, bottom: 0 };
  const isSideways = key === "ArrowRight" || key === "ArrowLeft";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const middle = (box) => (isSideways ? box.left + box.right : box.top + box.bottom) / 2;
  const aside = (a, b) => (isSideways
    ? Math.max(0, a.top - b.bottom, b.top - a.bottom)
    : Math.max(0, a.left - b.right, b.left - a.right));
  let best = null;
  for (const button of all) {
    const box = button.getBoundingClientRect();
    const along = (middle(box) - middle(start)) * sign;
    const gap = aside(box, start);
    // What stands in line comes before anything beside the line.
    const far = along + (gap ? innerWidth + gap * 2.5 : 0);
    if (along > 2 && (!best || far < best.far)) best = { button, far };
  }
  best?.button.focus({ preventScroll: true });
}

// --- silence ---

let beatAt = performance.now();
setInterval(() => {
  const now = performance.now();
  const passed = now - beatAt;
  beatAt = now;
  const timeoutMs = Number(document.body.dataset.timeoutS) * 1000;
  const countdown = document.getElementById("countdown");
  // Whoever is being spoken to is not silent.
  if (isSending || pressed || (voice.isPlaying && !countdown)) return;
  quietMs += passed;
  if (countdown) countdown.value = Math.max(0, (timeoutMs - quietMs) / 1000);
  if (timeoutMs && quietMs >= timeoutMs) {
    quietMs = 0;
    post("timeout");
  } else if (stage < SILENCE_MS.length && quietMs >= SILENCE_MS[stage]) {
    const clips = (playlist.silence || [])[stage];
    stage += 1;
    if (clips?.length) voice.play(clips);
  }
}, BEAT_MS);

appear(0);
mountPulse(refresh);
