// A time of day in two steps: the hour with its part of the day, then the minutes in fives.

import { readAloud } from "./echo.js";
import { fill } from "./pads.js";

const HOURS = 24;
const MINUTES = 60;
const FIVE = 5;

const two = (number) => String(number).padStart(2, "0");
const partOf = (hour) => (hour < 6 ? "night" : hour < 12 ? "morning" : hour < 13 ? "noon"
  : hour < 18 ? "afternoon" : "evening");
const ofTwelve = (hour) => (hour % 12 === 0 ? 12 : hour % 12);

export function mountTime(section, page) {
  const words = page.words(section);
  const cells = section.querySelector(".cells");
  const asked = section.querySelector("#asked");
  const said = section.querySelector("#echo span");
  const parts = [...section.querySelectorAll("[data-part]")];
  const listen = section.querySelector("[data-do=read]");
  let hour = -1;
  let minute = 0;
  let step = "hour";
  let digits = "";

  const value = () => (hour < 0 ? "" : `${two(hour)}:${two(minute)}`);
  const named = (at) => fill(words[partOf(at)], { n: ofTwelve(at) });

  function cell(name, label, under = "") {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "key";
    button.dataset.cell = button.dataset.key = name;
    const text = document.createElement("span");
    text.textContent = label;
    button.append(text);
    if (under) {
      const small = document.createElement("small");
      small.textContent = under;
      button.append(small);
    }
    const isChosen = step === "hour" ? Number(name) === hour : Number(name) === minute;
    if (isChosen && name !== "sooner" && name !== "later") button.classList.add("chosen");
    if (name === "sooner" || name === "later") button.classList.add("word");
    return button;
  }

  function show() {
    const [first, second] = parts.map((part) => part.firstElementChild);
    first.textContent = hour < 0 ? "–" : hour;
    second.textContent = hour < 0 ? "–" : two(minute);
    for (const part of parts) part.classList.toggle("now", part.dataset.part === step);
    parts[1].disabled = listen.disabled = hour < 0;
    asked.textContent = words[`which_${step}`];
    said.textContent = hour < 0 ? "" : fill(words.at, { day: named(hour), n: two(minute) });
    cells.className = `pad cells ${step}`;
    if (step === "hour")
      cells.replaceChildren(...Array.from({ length: HOURS }, (_, at) => cell(String(at), at, named(at))));
    else
      cells.replaceChildren(
        ...Array.from({ length: MINUTES / FIVE }, (_, at) => cell(String(at * FIVE), two(at * FIVE))),
        cell("sooner", words.sooner), cell("later", words.later));
    page.fit(section);
  }

  function choose(name) {
    if (name === "sooner" || name === "later") {
      const all = (hour * MINUTES + minute + (name === "later" ? 1 : -1) + HOURS * MINUTES) % (HOURS * MINUTES);
      [hour, minute] = [Math.floor(all / MINUTES), all % MINUTES];
    } else if (step === "hour") {
      hour = Number(name);
      step = "minute";
      page.deafen();
    } else minute = Number(name);
    show();
  }

  if (/^\d\d:\d\d$/.test(section.dataset.value)) {
    [hour, minute] = section.dataset.value.split(":").map(Number);
    step = "minute";
  }
  show();
  return {
    value,
    async touch(button) {
      if (button.dataset.do === "read") await readAloud(section, page, value());
      else if (button.dataset.cell) choose(button.dataset.cell);
      else if (button.dataset.part) {
        step = button.dataset.part;
        show();
      }
    },
    // Typed digits: 0930 is half past nine.
    key(event) {
      if (event.key === "Backspace") {
        [digits, hour, minute, step] = ["", -1, 0, "hour"];
        show();
        return true;
      }
      if (!/^\d$/.test(event.key)) return false;
      digits = digits.length === 4 ? event.key : digits + event.key;
      if (digits.length === 2 && Number(digits) < HOURS) [hour, minute, step] = [Number(digits), 0, "minute"];
      else if (digits.length === 2) digits = "";
      if (digits.length === 4 && Number(digits.slice(2)) < MINUTES) minute = Number(digits.slice(2));
      show();
      return true;
    },
  };
}
