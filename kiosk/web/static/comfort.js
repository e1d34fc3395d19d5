// How this resident likes to see and hear, put to work; and what they had typed when they went to
// choose it, so that it stands there again when they come back.

const TURNS = ["comfort", "help", "language"]; // leave a question without answering it
const KEPT = ["pad", "several", "date", "name", "time", "range", "rank"]; // entries with a value to give back
const HALF = ["date", "time", "range"]; // of these "" may be the beginning of an answer

export class Comfort {
  constructor(voice) {
    this.voice = voice;
    this.kept = null;
  }

  // The body of a new screen: colours and sizes are its own attributes, the rest is done here.
  wear(body) {
    // What one resident typed must not stay for the next.
    if (this.kept?.visit !== body.dataset.visit) this.kept = null;
    const { rate, volumeDb } = body.dataset;
    this.voice.suit(Number(rate) || 100, Number(volumeDb) || 0);
    document.documentElement.classList.toggle("screen-off", Boolean(body.querySelector(".dark")));
  }

  // Before a touch leaves a question half answered.
  async keep(action, widget) {
    if (!TURNS.includes(action)) {
      if (action === "answer" || action === "skip") this.kept = null;
      return;
    }
    const { visit, question } = document.body.dataset;
    const kind = document.querySelector("[data-entry]")?.dataset.entry;
    if (!widget || !KEPT.includes(kind)) return;
    const value = await widget.value();
    // Half a day or an hour is not kept; what stood there before is.
    if (value === null || (value === "" && HALF.includes(kind))) return;
    this.kept = { visit, question, kind, value };
  }

  // Before the widget of a screen is put to work.
  give(section) {
    const { kept } = this;
    const { visit, question } = document.body.dataset;
    if (kept?.visit !== visit || kept.question !== question || kept.kind !== section.dataset.entry) return;
    this.kept = null;
    if (kept.kind !== "several") section.dataset.value = kept.value;
    else {
      const names = kept.value.split(" ");
      for (const tile of section.querySelectorAll("[data-choice]"))
        if (tile.dataset.choice) {
          const isOn = names.includes(tile.dataset.choice);
          tile.classList.toggle("chosen", isOn);
          tile.setAttribute("aria-checked", String(isOn));
        }
    }
  }
}
