// A film of QR codes in which no single frame matters: the phone's half of sync/fountain.py.
// docs/protocol.md, "Carry", says the same for both. Nothing here touches the page or the disk.
"use strict";
(() => {
  const BLOCK_BYTES_MAX = 16384;
  const ENVELOPES_MAX = 64;
  const ENVELOPE_BYTES_MAX = 4161; // with its format and its signature
  const PIECES_MAX = 128;
  const PARTS_MAX = 16;
  const COLLECTORS_MAX = 4;
  const DIGITS_MAX = 692;
  const COURIER_DIGITS_MAX = 964;
  const HEAD_BYTES = 18;
  const NAME_BYTES = 8;

  class Refused extends Error {}

  // A number written in decimal, as the octets it stands for.
  function octets(digits) {
    let hex = BigInt(digits).toString(16);
    if (hex.length % 2) hex = `0${hex}`;
    const raw = new Uint8Array(hex.length / 2);
    for (let at = 0; at < raw.length; at += 1) raw[at] = parseInt(hex.substr(2 * at, 2), 16);
    return raw;
  }

  function hexOf(raw) {
    return Array.from(raw, (octet) => octet.toString(16).padStart(2, "0")).join("");
  }

  const isNumber = (text, most) => text.length <= most && /^[1-9][0-9]*$/.test(text);
  const pieceBytes = (size, pieces) => Math.ceil(size / pieces);

  function readFrame(text) {
    if (!isNumber(text, DIGITS_MAX)) throw new Refused("not a number of a frame's length");
    const raw = octets(text);
    if (raw.length <= HEAD_BYTES || raw[0] !== 2) throw new Refused("not a frame");
    const pair = (at) => raw[at] * 256 + raw[at + 1];
    const [part, parts, size, pieces] = [raw[3], raw[4], pair(13), raw[15]];
    if (!part || part > parts || parts > PARTS_MAX) throw new Refused("no such part");
    if (!size || size > BLOCK_BYTES_MAX || !pieces || pieces > Math.min(size, PIECES_MAX))
      throw new Refused("a block is longer or finer than any of ours");
    const data = raw.slice(HEAD_BYTES);
    if (data.length !== pieceBytes(size, pieces)) throw new Refused("a piece has another length");
    const block = hexOf(raw.subarray(5, 5 + NAME_BYTES));
    return {
      run: hexOf(raw.subarray(1, 3)), part, parts, block, size, pieces, number: pair(16), data,
      key: `${block}.${size}.${pieces}`,
    };
  }

  function scrambled(word) {
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  }

  // Which pieces a frame adds up: bit i of four words of 32 stands for piece i.
  function mix(pieces, number) {
    const bits = new Uint32Array(4);
    if (number >= pieces) {
      for (let word = 0; word < 4; word += 1) {
        const left = pieces - 32 * word;
        const mask = left >= 32 ? 0xffffffff : left > 0 ? 2 ** left - 1 : 0;
        bits[word] = scrambled(4 * number + word) & mask;
      }
      if (bits.some((word) => word)) return bits;
      number %= pieces;
    }
    bits[number >> 5] = 2 ** (number & 31);
    return bits;
  }

  function lowest(bits) {
    for (let word = 0; word < 4; word += 1)
      if (bits[word]) return 32 * word + 31 - Math.clz32(bits[word] & -bits[word]);
    return -1;
  }

  function addTo(target, source) {
    for (let at = 0; at < target.length; at += 1) target[at] ^= source[at];
  }

  // The frames of one block, by Gauss' elimination: never more than K equations.
  class Collector {
    constructor(frame) {
      this.pieces = frame.pieces;
      this.size = frame.size;
      this.block = frame.block;
      this.clear();
    }

    clear() {
      this.rows = new Array(this.pieces);
      this.rank = 0;
    }

    // Answers whether all is here.
    add(frame) {
      const bits = mix(this.pieces, frame.number);
      const sum = frame.data.slice();
      for (let first = lowest(bits); first >= 0; first = lowest(bits)) {
        const row = this.rows[first];
        if (!row) {
          this.rows[first] = { bits, sum };
          this.rank += 1;
          break;
        }
        addTo(bits, row.bits);
        addTo(sum, row.sum);
      }
      return this.rank === this.pieces;
    }

    solved() {
      const each = pieceBytes(this.size, this.pieces);
      const found = new Uint8Array(each * this.pieces);
      for (let index = this.pieces - 1; index >= 0; index -= 1) {
        const { bits, sum } = this.rows[index];
        const total = sum.slice();
        for (let other = index + 1; other < this.pieces; other += 1)
          if ((bits[other >> 5] >>> (other & 31)) & 1)
            addTo(total, found.subarray(other * each, (other + 1) * each));
        found.set(total, index * each);
      }
      return found.slice(0, this.size);
    }
  }

  async function sha256(raw) {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", raw));
  }

  // The envelopes of a block; what they are worth, only the centre can tell.
  function unpack(raw) {
    let at = 0;
    const number = (most) => {
      let total = 0;
      for (let shift = 0; shift < 21; shift += 7) {
        const octet = raw[at];
        if (octet === undefined) throw new Refused("the octets end too early");
        at += 1;
        total += (octet & 127) << shift;
        if (octet < 128) {
          if ((!octet && shift) || total > most) throw new Refused("a number is not of this format");
          return total;
        }
      }
      throw new Refused("a number is too long");
    };
    const envelopes = [];
    for (let left = number(ENVELOPES_MAX); left > 0; left -= 1) {
      const size = number(ENVELOPE_BYTES_MAX);
      if (at + size > raw.length) throw new Refused("the octets end too early");
      envelopes.push(raw.slice(at, at + size));
      at += size;
    }
    if (at !== raw.length || !envelopes.length || envelopes.some((one) => one[0] !== 1))
      throw new Refused("these are not envelopes that travel");
    return envelopes;
  }

  // What `sync.fountain.pack` writes, for a delivery.
  function pack(envelopes) {
    const size = (number) => (number < 128 ? [number] : [(number & 127) | 128, number >> 7]);
    const parts = [Uint8Array.from(size(envelopes.length))];
    for (const one of envelopes) parts.push(Uint8Array.from(size(one.length)), one);
    const raw = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      raw.set(part, at);
      at += part.length;
    }
    return raw;
  }

  // The code of a single receipt: an address of this centre whose path is the envelope.
  function readReceipt(text, host) {
    const found = /^https?:\/\/([^/]+)\/c\/([0-9]+)$/i.exec(text);
    if (!found) return null;
    if (found[1].toLowerCase() !== host) throw new Refused("another centre's receipt");
    if (!isNumber(found[2], COURIER_DIGITS_MAX)) throw new Refused("not a receipt's number");
    const raw = octets(found[2]);
    if (raw[0] !== 1) throw new Refused("not an envelope that travels alone");
    return raw;
  }

  // All that a camera sees: several blocks at once, of which a few unfinished ones are held.
  class Catcher {
    constructor() {
      this.collectors = new Map();
      this.whole = new Set();
      this.parts = new Map(); // of the run in view: part → rank and pieces
      this.run = "";
      this.of = 0;
    }

    // Answers {frame, rank, envelopes or null, isNew, isBroken}; throws Refused for no frame.
    async take(text) {
      const frame = readFrame(text);
      if (frame.run !== this.run || frame.parts !== this.of) {
        this.run = frame.run;
        this.of = frame.parts;
        this.parts.clear();
      }
      if (this.whole.has(frame.key)) return this.told(frame, frame.pieces, { isNew: false });
      let collector = this.collectors.get(frame.key);
      if (!collector) collector = new Collector(frame);
      this.collectors.delete(frame.key);
      this.collectors.set(frame.key, collector);
      if (this.collectors.size > COLLECTORS_MAX)
        this.collectors.delete(this.collectors.keys().next().value);
      const before = collector.rank;
      if (!collector.add(frame)) return this.told(frame, collector.rank, { isNew: collector.rank > before });
      const raw = collector.solved();
      try {
        if (hexOf((await sha256(raw)).subarray(0, NAME_BYTES)) !== frame.block)
          throw new Refused("the codes do not fit together");
        return this.told(frame, frame.pieces, { isNew: true, envelopes: unpack(raw) });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        collector.clear();
        return this.told(frame, 0, { isNew: false, isBroken: true });
      }
    }

    // The block's envelopes are safely kept: its frames are passed over from now on.
    keep(frame) {
      this.whole.add(frame.key);
      this.collectors.delete(frame.key);
      if (this.whole.size > 64 * PARTS_MAX) this.whole.delete(this.whole.values().next().value);
    }

    told(frame, rank, more) {
      this.parts.set(frame.part, { rank, pieces: frame.pieces });
      return { frame, rank, envelopes: null, isBroken: false, ...more };
    }

    get wholeParts() {
      return [...this.parts.values()].filter((part) => part.rank === part.pieces).length;
    }
  }

  self.fountain = {
    Catcher, Collector, Refused, hexOf, mix, octets, pack, readFrame, readReceipt, sha256, unpack,
  };
})();
