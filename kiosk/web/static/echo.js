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
