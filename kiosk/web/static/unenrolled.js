// Looks whether the kiosk itself serves by now. The page is only left for one that answers:
// a browser's own error page would stay for ever.

const LOOK_MS = 2000;

setInterval(async () => {
  const reply = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (reply?.ok) location.reload();
}, LOOK_MS);
