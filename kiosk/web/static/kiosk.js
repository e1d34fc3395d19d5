// The page of the kiosk: touches go out as forms, screens come back whole and are swapped in.
// Only the body changes, so the sound and its decoded clips live on from screen to screen.

import { mountCarry } from "./carry.js";
import { Comfort } from "./comfort.js";
import { mountDate } from "./dates.js";
import { fit } from "./fit.js";
import { mountInk } from "./ink.js";
import { Keypad } from "./keypad.js";
import { mountName } from "./names.js";
import { mountPad, mountSeveral } from "./pads.js";
import { mountPhoto } from "./photo.js";
import { mountPulse } from "./pulse.js";
import { mountRange } from "./range.js";
import { mountRank } from "./rank.js";
import { mountRecorder } from "./recorder.js";
import { Silence } from "./silence.js";
import { Views } from "./views.js";
import { leaveTab } from "./tabs.js";
import { mountTime } from "./times.js";
import { Voice } from "./voice.js";

const DEAF_MS = 300; // a new screen hears nothing: the second half of a double tap is no answer
const SAME_MS = 500; // a trembling hand touches twice
const SAME_KEY_MS = 150; // on a key, where "11" is meant; a tremor's bounce is shorter
const SLOW_MS = 500; // from here on the page says that it is at work
const RETRY_MS = 1000;
const ALIVE_MS = 15000; // how often a busy finger tells the kiosk that somebody is there
const SLOWLY = 0.8; // of the chosen speed, for what was wrong twice

const WIDGETS = {
  pad: mountPad, several: mountSeveral, date: mountDate, name: mountName,
  photo: mountPhoto, signature: mountInk, voice: mountRecorder, carry: mountCarry,
  time: mountTime, range: mountRange, rank: mountRank,
};

const log = (window.bianmin = {
  playing: [], played: [], firstSoundMs: null, screenMs: null, screens: 0, ignored: 0,
});
const voice = new Voice(log);
const comfort = new Comfort(voice);
const EMPTY = { say: [], silence: [], countdown: [], more: [], preload: [] };
let playlist = EMPTY;
let views = null;
let widget = null;
let pressed = null;
let last = { target: "", at: -Infinity };
let shownAt = 0;
let isSending = false;
let uploads = 0;
let aliveAt = 0;

// --- out and in ---

async function post(action, value = "", question = document.body.dataset.question) {
  if (isSending) return;
  isSending = true;
  voice.stop();
  await comfort.keep(action, widget);
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
  if (visit !== document.body.dataset.visit) {
    voice.forget();
    if (leaveTab()) return;
  }
  appear(since);
}

function appear(since) {
  const body = document.body;
  playlist = { ...EMPTY, ...JSON.parse(body.dataset.playlist) };
  // The heading is the sentence that is said first.
  if (playlist.say[0] && !playlist.say[0].highlight) playlist.say[0].highlight = "title";
  pressed = null;
  silence.reset(playlist);
  shownAt = performance.now();
  comfort.wear(body);
  const section = body.querySelector("[data-entry]");
  if (section) {
    comfort.give(section);
    widget = WIDGETS[section.dataset.entry](section, page);
  }
  views = new Views(body);
  keypad.appear();
  log.firstSoundMs = null;
  if (body.dataset.quiet !== "silent") speak(shownAt);
  // After the frame is painted, not only asked for.
  requestAnimationFrame(() => setTimeout(() => {
    log.screenMs = performance.now() - since;
    log.screens += 1;
    voice.preload(playlist.preload || []);
  }));
}

// What the shown view holds, in order; what was wrong twice is said slower.
function speak(since = performance.now()) {
  const clips = playlist.say.filter((clip) => views.has(clip.highlight));
  // The keys of a question that was read before: what to do with them.
  if (!clips.length && views.at) clips.push(...(playlist.silence[1] || []));
  if (!views.isLast) clips.push(...playlist.more.map((clip) => ({ ...clip, highlight: "turn" })));
  voice.play(clips, since, Number(document.body.dataset.tries) > 1 ? SLOWLY : 1);
}

function turn(by) {
  if (!views.turn(by)) return false;
  shownAt = performance.now();
  keypad.appear();
  speak();
  return true;
}

const page = {
  post,
  voice,
  fit,
  words: (section) => JSON.parse(section.dataset.words || "{}"),
  async upload(index, blob) {
    const { visit, question } = document.body.dataset;
    const query = new URLSearchParams({ question, index: String(index), visit });
    uploads += 1;
    try {
      const reply = await fetch(`/attachment?${query}`, {
        method: "POST",
        headers: { "Content-Type": blob.type.split(";")[0], "X-Requested-With": "kiosk" },
        body: blob,
      });
      if (!reply.ok) throw new Error(`${reply.status}`);
    } finally {
      uploads -= 1;
    }
  },
  // A recording or a steady hand before the camera is no silence.
  stir() {
    silence.stir();
    tellAlive();
  },
  // What lies under the finger has changed: a second, trembling touch does not count.
  deafen() { shownAt = performance.now(); },
};

async function goOn() {
  if (turn(1)) return;
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
  silence.stir();
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
  keypad.off();
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
  if (button.dataset.do === "again") speak();
  else if (button.dataset.do === "turn") turn(1);
  else if (action === "back" && turn(-1)) return;
  else if (button.dataset.do === "next") goOn();
  else if (action) post(action, value, question);
  else widget?.touch?.(button);
}

// --- keys and silence ---

const keypad = new Keypad({
  playlist: () => playlist.say,
  play: (clips) => voice.play(clips),
  stir: touched,
  tick: () => voice.tick(),
  activate: (button) => activate(button, performance.now()),
  widget: () => widget,
});
const silence = new Silence({
  // Whoever is being spoken to is not silent.
  isBusy: () => isSending || Boolean(pressed) || uploads > 0 || voice.isPlaying,
  say: (clips) => voice.play(clips),
  over: () => post("timeout"),
});

appear(0);
mountPulse(refresh);
