// One sentence after the other: hear how it may sound, record, listen, go on.

const RATE_HZ = 22050; // what the clips have; the browser converts
const QUIET_DBFS = -30; // nobody who speaks into a microphone is below it
const LOUD_DBFS = -3;
const CLIPPED = 0.999;
const QUIET_AFTER_MS = 1200; // whoever has not begun by then is told
const LONGEST_MS = 60000;

const $ = (id) => document.getElementById(id);
const log = (window.booth = { saved: 0, at: -1, told: "", isReady: false, recordedMs: 0 });

let state = null;
let language = navigator.language.startsWith("zh") ? "zh-CN" : "en";
let at = 0;
let microphone = null;
let blocks = null;
let loudest = 0;
let startedAt = 0;
const player = new Audio();

// --- words ---

const word = (name, slots = {}) => Object.entries(slots).reduce(
  (text, [slot, value]) => text.replace(`{${slot}}`, value), state.words[language][name]);

function tell(name, slots = {}) {
  log.told = name;
  const isGood = ["saved", "ready", "recording", "good"].includes(name);
  $("told").textContent = name ? word(name, slots) : "";
  $("told").className = !name ? "" : isGood ? "good" : "bad";
}

function show() {
  const item = state.items[at];
  document.documentElement.lang = language;
  document.title = word("title");
  $("pack").textContent = `${state.name} ${state.language}`;
  $("hint").textContent = word(item.is_name ? "say_name" : "say", { name: state.name });
  $("text").textContent = item.text;
  $("text").className = item.text.length > 40 ? "long" : "";
  $("key").textContent = item.key;
  const done = state.items.filter((one) => one.is_recorded).length;
  const left = state.items.filter((one) => !one.is_recorded)
    .reduce((total, one) => total + one.expected_s, 0);
  const slots = { done, total: state.items.length, minutes: Math.ceil(left / 60) };
  $("progress").textContent = word(left ? "progress" : "finished", slots);
  $("bar").value = done / state.items.length;
  for (const id of ["back", "reference", "listen", "next"]) $(id).textContent = word(id);
  $("record").textContent = word(blocks ? "stop" : item.is_recorded ? "again" : "record");
  $("record").classList.toggle("on", Boolean(blocks));
  $("language").textContent = word("other_language");
  $("back").disabled = Boolean(blocks) || at === 0;
  $("next").disabled = Boolean(blocks) || at === state.items.length - 1;
  $("reference").disabled = Boolean(blocks) || !item.has_reference;
  $("listen").disabled = Boolean(blocks) || !item.is_recorded;
  log.at = at;
}

function turn(to) {
  if (blocks || to < 0 || to >= state.items.length) return;
  player.pause();
  at = to;
  tell("");
  show();
}

// On: the next one that is missing, or simply the next.
function goOn() {
  const missing = state.items.findIndex((one, index) => index > at && !one.is_recorded);
  turn(missing >= 0 ? missing : at + 1);
}

// --- sound ---

function play(url) {
  if (blocks) return;
  player.src = url;
  player.play().catch(() => tell("cannot_play"));
}

async function open() {
  if (microphone) return microphone;
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { channelCount: 1, echoCancellation: false, autoGainControl: false,
      noiseSuppression: false },
  });
  const context = new AudioContext({ sampleRate: RATE_HZ });
  await context.audioWorklet.addModule("/worklet.js");
  const node = new AudioWorkletNode(context, "samples", { numberOfOutputs: 0, channelCount: 1,
    channelCountMode: "explicit" });
  node.port.onmessage = ({ data }) => hear(data);
  context.createMediaStreamSource(stream).connect(node);
  microphone = { context, stream };
  return microphone;
}

const decibels = (value) => (value ? Math.max(-60, 20 * Math.log10(value)) : -60);

function hear(block) {
  const peak = block.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  $("meter").value = decibels(peak);
  if (!blocks) return;
  blocks.push(block);
  loudest = Math.max(loudest, peak);
  const passed = performance.now() - startedAt;
  log.recordedMs = passed;
  if (loudest >= CLIPPED) tell("clipped");
  else if (decibels(loudest) > LOUD_DBFS) tell("too_loud");
  else if (passed > QUIET_AFTER_MS && decibels(loudest) < QUIET_DBFS) tell("too_quiet");
  else tell("recording");
  if (passed > LONGEST_MS) toggle();
}

async function toggle() {
  if (blocks) return finish();
  player.pause();
  try {
    await open();
  } catch {
    tell("no_microphone");
    return undefined;
  }
  await microphone.context.resume();
  loudest = 0;
  startedAt = performance.now();
  blocks = [];
  tell("recording");
  show();
  return undefined;
}

async function finish() {
  const taken = blocks;
  blocks = null;
  const index = at;
  tell("ready");
  show();
  try {
    const reply = await fetch(`/recording/${index}`, {
      method: "PUT", headers: { "Content-Type": "audio/wav" }, body: wav(taken),
    });
    const judged = await reply.json();
    if (reply.ok) {
      state.items[index].is_recorded = true;
      log.saved += 1;
    }
    tell(judged.told);
  } catch {
    tell("not_saved");
  }
  show();
}

function wav(taken) {
  const count = taken.reduce((total, block) => total + block.length, 0);
  const view = new DataView(new ArrayBuffer(44 + count * 2));
  const write = (offset, text) => [...text].forEach((sign, index) => {
    view.setUint8(offset + index, sign.charCodeAt(0));
  });
  write(0, "RIFF");
  view.setUint32(4, 36 + count * 2, true);
  write(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, RATE_HZ, 4], [28, RATE_HZ * 2, 4], [32, 2, 2],
    [34, 16, 2]].forEach(([offset, value, size]) => {
    if (size === 4) view.setUint32(offset, value, true);
    else view.setUint16(offset, value, true);
  });
  write(36, "data");
  view.setUint32(40, count * 2, true);
  let offset = 44;
  for (const block of taken)
    for (const sample of block) {
      view.setInt16(offset, Math.max(-1, Math.min(1, sample)) * 32767, true);
      offset += 2;
    }
  return view.buffer;
}

// --- hands ---

const DO = {
  back: () => turn(at - 1),
  reference: () => play(`/reference/${at}`),
  record: toggle,
  listen: () => play(`/recording/${at}?${Date.now()}`),
  next: goOn,
  language: () => {
    language = language === "en" ? "zh-CN" : "en";
    show();
  },
};
const KEYS = { " ": "record", ArrowLeft: "back", ArrowRight: "next", Enter: "next",
  ArrowUp: "reference", ArrowDown: "listen", l: "language" };

for (const [id, act] of Object.entries(DO)) $(id).addEventListener("click", act);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !state) return;
  // A button that has the focus is pressed by the space bar and Enter by itself.
  if ([" ", "Enter"].includes(event.key) && document.activeElement?.tagName === "BUTTON") return;
  const id = KEYS[event.key];
  if (!id || event.repeat) return;
  event.preventDefault();
  if (!$(id).disabled) DO[id]();
});
document.addEventListener("click", (event) => {
  // After a finger or a mouse the keys belong to the page again.
  if (event.detail) event.target.closest?.("button")?.blur();
});

state = await (await fetch("/state")).json();
at = Math.max(0, state.items.findIndex((one) => !one.is_recorded));
show();
log.isReady = true;
