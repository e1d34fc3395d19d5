// Names and short texts by pinyin, or by plain letters and digits.
// The table of characters comes once from the kiosk (/pinyin.json) and is searched here.

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

  const isHan = () => section.dataset.mode === "han";
  const shown = () => (isUpright ? 14 : 10);

  function write(character) {
    if ([...text].length >= max) return;
    text += character;
    typed = "";
    search();
  }

  function put(key) {
    // What was wrong with the last try gives its place to the characters of this one.
    problem?.remove();
    problem = null;
    if (key === "delete") {
      if (typed) typed = typed.slice(0, -1);
      else text = [...text].slice(0, -1).join("");
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
    box.replaceChildren(text);
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
    if (!cells.length && !typed && !problem) {
      const hint = document.createElement("p");
      hint.className = "hint";
      hint.textContent = row.dataset.empty;
      cells.push(hint);
    }
    row.replaceChildren(...cells);
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
    value: () => text.trim(),
    touch(button) {
      if (button.dataset.do === "mode") {
        section.dataset.mode = isHan() ? "latin" : "han";
        typed = "";
        search();
      } else if (button.dataset.cell === "take") {
        write(button.dataset.key);
        page.deafen();
      } else if (button.dataset.cell === "turn") turn();
      else if (button.dataset.key) put(button.dataset.key);
    },
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
