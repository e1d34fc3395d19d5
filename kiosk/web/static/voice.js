// Plays a screen's clips one after the other without a gap, and outlines what is being said.
// One AudioContext lives as long as the page: screens are swapped inside it, so that sound starts
// at once on every screen after the first.

import { stretched } from "./stretch.js";

const FADE_S = 0.03; // a touch silences within this; a hard cut would click
const LEAD_S = 0.01; // the soonest start that the audio thread surely meets
const BUFFERS_MAX = 80; // decoded clips kept: 80 × 3 s × 48 kHz mono ≈ 46 MB at worst
const MADE_MAX = 24; // clips at another speed: those of one screen
const WATCH_MS = 25;

export class Voice {
  constructor(log) {
    this.log = log;
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.buffers = new Map();
    this.made = new Map();
    this.run = null;
    this.onQuiet = () => {};
    this.rate = 1;
    this.gain = this.context.createGain();
    this.limiter = this.context.createDynamicsCompressor();
    Object.assign(this.limiter.threshold, { value: -3 });
    Object.assign(this.limiter.ratio, { value: 20 });
    Object.assign(this.limiter.attack, { value: 0.002 });
    this.gain.connect(this.context.destination);
  }

  // How this resident likes to hear: percent of the usual speed, dB above the clips.
  suit(percent, decibels) {
    if (this.rate !== percent / 100) this.made.clear();
    this.rate = percent / 100;
    this.gain.gain.value = 10 ** (decibels / 20);
    // Louder than the clip itself would be cut at the top: that is what sounds broken.
    this.gain.disconnect();
    if (decibels > 0) this.gain.connect(this.limiter).connect(this.context.destination);
    else this.gain.connect(this.context.destination);
  }

  // A clip at the chosen speed; the usual one costs nothing.
  async #ready(url, slower) {
    const rate = this.rate * slower;
    const buffer = await this.load(url);
    if (rate === 1) return buffer;
    const key = `${rate} ${url}`;
    let made = this.made.get(key);
    if (!made) {
      const samples = stretched(buffer.getChannelData(0), buffer.sampleRate, rate);
      made = this.context.createBuffer(1, samples.length, buffer.sampleRate);
      made.copyToChannel(samples, 0);
      this.made.set(key, made);
      if (this.made.size > MADE_MAX) this.made.delete(this.made.keys().next().value);
    }
    return made;
  }

  get isPlaying() {
    return this.run !== null && this.context.state === "running";
  }

  // A clip, fetched and decoded once.
  load(url) {
    let buffer = this.buffers.get(url);
    if (buffer) this.buffers.delete(url);
    else {
      buffer = fetch(url).then((reply) => {
        if (!reply.ok) throw new Error(`${url}: ${reply.status}`);
        return reply.arrayBuffer();
      }).then((bytes) => this.context.decodeAudioData(bytes));
      buffer.catch(() => this.buffers.delete(url));
    }
    this.buffers.set(url, buffer);
    if (this.buffers.size > BUFFERS_MAX) this.buffers.delete(this.buffers.keys().next().value);
    return buffer;
  }

  preload(urls) {
    for (const url of urls) this.load(url).catch(() => {});
  }

  // What was spoken of one resident must not stay for the next.
  forget() {
    for (const url of [...this.buffers.keys()])
      if (url.startsWith("/voice/live/")) this.buffers.delete(url);
    this.made.clear();
  }

  // Play clips [{url, pause_ms, highlight}]; an earlier run is silenced first. `slower` is a part
  // of the chosen speed, for what was not understood.
  async play(clips, since = performance.now(), slower = 1) {
    this.stop();
    if (!clips.length) return this.onQuiet();
    const run = { since, pieces: [], isWhole: false, gain: this.context.createGain() };
    run.gain.connect(this.gain);
    this.run = run;
    run.watch = setInterval(() => this.#follow(run), WATCH_MS);
    if (this.context.state === "suspended") this.context.resume().catch(() => {});
    const loads = clips.map((clip) => this.load(clip.url));
    for (const load of loads) load.catch(() => {});
    let at = 0;
    for (const [index, clip] of clips.entries()) {
      await loads[index].catch(() => null);
      const buffer = await this.#ready(clip.url, slower).catch(() => null);
      if (this.run !== run) return;
      if (!buffer) continue; // a missing clip leaves a gap, never a dead screen
      at = Math.max(at, this.context.currentTime + LEAD_S);
      run.pieces.push(this.#schedule(run, clip, buffer, at));
      at += buffer.duration + (clip.pause_ms || 0) / 1000 / this.rate;
    }
    run.isWhole = true;
  }

  #schedule(run, clip, buffer, at) {
    const source = this.context.createBufferSource();
    const piece = { clip, source, at, until: at + buffer.duration, isOver: false };
    source.buffer = buffer;
    source.connect(run.gain);
    source.onended = () => { piece.isOver = true; if (this.run === run) this.#follow(run); };
    source.start(at);
    return piece;
  }

  #follow(run) {
    const now = this.context.currentTime;
    for (const piece of run.pieces) {
      if (!piece.isOn && now >= piece.at) {
        piece.isOn = true;
        piece.startMs = performance.now() - (now - piece.at) * 1000;
        if (run.pieces[0] === piece) this.log.firstSoundMs = piece.startMs - run.since;
        this.log.playing = [piece.clip.url];
        this.#outline(piece.clip.highlight);
      }
      if (piece.isOver && !piece.isTold) {
        piece.isTold = true;
        this.#tell(piece, true);
      }
    }
    if (run.isWhole && run.pieces.every((piece) => piece.isTold)) this.#end(run);
  }

  #tell(piece, isWhole) {
    this.log.playing = this.log.playing.filter((url) => url !== piece.clip.url);
    this.log.played.push({
      url: piece.clip.url, highlight: piece.clip.highlight || "", whole: isWhole,
      startMs: piece.startMs ?? 0, endMs: performance.now(),
    });
    if (this.log.played.length > 500) this.log.played.shift();
  }

  #end(run) {
    clearInterval(run.watch);
    if (this.run === run) this.run = null;
    this.log.playing = [];
    this.#outline("");
    this.onQuiet();
  }

  stop() {
    const run = this.run;
    if (!run) return;
    this.run = null;
    clearInterval(run.watch);
    const now = this.context.currentTime;
    run.gain.gain.setValueAtTime(1, now);
    run.gain.gain.linearRampToValueAtTime(0, now + FADE_S);
    for (const piece of run.pieces) {
      piece.source.onended = null;
      piece.source.stop(now + FADE_S);
      if (piece.isOn && !piece.isTold) this.#tell(piece, false);
    }
    this.log.playing = [];
    this.#outline("");
  }

  #outline(id) {
    for (const element of document.querySelectorAll(".said")) element.classList.remove("said");
    if (id) document.getElementById(id)?.classList.add("said");
  }

  // The sound of a key: digits are not said aloud, a queue stands behind the resident.
  tick() {
    if (this.context.state !== "running") return;
    const now = this.context.currentTime;
    const tone = this.context.createOscillator();
    const gain = this.context.createGain();
    tone.frequency.value = 1150;
    gain.gain.setValueAtTime(0.12, now);
    gain.gain.exponentialRampToValueAtTime(0.001, now + 0.04);
    tone.connect(gain).connect(this.gain);
    tone.start(now);
    tone.stop(now + 0.045);
  }
}
