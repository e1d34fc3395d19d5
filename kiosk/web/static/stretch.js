// Speech faster or slower with its pitch kept: pieces of the sound are laid over each other again,
// each where it continues the last one best (WSOLA, Verhelst and Roelands 1993).

const PIECE_S = 0.024; // some periods of the deepest voice
const SEEK_S = 0.008; // how far a piece may be moved to fit: one period of 125 Hz
const COARSE_HZ = 6000; // so finely are places compared: above it a voice has no pitch

// `rate` 2 = twice as fast. Answers a Float32Array.
export function stretched(samples, sampleRate, rate) {
  const piece = Math.round(PIECE_S * sampleRate) & ~1;
  const hop = piece / 2;
  const coarse = Math.max(1, Math.round(sampleRate / COARSE_HZ));
  const seek = Math.round(SEEK_S * sampleRate);
  const length = Math.max(1, Math.round(samples.length / rate));
  const out = new Float32Array(length + piece);
  const window = Float32Array.from({ length: piece }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / piece));
  let natural = 0; // where the last piece would go on
  for (let to = 0; to < length; to += hop) {
    const from = to ? best(samples, Math.round(to * rate), natural, seek, hop, coarse) : 0;
    for (let at = 0; at < piece && from + at < samples.length; at += 1) {
      // The first half piece has nothing before it.
      const gain = to === 0 && at < hop ? 1 : window[at];
      out[to + at] += samples[from + at] * gain;
    }
    natural = from + hop;
  }
  return out.subarray(0, length);
}

function best(samples, wanted, natural, seek, overlap, coarse) {
  const last = samples.length - overlap - 1;
  if (natural > last || last < 0) return Math.max(0, Math.min(wanted, last));
  let found = Math.max(0, Math.min(wanted, last));
  let most = -Infinity;
  const low = Math.max(0, wanted - seek);
  const high = Math.min(last, wanted + seek);
  for (let place = low; place <= high; place += coarse) {
    let alike = 0;
    let power = 1e-9;
    for (let at = 0; at < overlap; at += coarse) {
      const sample = samples[place + at];
      alike += sample * samples[natural + at];
      power += sample * sample;
    }
    const score = alike / Math.sqrt(power);
    if (score > most) {
      most = score;
      found = place;
    }
  }
  return found;
}
