// The dark hours: a screen that nobody uses goes black; any touch or key wakes it, and does
// nothing else.

const UNUSED_MS = 60000;
const SPEAK_MS = 400; // a new screen hears nothing for 300 ms
const root = document.documentElement;
let usedAt = performance.now();

export function rest(isDark) {
  const isUnused = performance.now() - usedAt > UNUSED_MS;
  root.classList.toggle("resting", isDark && isUnused && document.body.dataset.kind === "home");
}

function used(event) {
  usedAt = performance.now();
  if (!root.classList.contains("resting")) return;
  root.classList.remove("resting");
  event.stopImmediatePropagation();
  event.preventDefault();
  // Whoever cannot see it hears that it woke.
  setTimeout(() => document.getElementById("again")?.click(), SPEAK_MS);
}

window.addEventListener("pointerdown", used, { capture: true });
window.addEventListener("keydown", used, { capture: true });
