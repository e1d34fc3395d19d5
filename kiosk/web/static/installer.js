// The installer's screen: the code, its pages, and the tests that only the page itself can do.

const IDLE_MS = 120000;
const DIGITS_MAX = 12;
const GAINS = { quiet: 0.15, usual: 0.5, loud: 1 };
const COLOURS = ["#ffffff", "#000000", "#ff0000", "#00ff00", "#0000ff"];
const TONE_S = 1;

let typed = "";
let touchedAt = performance.now();
let isSending = false;
let sound = null;

// What stands behind the address says how the browser was started (a tab for each visit).
const home = () => location.replace(`/${location.hash}`);

async function post(action, value = "") {
  if (isSending) return;
  isSending = true;
  const { token, tab, language } = document.body.dataset;
  document.body.setAttribute("aria-busy", "true");
  try {
    const reply = await fetch("/installer", {
      method: "POST",
      body: new URLSearchParams({ action, value, token, tab, language }),
    });
    const next = new DOMParser().parseFromString(await reply.text(), "text/html");
    if (!next.body.dataset.language) throw new Error("no page");
    document.documentElement.lang = next.documentElement.lang;
    document.body.replaceWith(document.adoptNode(next.body));
    typed = "";
  } catch { home(); } finally { isSending = false; }
}

function press(key) {
  if (key === "enter") return post("code", typed);
  typed = key === "delete" ? typed.slice(0, -1) : (typed + key).slice(0, DIGITS_MAX);
  document.getElementById("dots").textContent = "●".repeat(typed.length);
}

// A sentence of the kiosk's own voice, or a tone of 1 kHz where there is none.
async function play(volume, clip) {
  sound ??= new AudioContext();
  await sound.resume();
  const gain = sound.createGain();
  gain.gain.value = GAINS[volume];
  gain.connect(sound.destination);
  if (!clip) {
    const tone = new OscillatorNode(sound, { frequency: 1000 });
    tone.connect(gain);
    tone.start();
    tone.stop(sound.currentTime + TONE_S);
    return;
  }
  const bytes = await (await fetch(clip)).arrayBuffer();
  const source = new AudioBufferSourceNode(sound, { buffer: await sound.decodeAudioData(bytes) });
  source.connect(gain);
  source.start();
}

// Whole colours one after the other show dead dots; four corners show a touch map that is off.
function colours(full) {
  let at = 0;
  full.replaceChildren();
  full.style.background = COLOURS[at];
  full.hidden = false;
  full.onclick = () => {
    at += 1;
    if (at === COLOURS.length) full.hidden = true;
    else full.style.background = COLOURS[at];
  };
}

function corners(full) {
  full.style.background = "#ffffff";
  full.onclick = null;
  full.replaceChildren(...[["left", "top"], ["right", "top"], ["right", "bottom"], ["left", "bottom"]]
    .map(([x, y]) => {
      const dot = document.createElement("i");
      dot.style[x] = "0";
      dot.style[y] = "0";
      dot.onclick = () => {
        dot.remove();
        if (!full.children.length) full.hidden = true;
      };
      return dot;
    }));
  full.hidden = false;
}

document.addEventListener("click", (event) => {
  touchedAt = performance.now();
  const button = event.target.closest("button");
  if (!button) return;
  const { key, action, value, language, sound: volume, clip, screen } = button.dataset;
  if (button.id === "home") home();
  else if (language) {
    document.body.dataset.language = language;
    if (document.body.dataset.token) post("tab", document.body.dataset.tab);
    else post("look");
  } else if (key) press(key);
  else if (volume) play(volume, clip).catch(() => {});
  else if (screen === "colours") colours(document.getElementById("full"));
  else if (screen === "corners") corners(document.getElementById("full"));
  else if (action) post(action, value);
});

document.addEventListener("keydown", (event) => {
  touchedAt = performance.now();
  if (!document.querySelector(".pad")) return;
  if (/^[0-9]$/.test(event.key)) press(event.key);
  else if (event.key === "Backspace") press("delete");
  else if (event.key === "Enter" && !document.activeElement?.matches("button")) press("enter");
});

document.addEventListener("contextmenu", (event) => event.preventDefault());
setInterval(() => { if (performance.now() - touchedAt > IDLE_MS) home(); }, 1000);
