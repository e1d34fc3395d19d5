// Large letters, low buttons: what has no room on one screen is shown one view after the other, never scrolled.
// The green place at the foot turns to the next view, "back" to the one before.

import { fit, isRoomy, unfit } from "./fit.js";

const LARGE = 2; // the steps of the text size from which on there are views
const KEEP = 0.9; // of its size that a text keeps when it is made to fit
const WIDGETS = "section[data-entry]:not(.several)";
const BLOCKS = "main .error,main .lines p,main .promise,main .tile,main .rows>li,main .road>li,main .told,"
  + `main .receipt>*,main .poster>:not(svg),main>.hint,main>.code,main>.left,main ${WIDGETS}`;
const CASES = "main .lines,main .tiles,main .rows,main .road,main .receipt,main .poster";

export class Views {
  constructor(body) {
    this.body = body;
    this.at = 0;
    this.all = [null];
    body.classList.toggle("large", Number(body.dataset.text) >= LARGE);
    // What stands low has less room, too.
    if (!body.matches(".large,.low")) {
      fit(body);
      return;
    }
    this.blocks = [...body.querySelectorAll(BLOCKS)]
      .filter((block) => !block.parentElement.closest(WIDGETS));
    this.button = this.#button();
    this.#part();
    this.show(0);
  }

  get isLast() {
    return this.at === this.all.length - 1;
  }

  // Fewer things at a time until everything has its room; one alone may shrink.
  #part() {
    this.all = [null];
    this.#reveal(this.blocks);
    // Who is asked whether they are there must see the whole question at once.
    if (isRoomy(this.body) || this.body.querySelector("#countdown")) return;
    const parted = [];
    let now = [];
    for (const block of this.blocks) {
      const isAlone = block.matches(WIDGETS);
      this.#reveal([...now, block]);
      if (now.length && (isAlone || !isRoomy(this.body))) {
        parted.push({ blocks: now });
        now = [];
      }
      if (isAlone) {
        this.#reveal([block]);
        // The keys need the room of the question: it is read first.
        if (!isRoomy(this.body)) {
          if (!parted.length) parted.push({ blocks: [], state: "asking" });
          parted.push({ blocks: [block], state: "answering" });
          continue;
        }
      }
      now.push(block);
    }
    if (now.length) parted.push({ blocks: now });
    if (parted.length) this.all = parted;
  }

  #reveal(blocks, state = "") {
    const { body } = this;
    body.classList.toggle("asking", state === "asking");
    body.classList.toggle("answering", state === "answering");
    for (const block of this.blocks) block.classList.toggle("elsewhere", !blocks.includes(block));
    for (const box of body.querySelectorAll(CASES)) {
      const here = this.blocks.filter((block) => box.contains(block));
      const shown = here.filter((block) => blocks.includes(block)).length;
      box.classList.toggle("elsewhere", here.length > 0 && !shown);
      if (box.matches(".tiles")) box.className = box.className.replace(/\bn\d\b/, `n${Math.min(shown || 1, 9)}`);
    }
    unfit(body);
    fit(body, KEEP);
  }

  show(at) {
    this.at = at;
    const view = this.all[at];
    if (view) {
      this.#reveal(view.blocks, view.state);
      if (!isRoomy(this.body)) fit(this.body);
    } else fit(this.body);
    this.button.hidden = this.isLast;
    for (const way of this.body.querySelectorAll("#next,#skip,.lost"))
      way.classList.toggle("elsewhere", !this.isLast);
  }

  turn(by) {
    const at = this.at + by;
    if (!this.all[at]) return false;
    this.show(at);
    return true;
  }

  // Whether an element stands on the view that is shown; the heading belongs to the first.
  has(id) {
    const element = id && document.getElementById(id);
    if (!element || element.id === "title") return this.at === 0;
    return element.checkVisibility();
  }

  #button() {
    const button = this.body.querySelector("#turn");
    (this.body.querySelector("footer .on") || this.body.querySelector("footer")).append(button);
    return button;
  }
}
