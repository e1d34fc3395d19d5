// One character by finger: a square to write in, and the characters that it may be. What nothing
// can read is kept as it was drawn, for a person to read; nobody is stuck on a name.

import { path, trace } from "./ink.js";

export const MARK = "（手写）"; // stands in the name for a character that is only drawn
const FIELD = 1000;
const STEP_MIN = 12; // field units between kept points; more tell the reader nothing
const POINTS_MAX = 900; // the kiosk takes 1,000
const STROKES_MAX = 60;
const PAUSE_MS = 300; // after a stroke: another one may follow at once
const INKS_MAX = 20;

export function mountHand(panel, page, isName, write) {
  const words = page.words(panel);
  const canvas = panel.querySelector("canvas");
  const hint = panel.querySelector(".instead");
  const told = panel.querySelector("#hand-told");
  const found = panel.querySelector("#found");
  const buttons = Object.fromEntries(
    [...panel.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]));
  const context = canvas.getContext("2d");
  let strokes = [];
  let drawing = null;
  let timer = 0;
  let asked = 0;

  function open() {
    const side = Math.round(canvas.getBoundingClientRect().width * devicePixelRatio);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    show();
  }

  function show() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    trace(context, strokes, canvas.width / FIELD, 22);
    const isEmpty = strokes.length === 0;
    hint.hidden = !isEmpty;
    for (const button of Object.values(buttons)) button.disabled = isEmpty;
    if (isEmpty) {
      found.replaceChildren();
      say(panel.closest(".upright") ? words.write_above : words.write);
    }
  }

  function say(text) {
    told.textContent = text;
  }

  function wipe() {
    clearTimeout(timer);
    asked += 1;
    strokes = [];
    drawing = null;
    show();
  }

  function at(event) {
    const box = canvas.getBoundingClientRect();
    const within = (value) => Math.min(FIELD, Math.max(0, Math.round(value)));
    return [within(((event.clientX - box.left) * FIELD) / box.width),
      within(((event.clientY - box.top) * FIELD) / box.height)];
  }

  const points = () => strokes.reduce((sum, stroke) => sum + stroke.length, 0);

  canvas.addEventListener("pointerdown", (event) => {
    if (drawing || strokes.length >= STROKES_MAX || points() >= POINTS_MAX) return;
    clearTimeout(timer);
    drawing = { pointer: event.pointerId, stroke: [at(event)] };
    canvas.setPointerCapture(event.pointerId);
    strokes.push(drawing.stroke);
    show();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drawing?.pointer !== event.pointerId || points() >= POINTS_MAX) return;
    page.stir();
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const [x, y] = at(each);
      const [u, v] = drawing.stroke.at(-1);
      if (Math.hypot(x - u, y - v) >= STEP_MIN) drawing.stroke.push([x, y]);
    }
    show();
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, (event) => {
      if (drawing?.pointer !== event.pointerId) return;
      drawing = null;
      readSoon();
    });

  function readSoon() {
    clearTimeout(timer);
    asked += 1;
    if (strokes.length) timer = setTimeout(read, PAUSE_MS, asked);
  }

  async function read(turn) {
    let characters = null;
    try {
      const query = new URLSearchParams({ visit: document.body.dataset.visit });
      const reply = await fetch(`/handwriting?${query}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Requested-With": "kiosk" },
        body: JSON.stringify({ strokes }),
      });
      if (reply.ok) characters = (await reply.json()).candidates;
    } catch { /* said below */ }
    // A further stroke was drawn meanwhile.
    if (turn !== asked || !panel.isConnected) return;
    found.replaceChildren(...(characters || []).map(cell));
    say(characters ? words.pick : words[isName ? "lost" : "lost_text"]);
  }

  function cell(character) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "key";
    button.dataset.key = character;
    button.dataset.cell = "take";
    button.textContent = character;
    return button;
  }

  return {
    open,
    touch(button) {
      const action = button.dataset.do;
      if (action === "undo") {
        strokes.pop();
        show();
        readSoon();
      } else if (action === "wipe") wipe();
      else if (action === "missing") {
        if (write(MARK, strokes)) {
          wipe();
          say(words.kept);
        }
        page.deafen();
      } else if (button.dataset.cell === "take") {
        write(button.dataset.key);
        wipe();
        page.deafen();
      } else return false;
      return true;
    },
    fail: () => say(words.not_kept),
    mine: words.mine,
    close() {
      clearTimeout(timer);
      asked += 1;
      canvas.width = 0;
    },
  };
}

// Whether one more drawing has room in a name.
export const hasRoom = (inks) => inks.length < INKS_MAX;

// Drawn characters side by side, each in its own square.
export function drawingOf(inks) {
  const strokes = inks.map((ink, place) => ink.map((stroke) => path(stroke, place * FIELD)).join(""));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${FIELD * inks.length} ${FIELD}">`
    + `<path fill="none" stroke="#201c16" stroke-width="22" stroke-linecap="round" stroke-linejoin="round" d="${strokes.join("")}"/></svg>`;
}

// A drawing as it stands in the line of the name.
export function chip(ink, words) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 96;
  canvas.className = "chip";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words);
  trace(canvas.getContext("2d"), ink, canvas.width / FIELD, 40);
  return canvas;
}
