// A spoken note of at most a minute, or the same typed.

import { heldUrl, speak } from "./echo.js";
import { mountName } from "./names.js";

const SECONDS_MAX = 60;
const LEVEL_MS = 100;
const QUIET_BELOW = 0.02; // loudest moment of a recording in which nobody spoke, of 1
const BITS_PER_SECOND = 24000; // speech in Opus; a minute is 180 kB

export function mountRecorder(section, page) {
  const words = page.words(section);
  const speaking = section.querySelector(".speaking");
  const writing = section.querySelector(".writing");
  const told = section.querySelector("#echo span");
  const bars = [...section.querySelectorAll(".meter i")];
  const buttons = Object.fromEntries(
    [...speaking.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]));
  const player = new Audio();
  let taken = Number(section.dataset.taken);
  let typing = null;
  let take = null;
  let url = Number(section.dataset.taken) ? heldUrl(0) : "";
  let isClosed = false;

  function say(text) {
    told.textContent = text;
    told.style.fontSize = "";
    page.fit(section);
  }

  function mode(name) {
    section.classList.toggle("live", name === "live");
    buttons.record.hidden = name !== "ready";
    buttons.stop.hidden = name !== "live";
    buttons.play.hidden = name !== "kept" || !url;
    buttons.redo.hidden = name !== "kept";
    if (buttons.type) buttons.type.hidden = name === "live";
  }

  async function record() {
    let stream = null;
    try {
      if (section.dataset.hasMicrophone !== "1") throw new Error("none");
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      buttons.record.hidden = true;
      say(words.no_microphone);
      return;
    }
    if (isClosed) return stream.getTracks().forEach((track) => track.stop());
    const type = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus"]
      .find((each) => MediaRecorder.isTypeSupported(each));
    const recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: BITS_PER_SECOND });
    const analyser = page.voice.context.createAnalyser();
    const source = page.voice.context.createMediaStreamSource(stream);
    source.connect(analyser);
    take = { stream, recorder, source, parts: [], loudest: 0, since: performance.now() };
    recorder.ondataavailable = (event) => take?.parts.push(event.data);
    recorder.onstop = () => keep(take, type);
    take.timer = setInterval(() => meter(take, analyser), LEVEL_MS);
    recorder.start();
    mode("live");
    meter(take, analyser);
    return undefined;
  }

  function meter(now, analyser) {
    page.stir();
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    const level = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    now.loudest = Math.max(now.loudest, level);
    bars.unshift(bars.pop());
    bars.forEach((bar, index) => { if (index === 0) bar.style.height = `${12 + Math.min(88, level * 500)}%`; });
    const passed = Math.floor((performance.now() - now.since) / 1000);
    told.textContent = words.recording.replace("{n}", SECONDS_MAX - passed);
    if (passed >= SECONDS_MAX) stop();
  }

  function stop() {
    if (take?.recorder.state === "recording") take.recorder.stop();
  }

  function halt() {
    if (!take) return;
    clearInterval(take.timer);
    take.source.disconnect();
    for (const track of take.stream.getTracks()) track.stop();
  }

  async function keep(done, type) {
    halt();
    take = null;
    if (isClosed) return;
    const blob = new Blob(done.parts, { type: type.split(";")[0] });
    try {
      await page.upload(0, blob);
    } catch {
      mode("ready");
      say(words.not_kept);
      speak(page, words.not_kept);
      return;
    }
    taken = 1;
    if (url) URL.revokeObjectURL(url);
    url = URL.createObjectURL(blob);
    mode("kept");
    const isQuiet = done.loudest < QUIET_BELOW;
    say(isQuiet ? words.quiet : words.kept);
    if (isQuiet) speak(page, words.quiet);
  }

  function type() {
    player.pause();
    speaking.hidden = true;
    writing.hidden = false;
    typing = mountName(writing, page);
  }

  mode(taken ? "kept" : "ready");
  say(taken ? words.kept : words.ready);
  if (section.dataset.typed === "1") type();
  return {
    value() {
      stop();
      if (typing) return typing.value().then((text) => (text ? `=${text}` : ""));
      if (take) return null; // still being kept; the next touch goes on
      return taken ? String(taken) : "";
    },
    async touch(button) {
      const action = button.dataset.do;
      if (typing) return typing.touch(button);
      if (action === "record" || action === "redo") {
        player.pause();
        await record();
      } else if (action === "stop") stop();
      else if (action === "play") {
        player.src = url;
        await player.play().catch(() => {});
      } else if (action === "type") type();
      page.deafen();
      return undefined;
    },
    key: (event) => (typing ? typing.key(event) : false),
    close() {
      isClosed = true;
      typing?.close();
      player.pause();
      player.removeAttribute("src");
      stop();
      halt();
      if (url) URL.revokeObjectURL(url);
    },
  };
}
