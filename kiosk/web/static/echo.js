// What the kiosk says of an answer that is still on the page: in words and, where it may, aloud.

// {lines, is_wrong, say}, or null when the kiosk does not answer: then nothing is said of it.
export async function echo(value, isRead = false) {
  const { visit, question } = document.body.dataset;
  try {
    const reply = await fetch(`/echo?${new URLSearchParams({ visit })}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Requested-With": "kiosk" },
      body: JSON.stringify({ question, value, is_read: isRead }),
    });
    return reply.ok ? await reply.json() : null;
  } catch {
    return null;
  }
}

// Say an answer because it was asked for, unless its page is gone by then.
export async function readAloud(section, page, value) {
  const told = await echo(value, true);
  if (told && section.isConnected) page.voice.play(told.say);
}

// Say a sentence that just appeared: whoever cannot read must hear it, too.
export async function speak(page, text) {
  const { visit } = document.body.dataset;
  try {
    const reply = await fetch("/say", {
      method: "POST",
      headers: { "X-Requested-With": "kiosk" },
      body: new URLSearchParams({ visit, text }),
    });
    const clips = reply.ok ? await reply.json() : [];
    if (clips.length && visit === document.body.dataset.visit) page.voice.play(clips);
  } catch { /* it stands on the screen */ }
}

// Where the kiosk shows again what this question holds of a photo or a recording.
export function heldUrl(index) {
  const { visit, question } = document.body.dataset;
  return `/attachment?${new URLSearchParams({ visit, question, index: String(index) })}`;
}
