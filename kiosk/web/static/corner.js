// Five quick touches on the heading of the home screen open the installer's screen: nobody does
// that by chance, and it stands behind a code.

const TOUCHES = 5;
const WITHIN_MS = 3000;
let times = [];

document.addEventListener("pointerup", (event) => {
  if (document.body.dataset.kind !== "home" || !event.target.closest?.("#title")) {
    times = [];
    return;
  }
  const now = performance.now();
  times = [...times.filter((at) => now - at < WITHIN_MS), now];
  if (times.length >= TOUCHES) location.assign(`/installer${location.hash}`);
});
