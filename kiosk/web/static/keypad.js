// All of a visit by the keys of any cheap keypad: arrows, OK, back, help. What the focus comes to
// is said and ringed; the order is that in which the screen is spoken. Which key does what stands
// in kiosk/web/keymap.py and comes with the page.

const GRIDS = ".pad,.keyboard,.candidates,.found,.rare";
const ORDER = ["#turn", "#next", "#skip", "#back", "#home", "#again", "#comfort", ".tools [data-action=language]", "#helper"];
const SAID_CHARS_MAX = 60; // sync/limits.py SAID_CHARS_MAX
const SETTLE_MS = 60; // what a key has changed is drawn by then

export class Keypad {
  // `page`: playlist(), play(clips), stir(), tick(), activate(button), widget().
  constructor(page) {
    this.page = page;
    this.at = null;
    this.asked = 0;
    document.addEventListener("keydown", (event) => this.#down(event));
  }

  get isOn() {
    return document.documentElement.classList.contains("keys");
  }

  off() {
    document.documentElement.classList.remove("keys");
    this.at = null;
  }

  // A new screen: the focus stands on its heading, which is said first.
  appear() {
    this.at = null;
    this.asked += 1;
    document.getElementById("title")?.focus({ preventScroll: true });
    this.#watch();
  }

  #map() {
    return JSON.parse(document.body.dataset.keys || "{}");
  }

  #down(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const map = this.#map();
    const does = map[event.code] || map[event.key] || "";
    if (does === "ok" && this.isOn && this.at) {
      event.preventDefault();
      if (!event.repeat) this.#ok();
      return;
    }
    // Digits and letters are the pad's; arrows never are.
    const isMove = ["next", "previous", "up", "down"].includes(does);
    if (!isMove && this.page.widget()?.key?.(event)) {
      event.preventDefault();
      // What is typed goes on where it is typed: OK is the end of it now, and no key of the pad.
      this.at = null;
      document.getElementById("title")?.focus({ preventScroll: true });
      this.page.stir();
      this.page.tick();
      return;
    }
    // A screen reader's focus presses its button itself.
    if (does === "ok" && !this.isOn && document.activeElement?.tagName === "BUTTON") return;
    if (event.key === "Tab") {
      // Also a keyboard's own way through a page is spoken, and in our order.
      event.preventDefault();
      this.#move(event.shiftKey ? "previous" : "next");
    } else if (isMove) {
      event.preventDefault();
      this.#move(does);
    } else if (event.repeat) event.preventDefault();
    else if (does) {
      event.preventDefault();
      this.#do(does);
    } else if (event.key >= "1" && event.key <= "9") {
      this.#press([...document.querySelectorAll(".tiles .tile")].filter((tile) => tile.checkVisibility())[Number(event.key) - 1]);
    }
  }

  #do(does) {
    const find = (selector) => document.querySelector(selector);
    if (does === "ok") this.#press([find("#turn"), find("#next")].find((button) => button && isShown(button)));
    else if (does === "back") this.#press(find("#back") || find("#home"));
    else if (does === "help") this.#press(find("#helper"));
    else if (does === "again") this.#press(find("#again"));
    else if (does === "comfort") this.#press(find("#comfort"));
  }

  #press(button) {
    if (!button) return;
    this.page.stir();
    this.page.activate(button);
  }

  // --- what can be come to, in the order in which it is said ---

  stops() {
    const said = new Set(this.page.playlist().map((clip) => clip.highlight).filter(Boolean));
    const main = [...document.querySelectorAll("main button,main [id],main [role=textbox]")].filter((element) =>
      (element.tagName === "BUTTON" ? !element.disabled : element.matches("[role=textbox]") || said.has(element.id)
        && !element.querySelector("button")));
    const frame = ORDER.flatMap((selector) => [...document.querySelectorAll(selector)]);
    const home = [...document.querySelectorAll("footer button")].filter((button) => !frame.includes(button));
    const found = [document.getElementById("title"), ...main, ...home, ...frame];
    return [...new Set(found)].filter((element) => element && isShown(element));
  }

  #move(does) {
    document.documentElement.classList.add("keys");
    this.page.stir();
    const stops = this.stops();
    const from = this.at && stops.includes(this.at) ? this.at : document.getElementById("title");
    const grid = from.closest(GRIDS);
    let to = null;
    if (grid && (does === "up" || does === "down")) to = besideRow(stops.filter((stop) => grid.contains(stop)), from, does);
    if (!to) {
      const step = does === "next" || does === "down" ? 1 : -1;
      let place = stops.indexOf(from) + step;
      // Up and down leave a grid of keys whole.
      if (grid && (does === "up" || does === "down"))
        while (stops[place] && grid.contains(stops[place])) place += step;
      to = stops[(place + stops.length) % stops.length];
    }
    this.#come(to);
  }

  #come(element) {
    if (element.tagName !== "BUTTON") element.tabIndex = -1;
    this.at = element;
    element.focus({ preventScroll: true });
    this.#say(element);
  }

  // --- what is said of it ---

  async #say(element, before = []) {
    const asked = (this.asked += 1);
    const own = element.id ? this.page.playlist().filter((clip) => clip.highlight === element.id) : [];
    const row = element.matches(".change") ? this.#rowOf(element) : [];
    const state = stateOf(element, this.#words());
    const texts = [...before, ...(own.length ? [] : [nameOf(element)]), state].filter(Boolean);
    const lead = own.length ? [] : row;
    try {
      const told = await Promise.all(texts.map((text) => fetchClips(text)));
      if (asked !== this.asked) return;
      const clips = told.flat().map((clip) => ({ ...clip, highlight: element.id || "" }));
      const count = before.length ? told[0].length : 0;
      this.page.play([...clips.slice(0, count), ...lead, ...own, ...clips.slice(count)]);
    } catch {
      if (asked === this.asked) this.page.play([...lead, ...own]);
    }
  }

  #rowOf(button) {
    const id = button.closest("[id]:not(button)")?.id;
    return this.page.playlist().filter((clip) => clip.highlight === id);
  }

  #words() {
    return JSON.parse(document.body.dataset.words || "{}");
  }

  // Say a text that stands on no button: what a photo came to, that a key deleted something.
  async say(text) {
    if (!text) return;
    const asked = (this.asked += 1);
    const clips = await fetchClips(text).catch(() => []);
    if (asked === this.asked) this.page.play(clips);
  }

  // --- OK ---

  #ok() {
    const { at } = this;
    this.page.stir();
    if (at.tagName !== "BUTTON") {
      this.#say(at);
      return;
    }
    const before = { key: at.dataset.key, cell: at.dataset.cell, place: at.closest(`${GRIDS},.side,.deck`), asked: askedText() };
    this.page.activate(at);
    setTimeout(() => this.#settle(at, before), SETTLE_MS);
  }

  // Keys that were drawn anew: the focus goes to where the hand expects it.
  #settle(at, before) {
    if (this.at !== at) return;
    const asked = askedText();
    const question = asked !== before.asked ? [asked] : [];
    if (at.isConnected && isShown(at)) {
      if (question.length) this.#say(at, question);
      else if (at.matches("[role=checkbox],[aria-pressed]")) this.#say(at);
      else if (before.key === "delete" || before.key === "clear") this.say(this.#words().deleted);
      return;
    }
    const stops = this.stops();
    const near = stops.filter((stop) => before.place?.isConnected && before.place.contains(stop));
    const same = near.find((stop) => stop.dataset.key === before.key && stop.dataset.cell === before.cell);
    const to = (question.length ? null : same) || near[0] || stops.find((stop) => stop.id === "next") || stops[0];
    this.at = to;
    to.focus({ preventScroll: true });
    this.#say(to, question);
  }

  // What a photo, a signature or a recording came to is said by itself, also to who touches.
  #watch() {
    this.watcher?.disconnect();
    const status = document.querySelector("main [role=status]");
    if (!status) return;
    let told = status.textContent;
    this.watcher = new MutationObserver(() => {
      const text = status.textContent;
      if (text === told || status.closest(".live")) return;
      told = text;
      this.say(text.trim());
    });
    this.watcher.observe(status, { childList: true, characterData: true, subtree: true });
  }
}

