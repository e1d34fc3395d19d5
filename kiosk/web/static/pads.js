// Number pads (ID number, phone, card, case, sum …) and ticking several tiles.

import { echo as ask } from "./echo.js";

const LOOK_MS = 250; // after the last key of a sum: its capitals need not follow each digit
const ID_LENGTH = 18;
const DECIMAL = /^-?\d{0,9}(\.\d{0,5})?$/;
const MONEY = /^\d*(\.\d{0,2})?$/;

export function mountPad(section, page) {
  const words = page.words(section);
  const { kind, today, unit, least } = section.dataset;
  const max = Number(section.dataset.max);
  const groups = section.dataset.groups.split(",").filter(Boolean).map(Number);
  const typed = section.querySelector("#typed");
  const echo = section.querySelector("#echo span");
  const firstEcho = echo.textContent;
  let text = section.dataset.value;
  // A helper's PIN is not for those who stand beside.
  const written = (part) => ("hidden" in section.dataset ? "●".repeat(part.length) : part);
  let isTouched = false;
  let timer = 0;
  let turn = 0;

  const listen = section.querySelector("[data-do=read]");
  const capital = section.querySelector("#capital");

  // A whole ID number tells who it may be of, or that a digit is wrong; a sum stands in capitals.
  function lookSoon() {
    clearTimeout(timer);
    turn += 1;
    if (capital) capital.textContent = "";
    if (kind === "id_number" && text.length === ID_LENGTH) look(false);
    else if (capital && text) timer = setTimeout(look, LOOK_MS, false);
  }

  async function look(isRead) {
    turn += 1;
    const mine = turn;
    const told = await ask(text, isRead);
    if (!told || mine !== turn || !section.isConnected) return;
    if (capital) capital.textContent = told.lines.join("");
    else if (told.lines.length) {
      echo.textContent = told.lines.join(words.comma);
      echo.parentElement.classList.toggle("wrong", told.is_wrong);
    }
    page.fit(section);
    if (told.say.length) page.voice.play(told.say);
  }

  function put(key) {
    const next = key === "delete" ? text.slice(0, -1) : key === "clear" ? ""
      : key === "-" && kind === "decimal" ? (text.startsWith("-") ? text.slice(1) : `-${text}`) : text + key;
    if (!isAllowed(next)) return;
    // What the kiosk said of the earlier answer is no longer true of this one.
    isTouched = isTouched || next !== text;
    text = next;
    show();
    lookSoon();
  }

  function isAllowed(next) {
    if (next.length > max) return false;
    if (kind === "decimal") return DECIMAL.test(next);
    if (kind === "amount") return MONEY.test(next) && next.replace(/\..*/, "").length <= 10;
    return kind !== "id_number" || /^\d{0,17}[\dX]?$/.test(next);
  }

  function show() {
    const isMobile = kind !== "phone" || text === "" || text[0] === "1";
    typed.replaceChildren();
    typed.classList.toggle("free", !groups.length || max <= 4);
    typed.classList.toggle("many", groups.length > 4);
    if (groups.length && isMobile) typed.append(...grouped());
    else typed.append(free());
    if (unit) typed.append(small(unit));
    echo.textContent = said() || (isTouched ? "" : firstEcho);
    echo.style.fontSize = "";
    echo.parentElement.classList.remove("wrong");
    if (listen) listen.disabled = text === "";
    page.fit(section);
  }

  // Fixed groups with an empty place for each digit still to come.
  function grouped() {
    const parts = [];
    let from = 0;
    for (const length of groups) {
      const span = document.createElement("span");
      const digits = text.slice(from, from + length);
      if (text.length >= from && text.length < from + length) span.className = "now";
      span.append(digits);
      for (let place = digits.length; place < length; place += 1) {
        const gap = document.createElement("i");
        if (from + place === text.length) gap.className = "next";
        span.append(gap);
      }
      parts.push(span);
      from += length;
    }
    return parts;
  }

  function free() {
    const span = document.createElement("span");
    span.className = "now";
    span.append(kind === "amount" ? bySize(text) : text.replace(/(\d{4})(?=\d)/g, kind === "bank_card" ? "$1 " : "$1"));
    if ("hidden" in section.dataset) span.textContent = written(text);
    const gap = document.createElement("i");
    gap.className = "next";
    if (text.length < max) span.append(gap);
    return span;
  }

  function small(word) {
    const element = document.createElement("small");
    element.textContent = word;
    return element;
  }

  // 34500.5 → "3 4500.5" where people count in 万, "34,500.5" elsewhere.
  function bySize(number) {
    const [whole, ...rest] = number.split(".");
    const parted = words.wan
      ? whole.replace(/\B(?=(\d{4})+$)/g, "\u2009")
      : whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return [parted, ...rest].join(".");
  }

  function said() {
    if (kind === "id_number") return born();
    if (kind === "amount" && words.wan) return unit === words.yuan ? money() : counted();
    return "";
  }

  function born() {
    const [, year, month, day] = text.match(/^\d{6}(\d{4})(\d\d)(\d\d)/) || [];
    if (!year || !today) return "";
    const date = new Date(Date.UTC(year, month - 1, day));
    if (date.getUTCMonth() !== month - 1 || Number(year) < 1900) return "";
    const [nowYear, nowMonth, nowDay] = today.split("-").map(Number);
    const isBefore = nowMonth < month || (nowMonth === Number(month) && nowDay < day);
    const age = nowYear - year - (isBefore ? 1 : 0);
    if (age < 0 || age > 130) return "";
    const named = new Intl.DateTimeFormat("en", { month: "long", timeZone: "UTC" });
    const isNamed = document.documentElement.lang === "en";
    return fill(words.born, { year, month: isNamed ? named.format(date) : Number(month), day: Number(day), age });
  }

  // 34500 → "3万4500元"; of what is not money only the whole 万 are worth saying.
  function counted() {
    const [whole] = text.split(".");
    return whole >= 1e4 && whole % 1e4 === 0 ? `${whole / 1e4}${words.wan}${unit}` : "";
  }

  function money() {
    const [whole, cents = ""] = text.split(".");
    if (!Number(text)) return "";
    const parts = [];
    const [yi, wan, rest] = [Math.floor(whole / 1e8), Math.floor(whole / 1e4) % 1e4, whole % 1e4];
    if (yi) parts.push(yi, words.yi);
    if (wan) parts.push(wan, words.wan);
    if (rest || !(yi || wan)) parts.push(rest);
    parts.push(words.yuan);
    if (Number(cents[0])) parts.push(cents[0], words.jiao);
    if (Number(cents[1])) parts.push(cents[1], words.fen);
    return parts.join("");
  }

  show();
  if (capital && text) look(false);
  return {
    value: () => (["amount", "decimal"].includes(kind) ? text.replace(/\.$/, "") : text),
    touch(button) {
      if (button.dataset.do === "read") look(true);
      else if (button.dataset.key) put(button.dataset.key);
    },
    close: () => clearTimeout(timer),
    key(event) {
      const { key } = event;
      if (/^\d$/.test(key)) put(key);
      else if (key === "Backspace") put("delete");
      else if (kind === "id_number" && ["x", "X", "*"].includes(key)) put("X");
      else if (["amount", "decimal"].includes(kind) && (key === "." || key === ",")) put(".");
      else if (key === "-" && least.startsWith("-")) put("-");
      // A reader on a cable types what it reads.
      else if (kind === "barcode" && /^[A-Za-z-]$/.test(key)) put(key);
      else return false;
      return true;
    },
  };
}

export function fill(template, slots) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => slots[name] ?? whole);
}

export function mountSeveral(section) {
  const tiles = [...section.querySelectorAll("[data-choice]")];
  const none = tiles.find((tile) => tile.dataset.choice === "");

  function tick(tile, isOn) {
    tile.classList.toggle("chosen", isOn);
    tile.setAttribute(tile === none ? "aria-pressed" : "aria-checked", String(isOn));
  }

  return {
    value: () => tiles.filter((tile) => tile !== none && tile.classList.contains("chosen"))
      .map((tile) => tile.dataset.choice).join(" "),
    touch(tile) {
      if (tile === none) for (const other of tiles) tick(other, other === none);
      else {
        tick(tile, !tile.classList.contains("chosen"));
        if (none) tick(none, false);
      }
    },
    key(event) {
      const tile = tiles[Number(event.key) - 1];
      if (!/^[1-9]$/.test(event.key) || !tile || event.repeat) return false;
      this.touch(tile);
      return true;
    },
  };
}
