// Texts that do not fit their box are made smaller, a step at a time.

const SMALLEST_MM = 4.2; // text is never shrunk below
const KEY_MM = 17.5; // of a number's key; large words must not squeeze it
const SMALL_KEY_MM = 12.6; // of a letter's or a day's
const BOXES = "header,.tile,.nav,.alt,.error,.rows li,.steps,.side,.lines,.told,.due,.qr,.key.word,.poster,.stored,.hint,main";

export function millimetre() {
  return parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--mm"));
}

// `keep` is the part of its own size below which no text goes: 0 = only the smallest counts.
export function fit(root = document.body, keep = 0) {
  const mm = millimetre();
  for (const box of root.querySelectorAll(BOXES))
    for (let step = 0; step < 8 && overflows(box, mm); step += 1) {
      const texts = box.matches(".fit") ? [box] : [...box.querySelectorAll(".fit")];
      const sizes = texts.map((text) => parseFloat(getComputedStyle(text).fontSize));
      texts.forEach((text, index) => {
        text.dataset.full ??= String(sizes[index]);
        // The frame has fixed places: its words always give way.
        const kept = text.closest("footer") ? 0 : keep;
        const least = Math.max(SMALLEST_MM * mm, Number(text.dataset.full) * kept);
        text.style.fontSize = `${Math.max(sizes[index] * 0.93, least)}px`;
      });
    }
}

export function unfit(root = document.body) {
  for (const text of root.querySelectorAll(".fit")) {
    text.style.fontSize = "";
    delete text.dataset.full;
  }
}

// Whether all that is shown has its room.
export function isRoomy(root = document.body) {
  const mm = millimetre();
  const boxes = [...root.querySelectorAll(`${BOXES},.road,.rows,.receipt,.tiles`)].filter((box) => !box.closest("footer"));
  const keys = [...root.querySelectorAll(".pad .key,.keyboard .key,.candidates .key")];
  const least = (key) => (key.closest(".pad:not(.cells)") ? KEY_MM : SMALL_KEY_MM) * mm;
  return !boxes.some((box) => box.checkVisibility() && overflows(box, mm))
    && !keys.some((key) => key.checkVisibility() && key.getBoundingClientRect().height < least(key));
}

export function overflows(box, mm) {
  if (box.matches("header")) {
    // Glyphs reach beyond a heading's tight lines, so its lines are measured and not its ink.
    const title = box.querySelector("h1");
    const isTooWide = title.scrollWidth > title.clientWidth + 1;
    // A heading with a row of its own makes that row as high as it needs.
    const isAlone = title.getBoundingClientRect().top > box.querySelector(".tools").getBoundingClientRect().bottom - 1
      || getComputedStyle(box).display === "contents";
    return isTooWide || (isAlone
      ? title.scrollHeight > title.clientHeight + mm * 2 : title.offsetHeight > box.clientHeight + 1);
  }
  // The last line's glyphs hang over its box by a hair; that is no overflow.
  const hair = box.matches("main") ? 4 : mm;
  return box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + hair;
}
