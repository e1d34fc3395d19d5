// Screens that change without a touch: a stick was put in or pulled out while nobody stood here,
// the printer ran out of paper, a card was laid on the reader.

import { rest } from "./rest.js";

const PULSE_MS = 1000;
const RESTING = ["home", "fault", "stick"];

export function mountPulse(refresh) {
  setInterval(async () => {
    const { kind, visit, rev, live } = document.body.dataset;
    if (!RESTING.includes(kind) && !live) return;
    try {
      const reply = await fetch(`/pulse?${new URLSearchParams({ visit, rev })}`);
      if (!reply.ok) return;
      const { is_current: isCurrent, percent, is_dark: isDark } = await reply.json();
      rest(Boolean(isDark));
      if (!isCurrent) return refresh(visit, rev);
      const bar = document.getElementById("stick-progress");
      if (bar) bar.value = percent;
    } catch { /* the kiosk's program is starting again; a touch finds that out */ }
  }, PULSE_MS);
}
