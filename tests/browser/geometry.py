"""What must hold of every drawn screen: nothing cut, nothing to scroll, room for a thumb."""

from typing import Final

#: Answers the faults of the page's geometry, in words; lengths in mm of the display.
GEOMETRY: Final = """
(mm) => {
  const faults = [];
  const name = (e) => `${e.tagName.toLowerCase()}#${e.id}.${e.className}`
    + ` "${(e.textContent || "").trim().slice(0, 20)}"`;
  const box = (e) => e.getBoundingClientRect();
  // A heading that was read before its keys may be there for screen readers alone: 1 px.
  const isSeen = (e) => e.checkVisibility() && box(e).width > 1;
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) faults.push("page scrolls");
  for (const area of document.querySelectorAll("main,header,footer"))
    if (area.scrollWidth > area.clientWidth + 1 || area.scrollHeight > area.clientHeight + 4)
      faults.push(`${name(area)} overflows by ${area.scrollHeight - area.clientHeight}`);
  const buttons = [...document.querySelectorAll("button")].filter(isSeen);
  for (const button of buttons) {
    const { left, top, right, bottom, width, height } = box(button);
    if (width / mm < 12.65 || height / mm < 12.65)
      faults.push(`${name(button)} is ${(width / mm).toFixed(1)} x ${(height / mm).toFixed(1)} mm`);
    if (button.matches(".tile,.nav,.pad:not(.cells) .key") && height / mm < 14.5)
      faults.push(`${name(button)} is only ${(height / mm).toFixed(1)} mm high`);
    if (left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5)
      faults.push(`${name(button)} leaves the screen`);
    for (const text of button.querySelectorAll("span,b,small")) {
      if (!isSeen(text)) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      const inner = range.getBoundingClientRect();
      if (inner.left < left - 1 || inner.right > right + 1
        || inner.top < top - 4 || inner.bottom > bottom + 4)
        faults.push(`${name(text)} leaves its button`);
    }
  }
  for (const [index, one] of buttons.entries())
    for (const two of buttons.slice(index + 1)) {
      const [a, b] = [box(one), box(two)];
      const across = Math.max(a.left, b.left) - Math.min(a.right, b.right);
      const along = Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom);
      const apart = Math.max(across, along) / mm;
      if (apart < 1.5) faults.push(`${name(one)}, ${name(two)}: ${apart.toFixed(1)} mm apart`);
    }
  for (const code of document.querySelectorAll(".film canvas")) {
    const [inner, outer] = [box(code), box(code.parentElement)];
    if (inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1
      || inner.right > outer.right + 1)
      faults.push(`${name(code)} is cut`);
    if (inner.width / mm < 60) faults.push(`the code is only ${(inner.width / mm).toFixed(0)} mm`);
  }
  for (const text of document.querySelectorAll("h1,p,b,small,dd,dt,span,.hint")) {
    if (!isSeen(text)) continue;
    if (parseFloat(getComputedStyle(text).fontSize) / mm < 3.9 && text.textContent.trim())
      faults.push(`${name(text)} is written too small`);
    if (getComputedStyle(text).display === "inline") continue;
    if (text.textContent.trim() && text.scrollWidth > text.clientWidth + 1)
      faults.push(`${name(text)} is cut`);
    const { left, top, right, bottom } = box(text);
    if (left < 0 || top < 0 || right > innerWidth + 1 || bottom > innerHeight + 1)
      faults.push(`${name(text)} leaves the screen`);
    const foot = box(document.querySelector("footer"));
    if (text.closest("main") && bottom > foot.top + 1)
      faults.push(`${name(text)} lies under the foot`);
  }
  return faults;
}
"""
