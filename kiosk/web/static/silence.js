// Silence is answered: the question again, then one simple thing to do, then "are you there?".
// Nobody is silent while the voice speaks, a finger is down or the machine itself is at work.

const SILENCE_MS = [20000, 45000];
const BEAT_MS = 250;

export class Silence {
  // `isBusy` answers whether time stands still; `say` plays clips; `over` ends the time.
  constructor({ isBusy, say, over }) {
    Object.assign(this, { isBusy, say, over });
    this.reset({ silence: [], countdown: [] });
    this.beatAt = performance.now();
    setInterval(() => this.#beat(), BEAT_MS);
  }

  // A new screen.
  reset({ silence = [], countdown = [] }) {
    this.silence = silence;
    this.left = [...countdown].sort((a, b) => b[0] - a[0]);
    this.quietMs = 0;
    this.stage = 0;
    this.#tell();
  }

  // Somebody is there.
  stir() {
    this.quietMs = 0;
    this.stage = 0;
    this.#tell();
  }

  get timeoutMs() {
    return Number(document.body.dataset.timeoutS) * 1000;
  }

  #beat() {
    const now = performance.now();
    const passed = now - this.beatAt;
    this.beatAt = now;
    if (this.isBusy()) return;
    this.quietMs += passed;
    const { timeoutMs } = this;
    this.#tell();
    if (timeoutMs && this.quietMs >= timeoutMs) {
      this.quietMs = 0;
      this.over();
    } else if (document.getElementById("countdown")) this.#countDown((timeoutMs - this.quietMs) / 1000);
    else if (this.stage < SILENCE_MS.length && this.quietMs >= SILENCE_MS[this.stage]) {
      const clips = this.silence[this.stage];
      this.stage += 1;
      if (clips?.length) this.say(clips);
    }
  }

  #countDown(left) {
    if (!this.left.length || left > this.left[0][0]) return;
    const [, clips] = this.left.shift();
    this.say(clips);
  }

  // The seconds that are left, to be seen.
  #tell() {
    const bar = document.getElementById("countdown");
    if (!bar) return;
    const seconds = Math.max(0, (this.timeoutMs - this.quietMs) / 1000);
    bar.value = seconds;
    const told = document.getElementById("left");
    if (told) told.textContent = told.dataset.words.replace("{seconds}", Math.ceil(seconds));
  }
}
