// Names and short texts by pinyin, by plain letters and digits, by finger, or from rare characters.
// The table of characters comes once from the kiosk (/pinyin.json) and is searched here.

import { chip, drawingOf, hasRoom, MARK, mountHand } from "./handwriting.js";

let table = null;

function pinyinTable() {
  table ??= fetch("/pinyin.json").then((reply) => {
    if (!reply.ok) throw new Error(`${reply.status}`);
    return reply.json();
  }).then((read) => ({ ...read, syllables: Object.keys(read.given) }));
  table.catch(() => { table = null; });
  return table;
}

// Candidates for what is typed: of the syllable itself, then of those that it begins.
export function candidates(read, typed, isFirst, isText) {
  if (!typed) return [];
  const syllables = read.syllables.filter((syllable) => syllable.startsWith(typed));
  const found = [];
  const exact = read.given[typed] ? [typed] : [];
  const longer = syllables.filter((syllable) => syllable !== typed);
  if (isFirst) for (const syllable of [...exact, ...longer]) found.push(...(read.surname[syllable] || ""));
  for (const syllable of exact) found.push(...ranked(read, syllable, isText));
  // Half a syllable shows the likeliest of each; the whole list would bury them.
  for (const syllable of longer) found.push(...[...ranked(read, syllable, isText)].slice(0, exact.length ? 3 : 8));
  return [...new Set(found)];
}

function ranked(read, syllable, isText) {
  const characters = [...read.given[syllable]];
  if (!isText) return characters;
  const place = new Map([...read.common].map((character, index) => [character, index]));
  const of = (character) => place.get(character) ?? Infinity;
  return characters.map((character, index) => [of(character), index, character])
    .sort((a, b) => (a[0] - b[0] || 0) || a[1] - b[1]).map((entry) => entry[2]);
}

