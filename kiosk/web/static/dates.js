// A date in three steps: year, month, day; each a grid of big keys.

import { echo } from "./echo.js";
import { fill } from "./pads.js";

const YEARS_SHOWN = 11; // with one key for earlier or later years: 12 keys
const SPAN_YEARS = 120;

const iso = (year, month, day) =>
  `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
const daysIn = (year, month) => new Date(Date.UTC(year, month, 0)).getUTCDate();

export function mountDate(section, page) {
  const words = page.words(section);
  const { today } = section.dataset;
  const thisYear = Number(today.slice(0, 4));
  const earliest = section.dataset.earliest || iso(thisYear - SPAN_YEARS, 1, 1);
  const latest = section.dataset.latest || iso(thisYear + 1, 12, 31);
  const cells = section.querySelector(".cells");
  const asked = section.querySelector("#asked");
  const parts = [...section.querySelectorAll("[data-part]")];
  let chosen = { year: 0, month: 0, day: 0 };
  let step = "year";
  let digits = "";
  let lastYear = yearsEnd();

  function yearsEnd() {
    const high = Number(latest.slice(0, 4));
    return high <= thisYear + 1 ? high : thisYear + 1;
  }

  function take(text) {
    const [year, month, day] = text.split("-").map(Number);
    chosen = { year, month, day };
    step = "day";
    show();
  }

  function isIn(low, high) {
    return high >= earliest && low <= latest;
  }

  function choices() {
    if (step === "year") {
      const low = Number(earliest.slice(0, 4));
      const years = [];
      for (let year = Math.max(low, lastYear - YEARS_SHOWN + 1); year <= lastYear; year += 1)
        years.push(year);
      return years;
    }
    const count = step === "month" ? 12 : daysIn(chosen.year, chosen.month);
    return Array.from({ length: count }, (_, index) => index + 1);
  }

  function isPossible(value) {
    if (step === "year") return isIn(iso(value, 1, 1), iso(value, 12, 31));
    if (step === "month") return isIn(iso(chosen.year, value, 1), iso(chosen.year, value, 31));
    const day = iso(chosen.year, chosen.month, value);
    return isIn(day, day);
  }

  function cell(value, label, isOpen = true) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `key${chosen[step] === value ? " chosen" : ""}`;
    button.dataset.cell = value;
    button.dataset.key = value;
    button.textContent = label;
    button.disabled = !isOpen;
    return button;
  }

  function turn(key, label) {
    const button = cell(key, label);
    button.classList.add("word");
    return button;
  }

  const lunarButton = section.querySelector("[data-do=lunar]");

  const value = () => (chosen.day ? iso(chosen.year, chosen.month, chosen.day) : "");

  // The farmers' calendar is told on request: who knows it asks, others would be confused.
  async function tellLunar() {
    const day = value();
    const told = await echo(day, true);
    if (!told || day !== value() || !section.isConnected) return;
    asked.textContent = told.lines.join(" ");
    page.fit(section);
    page.voice.play(told.say);
  }

  function show() {
    lunarButton.hidden = !chosen.day;
    for (const part of parts) {
      const name = part.dataset.part;
      part.classList.toggle("now", name === step);
      part.firstElementChild.textContent = chosen[name] || "–";
      part.disabled = (name !== "year" && !chosen.year) || (name === "day" && !chosen.month);
    }
    asked.textContent = words[`which_${step}`];
    cells.className = `pad cells ${step}`;
    cells.replaceChildren(...choices().map((value) =>
      cell(value, fill(words[step], { n: value }), isPossible(value))));
    if (step === "year") {
      const low = Number(earliest.slice(0, 4));
      if (lastYear - YEARS_SHOWN + 1 > low) cells.prepend(turn("earlier", words.earlier));
      if (lastYear < yearsEnd() || lastYear < Number(latest.slice(0, 4)))
        cells.append(turn("later", words.later));
    }
  }

  function choose(value, isTouched = true) {
    digits = "";
    if (value === "earlier") lastYear -= YEARS_SHOWN;
    else if (value === "later") lastYear = Math.min(lastYear + YEARS_SHOWN, Number(latest.slice(0, 4)));
    else {
      const number = Number(value);
      if (step === "year") {
        chosen = { ...chosen, year: number, day: 0 };
        if (chosen.month && !isIn(iso(number, chosen.month, 1), iso(number, chosen.month, 31)))
          chosen.month = 0;
      } else if (step === "month") chosen = { ...chosen, month: number, day: 0 };
      else chosen = { ...chosen, day: number };
      // Other keys now stand under the same finger.
      if (isTouched) page.deafen();
      if (step !== "day") step = step === "year" ? "month" : "day";
    }
    show();
  }

  const near = section.querySelectorAll("[data-days]");
  for (const button of near) {
    const date = new Date(`${today}T00:00:00Z`);
    date.setUTCDate(date.getUTCDate() + Number(button.dataset.days));
    button.dataset.date = date.toISOString().slice(0, 10);
    button.hidden = !isIn(button.dataset.date, button.dataset.date)
      || (button.dataset.days === "1" && section.dataset.latest === "");
  }

  if (section.dataset.value) take(section.dataset.value);
  else show();
  return {
    value,
    touch(button) {
      if (button.dataset.do === "lunar") tellLunar();
      else if (button.dataset.cell) choose(button.dataset.cell);
      else if (button.dataset.date) take(button.dataset.date);
      else if (button.dataset.part) {
        step = button.dataset.part;
        // The chosen year stands among the keys, with some on either side.
        if (step === "year" && chosen.year)
          lastYear = Math.min(Number(latest.slice(0, 4)), chosen.year + Math.floor(YEARS_SHOWN / 2));
        show();
      }
    },
    // Typed digits choose as soon as they are complete: 2024, 11, 24; a 0 in front is welcome.
    key(event) {
      if (event.key === "Backspace") {
        digits = "";
        step = step === "day" && !chosen.day ? "month" : step === "month" ? "year" : step;
        if (step === "day") chosen.day = 0;
        show();
        return true;
      }
      if (!/^\d$/.test(event.key)) return false;
      digits += event.key;
      const length = step === "year" ? 4 : 2;
      const value = Number(digits);
      const isLone = step !== "year" && value * 10 > (step === "month" ? 12 : 31);
      if (digits.length < length && !isLone) return true;
      digits = "";
      if (value > 0 && isPossible(value)
        && (step !== "month" || value <= 12)
        && (step !== "day" || value <= daysIn(chosen.year, chosen.month))) choose(String(value), false);
      return true;
    },
  };
}