function isShown(element) {
  return element.checkVisibility() && element.getBoundingClientRect().width > 0;
}

function askedText() {
  return document.getElementById("asked")?.textContent.trim() || "";
}

function nameOf(element) {
  if (element.matches("[role=textbox]")) {
    const words = JSON.parse(document.body.dataset.words || "{}");
    return element.textContent.trim() || words.nothing;
  }
  return (element.dataset.say || element.getAttribute("aria-label")
    || [...element.querySelectorAll("b,span,small")].filter((each) => !each.querySelector("b,span,small") && each.checkVisibility())
      .map((each) => each.textContent.trim()).filter(Boolean).join("，")
    || element.textContent.trim()).slice(0, SAID_CHARS_MAX);
}

function stateOf(element, words) {
  if (element.matches("[role=checkbox]"))
    return element.getAttribute("aria-checked") === "true" ? words.ticked : words.unticked;
  return element.matches(".chosen,[aria-pressed=true]") ? words.ticked : "";
}

// The nearest of the next row up or down.
function besideRow(all, from, does) {
  const middle = ({ left, right }) => (left + right) / 2;
  const start = from.getBoundingClientRect();
  const sign = does === "down" ? 1 : -1;
  const boxes = all.filter((stop) => stop !== from)
    .map((stop) => ({ stop, box: stop.getBoundingClientRect() }))
    .filter(({ box }) => (box.top - start.top) * sign > start.height / 2);
  if (!boxes.length) return null;
  const row = boxes.reduce((best, { box }) => Math.min(best, (box.top - start.top) * sign), Infinity);
  const near = boxes.filter(({ box }) => (box.top - start.top) * sign < row + start.height / 2);
  return near.sort((a, b) => Math.abs(middle(a.box) - middle(start)) - Math.abs(middle(b.box) - middle(start)))[0].stop;
}

// In the body and never in the address: it may be what somebody wrote.
async function fetchClips(text) {
  const { visit } = document.body.dataset;
  const reply = await fetch("/say", {
    method: "POST",
    headers: { "X-Requested-With": "kiosk" },
    body: new URLSearchParams({ visit, text: text.slice(0, SAID_CHARS_MAX) }),
  });
  return reply.ok ? reply.json() : [];
}
