// What the phone carries: sealed envelopes in IndexedDB, and their delivery. The page and the
// service worker use it alike; neither can read what is inside.
"use strict";
(() => {
  const ADDRESS = "/sync/v1/courier";
  const HELD_MAX = 8192; // envelopes, 2 MB: eight villages' months
  const BATCH_MAX = 64;
  const BATCH_BYTES_MAX = 48 * 1024; // the centre takes 64 KiB
  const PATIENCE_MS = 60000; // 48 KiB at 8 kbit/s
  const VERDICTS = ["stored", "duplicate", "damaged", "unknown"];
  const NOTHING = { stored: 0, duplicate: 0, damaged: 0, unknown: 0 };

  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const ended = (transaction) => new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error || new Error("aborted"));
  });

  let opening = null;
  function opened() {
    if (!opening) {
      const request = indexedDB.open("carry", 1);
      request.onupgradeneeded = () => {
        const held = request.result.createObjectStore("envelopes", { autoIncrement: true });
        held.createIndex("name", "name", { unique: true });
        request.result.createObjectStore("told");
      };
      opening = done(request);
      opening.catch(() => { opening = null; });
    }
    return opening;
  }

  // Keeps envelopes that are not here yet; answers how many are new once they are on the disk.
  async function keep(envelopes) {
    const named = [];
    for (const raw of envelopes)
      named.push({ name: fountain.hexOf((await fountain.sha256(raw)).subarray(0, 16)), raw });
    const db = await opened();
    const transaction = db.transaction("envelopes", "readwrite");
    const held = transaction.objectStore("envelopes");
    const end = ended(transaction);
    let fresh = 0;
    const count = await done(held.count());
    if (count + named.length > HELD_MAX) {
      await end;
      throw new Error("full");
    }
    for (const one of named)
      if ((await done(held.index("name").getKey(one.name))) === undefined) {
        held.add(one);
        fresh += 1;
      }
    await end;
    return fresh;
  }

  async function count() {
    const db = await opened();
    return done(db.transaction("envelopes").objectStore("envelopes").count());
  }

  // What became of all that was handed over since the helper last put it aside.
  async function told() {
    const db = await opened();
    const found = await done(db.transaction("told").objectStore("told").get("sum"));
    return { ...NOTHING, ...found };
  }

  async function forgetTold() {
    const db = await opened();
    const transaction = db.transaction("told", "readwrite");
    transaction.objectStore("told").delete("sum");
    await ended(transaction);
  }

  // The oldest ones that fit one delivery.
  async function batch() {
    const db = await opened();
    const held = db.transaction("envelopes").objectStore("envelopes");
    return new Promise((resolve, reject) => {
      const found = [];
      let bytes = 8;
      const request = held.openCursor();
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        const size = cursor ? cursor.value.raw.length + 2 : 0;
        if (!cursor || found.length === BATCH_MAX || (found.length && bytes + size > BATCH_BYTES_MAX)) {
          resolve(found);
          return;
        }
        found.push({ key: cursor.primaryKey, raw: cursor.value.raw });
        bytes += size;
        cursor.continue();
      };
    });
  }

  // Every word of the centre is final: what it named is forgotten here; the kiosk keeps its own
  // until the centre acknowledges.
  async function settle(items, verdicts) {
    const db = await opened();
    const transaction = db.transaction(["envelopes", "told"], "readwrite");
    const end = ended(transaction);
    items.forEach((item) => transaction.objectStore("envelopes").delete(item.key));
    const book = transaction.objectStore("told");
    const sum = { ...NOTHING, ...(await done(book.get("sum"))) };
    verdicts.forEach((verdict) => { sum[verdict] += 1; });
    book.put(sum, "sum");
    await end;
  }

  // One delivery: {isOver} when nothing is left, else {waitS} until another try.
  async function post(items) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
    try {
      const reply = await fetch(ADDRESS, {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: fountain.pack(items.map((item) => item.raw)),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: stop.signal,
      });
      if (reply.status === 429 || reply.status === 503)
        return { waitS: Math.min(600, Math.max(5, Number(reply.headers.get("Retry-After")) || 60)) };
      if (reply.status !== 200) return { waitS: 60 };
      // A sign-in page of some network may answer as well: only verdicts for these count.
      const { verdicts } = await reply.json();
      const isOurs = Array.isArray(verdicts) && verdicts.length === items.length
        && verdicts.every((verdict) => VERDICTS.includes(verdict));
      return isOurs ? { verdicts } : { waitS: 60 };
    } catch {
      return { waitS: 15, isOffline: true };
    } finally {
      clearTimeout(timer);
    }
  }

  async function handOver(onStep) {
    for (;;) {
      const items = await batch();
      if (!items.length) return { isOver: true };
      const outcome = await post(items);
      if (!outcome.verdicts) return outcome;
      await settle(items, outcome.verdicts);
      await onStep();
    }
  }

  // Page and worker take turns where the browser knows locks; else twice is harmless.
  function deliver(onStep = async () => {}) {
    const task = () => handOver(onStep);
    return self.navigator.locks ? self.navigator.locks.request("deliver", task) : task();
  }

  self.pouch = { count, deliver, forgetTold, keep, told };
})();
