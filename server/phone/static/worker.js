// Keeps the page usable without signal, and hands over what it carries when signal comes back.
// The centre writes two lines above this one: CACHE, named by its content, and FILES.
"use strict";
importScripts("/carry/fountain.js", "/carry/pouch.js");

const PAGE = "/carry";

self.addEventListener("install", (event) => {
  const fresh = FILES.map((path) => new Request(path, { cache: "reload", credentials: "omit" }));
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin || !FILES.includes(pathname)) return;
  event.respondWith((async () => {
    const cache = await caches.open(CACHE);
    return (await cache.match(pathname)) || fetch(event.request);
  })());
});

// Where the browser has background sync it wakes us when there is signal, page or no page.
self.addEventListener("sync", (event) => {
  if (event.tag !== "deliver") return;
  event.waitUntil((async () => {
    const outcome = await pouch.deliver(tellPages);
    await tellPages();
    if (!outcome.isOver) throw new Error("not yet");
  })());
});

async function tellPages() {
  for (const page of await self.clients.matchAll()) page.postMessage("changed");
}
