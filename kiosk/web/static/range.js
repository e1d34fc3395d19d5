// A number between two ends: a key for each when there are few, else bigger and smaller by steps.
// No slider: a trembling hand cannot drag, and a finger covers where it drags to.

import { readAloud } from "./echo.js";

const KEYS_MAX = 12;
const LEAP = 10; // steps of the two outer keys

export function mountRange(section, page) {
  const { least, most, step } = section.dataset;
  const digits = Math.max(...[least, step].map((text) => (text.split(".")[1] || "").length));
  const scale = 10 ** digits;
  // Counted in whole units of the last digit: 0.1 + 0.2 must not become 0.30000000000000004.
  const [low, high, by] = [least, most, step].map((text) => Math.round(Number(text) * scale));
  const count = Math.floor((high - low) / by) + 1;
  const cells = section.querySelector(".cells");
  const typed = section.querySelector("#typed");
  const meter = section.querySelector("meter");
  const movers = [...section.querySelectorAll("[data-move]")];
  const listen = section.querySelector("[data-do=read]");
  let at = place(section.dataset.value);

  function place(text) {
    const index = (Math.round(Number(text) * scale) - low) / by;
    return text !== "" && Number.isInteger(index) && index >= 0 && index < count ? index : -1;
  }

  const written = (index) => ((low + index * by) / scale).toFixed(digits).replace(/\.?0+$/, digits ? "" : "$&");
  const value = () => (at < 0 ? "" : written(at));

  function show() {
    typed.firstElementChild.textContent = value() || "–";
    meter.value = Math.max(at, 0);
    listen.disabled = at < 0;
    for (const key of cells.children) {
      const isOn = Number(key.dataset.cell) === at;
      key.classList.toggle("chosen", isOn);
      key.setAttribute("aria-pressed", String(isOn));
    }
    for (const mover of movers) {
      const by = Number(mover.dataset.move) * (mover.dataset.leap ? LEAP : 1);
      mover.disabled = at >= 0 && (by < 0 ? at === 0 : at === count - 1);
    }
    page.fit(section);
  }

  function move(steps) {
    // The first touch shows where one begins: the end that one comes from.
    if (at < 0) at = steps > 0 ? 0 : count - 1;
    else at = Math.min(count - 1, Math.max(0, at + steps));
    show();
  }

  meter.max = count - 1;
  section.classList.toggle("few", count <= KEYS_MAX);
  if (count <= KEYS_MAX)
    for (let index = 0; index < count; index += 1) {
      const key = document.createElement("button");
      key.type = "button";
      key.className = "key";
      key.dataset.cell = index;
      key.dataset.key = `${index}`;
      key.textContent = written(index);
      cells.append(key);
    }
  cells.hidden = count > KEYS_MAX;
  section.querySelector(".movers").hidden = count <= KEYS_MAX;
  show();
  return {
    value,
    async touch(button) {
      if (button.dataset.do === "read") await readAloud(section, page, value());
      else if (button.dataset.cell) {
        at = Number(button.dataset.cell);
        show();
      } else if (button.dataset.move) move(Number(button.dataset.move) * (button.dataset.leap ? LEAP : 1));
    },
    key(event) {
      const steps = { "+": 1, "-": -1, PageUp: LEAP, PageDown: -LEAP }[event.key];
      if (!steps) return false;
      move(steps);
      return true;
    },
  };
}
