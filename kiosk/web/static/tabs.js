// A visit's tab is left for a new one and closed, so that the process that drew the resident's
// screens ends with all that stood in it. Only where the browser was started for it (#fresh-tabs):
// a page cannot know whether it may close itself.

const MARK = "#fresh-tabs";
const PATIENCE_MS = 4000; // a board that is starting a process; then the old tab goes on

const channel = location.hash === MARK ? new BroadcastChannel("bianmin-tabs") : null;

// The new tab shows its screen: whoever waits for that closes.
channel?.postMessage("here");

// Answer whether this tab is being left: the new one shows the screen and speaks.
export function leaveTab() {
  if (!channel) return false;
  const stay = setTimeout(() => location.reload(), PATIENCE_MS);
  channel.onmessage = () => {
    clearTimeout(stay);
    window.close();
  };
  // Without an opener the new tab is a process of its own.
  window.open("/" + MARK, "_blank", "noopener");
  return true;
}