export function mountName(section, page) {
  const max = Number(section.dataset.max);
  const isText = section.dataset.kind === "text_note";
  const box = section.querySelector("#written");
  const row = section.querySelector("#candidates");
  const isUpright = section.classList.contains("upright");
  let text = section.dataset.value;
  let typed = "";
  let found = [];
  let from = 0;
  let read = null;
  let problem = section.querySelector(".error");
  let inks = []; // what was drawn for each mark in the text; [] of an earlier look at this page
  const panels = { hand: section.querySelector(".hand"), rare: section.querySelector(".rare") };
  const suggested = section.querySelector(".suggested");
  const keys = [...section.querySelectorAll(".choose,.keyboard")];
  const hand = panels.hand && mountHand(panels.hand, page, !isText, writeDrawn);
  let way = "keys";

  const isHan = () => section.dataset.mode === "han";
  const shown = () => (isUpright ? 14 : 10);

  function write(character) {
    if ([...text].length >= max) return;
    text += character;
    typed = "";
    search();
  }

  function writeDrawn(character, strokes = null) {
    if (!strokes) {
      write(character);
      return true;
    }
    if ([...text].length + MARK.length > max || !hasRoom(inks)) return false;
    // Earlier drawings lie with the kiosk and would be written over: the whole name is drawn anew.
    if (!inks.length) text = text.replaceAll(MARK, "");
    inks.push(strokes);
    text += MARK;
    show();
    return true;
  }

  function go(to) {
    way = to;
    for (const each of keys) each.hidden = way !== "keys";
    for (const [name, panel] of Object.entries(panels)) if (panel) panel.hidden = way !== name;
    for (const button of section.querySelectorAll("[data-do=way]"))
      button.hidden = button.dataset.way === way;
    section.querySelector("[data-do=mode]").hidden = way !== "keys";
    section.querySelector(".aside").hidden = way === "keys";
    typed = "";
    search();
    if (way === "hand") hand.open();
    page.fit(section);
  }

  function put(key) {
    // What was wrong with the last try gives its place to the characters of this one.
    problem?.remove();
    problem = null;
    if (key === "delete") {
      if (typed) typed = typed.slice(0, -1);
      else if (text.endsWith(MARK)) {
        text = text.slice(0, -MARK.length);
        inks.pop();
      } else text = [...text].slice(0, -1).join("");
    } else if (/^[a-z]$/.test(key) && isHan()) {
      // No syllable goes on like this: the letter is not taken, rather than shown as an error.
      if (!read || read.syllables.some((syllable) => syllable.startsWith(typed + key))) typed += key;
    } else if (/^[a-z]$/.test(key)) return write(cased(key));
    else if (isHan() && typed && found.length && /^[·，。 ]$/.test(key)) {
      write(found[0]);
      if (key !== " ") write(key);
      return;
    } else return write(isHan() ? key : { "·": "-", "，": ",", "。": "." }[key] || key);
    search();
  }

  // "WANG" is a number of a paper, "Wang" a name: capitals at the start of words of a name.
  function cased(letter) {
    if (isText || (section.dataset.mode === "latin" && document.documentElement.lang !== "en"))
      return isText ? letter : letter.toUpperCase();
    return text === "" || /[\s·.-]$/.test(text) || /\d$/.test(text) ? letter.toUpperCase() : letter;
  }

  function search() {
    found = read && isHan() ? candidates(read, typed, text === "" && !isText, isText) : [];
    from = 0;
    show();
  }

  function show() {
    box.replaceChildren(...written());
    if (typed) {
      const letters = document.createElement("em");
      letters.textContent = typed.replace("v", "ü");
      box.append(letters);
    }
    box.append(document.createElement("u"));
    box.scrollTop = box.scrollHeight;
    box.scrollLeft = box.scrollWidth;
    const places = shown();
    const cells = [];
    if (!isHan()) for (const digit of "1234567890") cells.push(cell(digit, digit, "put"));
    else {
      const hasMore = found.length > places;
      for (const character of found.slice(from, from + (hasMore ? places - 1 : places)))
        cells.push(cell(character, character, "take"));
      if (hasMore) cells.push(cell("more", "›", "turn"));
    }
    if (suggested) suggested.hidden = Boolean(cells.length || typed || text || problem);
    if (!cells.length && !typed && !problem && (!suggested || suggested.hidden)) {
      const hint = document.createElement("p");
      hint.className = "hint";
      hint.textContent = row.dataset.empty;
      cells.push(hint);
    }
    row.replaceChildren(...cells);
  }

  // The text, with each drawing where it stands.
  function written() {
    if (!inks.length) return [text];
    return text.split(MARK).flatMap((part, place) =>
      (place ? [chip(inks[place - 1], hand.mine), part] : [part]));
  }

  function cell(key, label, kind) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = kind === "turn" ? "key more" : "key";
    button.dataset.key = key;
    button.dataset.cell = kind;
    button.textContent = label;
    return button;
  }

  function turn() {
    from += shown() - 1;
    if (from >= found.length) from = 0;
    show();
  }

  pinyinTable().then((ready) => { read = ready; search(); }).catch(() => {
    // Without the table letters still work.
    section.dataset.mode = "latin";
    show();
  });
  show();
  return {
    async value() {
      if (!inks.length) return text.trim();
      try {
        await page.upload(0, new Blob([drawingOf(inks)], { type: "image/svg+xml" }));
      } catch {
        go("hand");
        hand.fail();
        return null;
      }
      return text.trim();
    },
    touch(button) {
      if (button.dataset.do === "way") {
        go(button.dataset.way);
        page.deafen();
      } else if (way === "hand" && hand.touch(button)) {
        problem?.remove();
        problem = null;
      } else if (button.dataset.do === "mode") {
        section.dataset.mode = isHan() ? "latin" : "han";
        typed = "";
        search();
      } else if (button.dataset.cell === "take") {
        write(button.dataset.key);
        page.deafen();
      } else if (button.dataset.cell === "turn") turn();
      else if (button.dataset.key) put(button.dataset.key);
    },
    close: () => hand?.close(),
    key(event) {
      const { key } = event;
      if (/^[a-zA-Z]$/.test(key)) put(key.toLowerCase());
      else if (/^\d$/.test(key)) {
        const picked = found[from + Number(key) - 1];
        if (isHan() && typed) { if (picked) write(picked); } else write(key);
      } else if (key === " ") put(" ");
      else if (key === "Backspace") put("delete");
      else if (key === "." && !isText) put("·");
      else if (key === "," || key === ".") put(key === "," ? "，" : "。");
      else if (key === "PageDown" || key === "=") turn();
      else if (key === "Enter" && typed && found.length) write(found[0]);
      else return false;
      return true;
    },
  };
}
