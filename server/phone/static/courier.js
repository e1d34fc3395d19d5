// The courier page: looks through the camera, keeps what it caught, hands it over when there is
// signal. No app, no account; the envelopes stay sealed.
"use strict";
(() => {
  const SIDE_MAX = 640; // pixels of the picture that is searched: six for each module
  const LOOK_MS = 40; // where the browser does not tell of new pictures
  const FLASH_MS = 2500;
  const DECODE_MS = 40;
  const RETRY_MAX_S = 300;

  const at = (id) => document.getElementById(id);
  const all = JSON.parse(document.body.dataset.words);
  const catcher = new fountain.Catcher();
  const canvas = document.createElement("canvas");
  let language = stored() || "zh-CN";
  let stream = null;
  let detector = null;
  let sound = null;
  let lock = null;
  let last = "";
  let lastProblem = "";
  let flashTimer = 0;
  let retryTimer = 0;
  let retries = 0;
  let way = ""; // key of what is said of the delivery
  let isSending = false;

  function stored() {
    try { return localStorage.getItem("language"); } catch { return null; }
  }

  function t(key, slots = {}) {
    let text = (all[language] || all["zh-CN"])[key];
    for (const [name, value] of Object.entries(slots)) text = text.replace(`{${name}}`, value);
    return text;
  }

  // --- what is shown ---

  function speak() {
    document.documentElement.lang = language;
    at("language").textContent = language === "en" ? "中文" : "English";
    at("language").lang = language === "en" ? "zh-CN" : "en";
    for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
    if (lastProblem) problem(lastProblem);
    showParts();
    refresh();
  }

  function problem(key) {
    lastProblem = key;
    at("problem").hidden = !key;
    at("problem").textContent = key ? t(key) : "";
  }

  async function refresh() {
    let held;
    let sum;
    try {
      [held, sum] = [await pouch.count(), await pouch.told()];
    } catch {
      problem("no_keep");
      return;
    }
    document.body.dataset.held = String(held);
    at("count").textContent = held ? String(held) : "";
    at("held-text").textContent = t(held ? "held" : "held_none");
    const said = isSending ? "sending" : held ? way || "waiting" : "";
    at("way").textContent = said ? t(said) : "";
    at("deliver").hidden = !held || isSending || stream !== null;
    const lines = ["stored", "duplicate", "damaged", "unknown"].filter((verdict) => sum[verdict]);
    at("told").hidden = !lines.length;
    at("told-list").replaceChildren(...lines.map((verdict) => {
      const line = document.createElement("li");
      line.className = verdict === "damaged" || verdict === "unknown" ? "again" : "";
      line.textContent = t(`told_${verdict}`, { n: sum[verdict] });
      return line;
    }));
  }

  function showParts() {
    const { of, parts, wholeParts } = catcher;
    const caught = [...parts.values()].reduce((sum, one) => sum + one.rank / one.pieces, 0);
    at("progress").value = of ? Math.floor((100 * caught) / of) : 0;
    at("part").textContent = of ? t("parts", { n: wholeParts, parts: of }) : "";
    const isWhole = of > 0 && wholeParts === of;
    document.body.classList.toggle("whole", isWhole);
    at("scan").textContent = t(stream ? (isWhole ? "finish" : "stop") : "start");
    at("aim").hidden = isWhole;
  }

  function flash(key) {
    clearTimeout(flashTimer);
    at("flash").textContent = t(key);
    at("flash").hidden = false;
    if (key !== "all_whole") flashTimer = setTimeout(() => { at("flash").hidden = true; }, FLASH_MS);
  }

  function ring(times) {
    if (navigator.vibrate) navigator.vibrate(Array(2 * times - 1).fill(160));
    if (!sound) return;
    for (let index = 0; index < times; index += 1) {
      const [tone, loud] = [sound.createOscillator(), sound.createGain()];
      const from = sound.currentTime + index * 0.22;
      tone.frequency.value = 880 + 220 * index;
      loud.gain.value = 0.3;
      tone.connect(loud).connect(sound.destination);
      tone.start(from);
      tone.stop(from + 0.16);
    }
  }

  // --- the camera ---

  async function start() {
    problem("");
    if (!navigator.mediaDevices) {
      problem("needs_https");
      return;
    }
    // Sound is allowed to what was made under a finger.
    sound = sound || new (self.AudioContext || self.webkitAudioContext)();
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch {
      problem("no_camera");
      return;
    }
    detector = await nativeDetector();
    if (navigator.wakeLock) lock = await navigator.wakeLock.request("screen").catch(() => null);
    document.body.classList.add("busy");
    at("scanner").hidden = false;
    at("how").hidden = true;
    speak();
    at("video").srcObject = stream;
    await at("video").play();
    at("scanner").scrollIntoView({ block: "start" });
    look(stream);
  }

  function stop() {
    if (!stream) return;
    for (const track of stream.getTracks()) track.stop();
    stream = null;
    if (lock) lock.release();
    lock = null;
    at("video").srcObject = null;
    at("scanner").hidden = true;
    at("how").hidden = false;
    at("flash").hidden = true;
    document.body.classList.remove("busy", "catching");
    speak();
    deliver();
  }

  async function nativeDetector() {
    try {
      const known = await self.BarcodeDetector.getSupportedFormats();
      return known.includes("qr_code") ? new self.BarcodeDetector({ formats: ["qr_code"] }) : null;
    } catch {
      return null;
    }
  }

  async function look(whose) {
    while (stream === whose) {
      await newPicture();
      if (stream !== whose) return;
      for (const text of await textsInView()) await seen(text).catch(() => problem("not_kept"));
    }
  }

  function newPicture() {
    const video = at("video");
    return new Promise((resolve) => {
      if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
      // A hidden or stopped picture tells nothing: look now and then all the same.
      setTimeout(resolve, video.requestVideoFrameCallback ? 1000 : LOOK_MS);
    });
  }

  async function textsInView() {
    const video = at("video");
    if (!video.videoWidth) return [];
    if (detector) {
      try {
        return (await detector.detect(video)).map((code) => code.rawValue);
      } catch {
        detector = null;
      }
    }
    // The square in the middle, as the page shows it.
    const side = Math.min(video.videoWidth, video.videoHeight);
    canvas.width = Math.min(side, SIDE_MAX);
    canvas.height = canvas.width;
    const brush = canvas.getContext("2d", { willReadFrequently: true });
    const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    brush.drawImage(video, left, top, side, side, 0, 0, canvas.width, canvas.width);
    try {
      const picture = brush.getImageData(0, 0, canvas.width, canvas.width);
      return [qrDecode.decodeQR(picture, { timeLimit: DECODE_MS })];
    } catch {
      return [];
    }
  }

  async function seen(text) {
    if (text === last) return;
    last = text;
    try {
      const receipt = fountain.readReceipt(text, location.host.toLowerCase());
      if (receipt) {
        await kept([receipt]);
        flash("receipt_kept");
        ring(1);
        return;
      }
      const { frame, envelopes, isBroken } = await catcher.take(text);
      document.body.classList.add("catching");
      if (isBroken) problem("broken");
      if (envelopes && (await kept(envelopes))) {
        catcher.keep(frame);
        const isAll = catcher.wholeParts === catcher.of;
        flash(isAll ? "all_whole" : "whole");
        ring(isAll ? 3 : 1);
      }
      showParts();
    } catch (error) {
      if (error instanceof fountain.Refused) problem(/^https?:/i.test(text) ? "foreign" : "not_ours");
      else throw error;
    }
  }

  // Said to be kept only once it is on the disk.
  async function kept(envelopes) {
    try {
      await pouch.keep(envelopes);
    } catch (error) {
      problem(error.message === "full" ? "full" : "not_kept");
      last = "";
      return false;
    }
    problem("");
    await refresh();
    askForSync();
    deliver();
    return true;
  }

  // --- the delivery ---

  async function askForSync() {
    try {
      const worker = await navigator.serviceWorker.ready;
      await worker.sync.register("deliver");
    } catch { /* without background sync the open page does it */ }
  }

  async function deliver() {
    if (isSending || !(await pouch.count().catch(() => 0))) return;
    if (!navigator.onLine) {
      way = "waiting";
      refresh();
      return;
    }
    clearTimeout(retryTimer);
    isSending = true;
    await refresh();
    let outcome = { waitS: 60 };
    try {
      outcome = await pouch.deliver(refresh);
    } finally {
      isSending = false;
    }
    if (outcome.isOver) {
      retries = 0;
      way = "";
    } else {
      way = outcome.isOffline ? "waiting" : "busy";
      retryTimer = setTimeout(deliver, 1000 * Math.min(RETRY_MAX_S, outcome.waitS * 2 ** retries));
      retries = Math.min(retries + 1, 8);
    }
    await refresh();
  }

  function deliverNow() {
    retries = 0;
    deliver();
  }

  // --- the page ---

  at("scan").addEventListener("click", () => (stream ? stop() : start()));
  at("deliver").addEventListener("click", deliverNow);
  at("told-close").addEventListener("click", () => pouch.forgetTold().then(refresh));
  at("language").addEventListener("click", () => {
    language = language === "en" ? "zh-CN" : "en";
    try { localStorage.setItem("language", language); } catch { /* until the page is closed */ }
    speak();
  });
  self.addEventListener("online", deliverNow);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop();
    else deliverNow();
  });

  if (!self.isSecureContext || !self.crypto.subtle) problem("needs_https");
  if (navigator.serviceWorker) {
    navigator.serviceWorker.addEventListener("message", refresh);
    navigator.serviceWorker.register("/carry/worker.js", { scope: "/carry" }).catch(() => {});
    navigator.serviceWorker.ready.then(() => { at("ready").hidden = false; });
  }
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
  speak();
  deliver();
})();
