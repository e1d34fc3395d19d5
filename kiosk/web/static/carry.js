// A film of codes for a helper's phone. The kiosk draws them some seconds ahead; this page only
// puts their modules on the canvas, one picture after the other, until the screen changes.

const QUIET_MODULES = 4; // of white around a code (ISO/IEC 18004)
const FRAMES_PER_S = [6, 3]; // cheap phones read six; three is for old ones and weak light
const AHEAD = 12; // frames left at which more are fetched
const FIRST = 4; // of the first fetch, so that something stands there at once
const MORE = 24;
const RETRY_MS = 2000;

export function mountCarry(section, page) {
  const words = page.words(section);
  const canvas = section.querySelector("canvas");
  const room = canvas.parentElement;
  const part = section.querySelector(".part");
  const count = section.querySelector(".count");
  const nothing = room.querySelector(".hint");
  const [pause, pace] = ["pause", "pace"].map((key) => section.querySelector(`[data-key=${key}]`));
  const log = { shown: 0, paused: false, perS: FRAMES_PER_S[0], part: 0, parts: 0 };
  const queue = [];
  let next = 0; // place of the first frame that was not fetched yet
  let isFetching = false;
  let isClosed = false;
  let timer = 0;
  let fetchedAt = -Infinity;

  async function fetchMore() {
    if (isFetching || isClosed || performance.now() - fetchedAt < (next ? 0 : RETRY_MS)) return;
    isFetching = true;
    fetchedAt = performance.now();
    const query = new URLSearchParams({
      visit: document.body.dataset.visit, from: String(next), count: String(next ? MORE : FIRST),
    });
    try {
      const reply = await fetch(`/carry/film?${query}`);
      if (!reply.ok) throw new Error(`${reply.status}`);
      const { parts, envelopes, pictures } = await reply.json();
      log.parts = parts;
      count.textContent = envelopes ? words.count.replace("{n}", envelopes) : "";
      next += pictures.length;
      queue.push(...pictures);
      if (!log.shown) show();
      if (!parts) {
        nothing.textContent = words.nothing;
        nothing.hidden = false;
      }
    } catch { /* the kiosk is starting again; the last code stays until it is there */ }
    isFetching = false;
  }

  function draw({ side, bits }) {
    const raw = atob(bits);
    const whole = side + 2 * QUIET_MODULES;
    // A module is a whole number of the display's points: else some are wider than others.
    const ratio = window.devicePixelRatio || 1;
    const points = Math.floor((Math.min(room.clientWidth, room.clientHeight) * ratio) / whole);
    const scale = Math.max(1, points);
    if (canvas.width !== whole * scale) {
      canvas.width = whole * scale;
      canvas.height = whole * scale;
      canvas.style.width = `${(whole * scale) / ratio}px`;
      canvas.style.height = canvas.style.width;
    }
    const brush = canvas.getContext("2d", { alpha: false });
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.fillStyle = "#000";
    for (let place = 0; place < side * side; place += 1)
      if ((raw.charCodeAt(place >> 3) >> (7 - (place & 7))) & 1)
        brush.fillRect(
          (QUIET_MODULES + (place % side)) * scale,
          (QUIET_MODULES + Math.floor(place / side)) * scale, scale, scale);
  }

  function step() {
    timer = setTimeout(step, 1000 / log.perS);
    if (queue.length <= AHEAD) fetchMore();
    if (!log.paused) show();
  }

  function show() {
    if (!queue.length) return;
    const picture = queue.shift();
    // Before the code is drawn: the words take room from it.
    if (picture.part !== log.part) {
      log.part = picture.part;
      const text = words.part.replace("{n}", picture.part).replace("{total}", log.parts);
      part.textContent = log.parts > 1 ? text : "";
    }
    draw(picture);
    log.shown += 1;
  }

  function label(button, text, isOther) {
    button.querySelector("span").textContent = text;
    button.classList.toggle("other", isOther);
    page.fit(button.parentElement);
  }

  window.bianmin.carry = log;
  step();
  return {
    value: () => "",
    touch(button) {
      if (button === pause) {
        log.paused = !log.paused;
        label(pause, log.paused ? words.resume : words.pause, log.paused);
      } else if (button === pace) {
        log.perS = FRAMES_PER_S[log.perS === FRAMES_PER_S[0] ? 1 : 0];
        const isSlow = log.perS === FRAMES_PER_S[1];
        label(pace, isSlow ? words.faster : words.slower, isSlow);
      }
    },
    key: () => false,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
