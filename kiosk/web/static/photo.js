// A photo: look, press, look again. What is kept goes to the kiosk at once, sealed there.
// One that is too dark or not sharp is shown and not kept at first; the second one is kept, and so
// is the first when its owner insists: a dim room and a trembling hand must not end a matter.

import { heldUrl, speak } from "./echo.js";

const LONG_SIDE_MAX = 1600; // pixels; an ID card's small print stays legible
const BYTES_MAX = 200 * 1024; // 52 s at 32 kbit/s
const DARK_BELOW = 45; // mean brightness of 255
const SHARP_ABOVE = 25; // variance of the Laplacian at 320 px; printed paper in focus is above 100
const CHECK_WIDTH = 320;

export function mountPhoto(section, page) {
  const words = page.words(section);
  const video = section.querySelector("video");
  const image = section.querySelector("img");
  const canvas = section.querySelector("canvas");
  const guide = section.querySelector(".guide");
  const told = section.querySelector("#echo span");
  const count = section.querySelector("#count");
  const buttons = Object.fromEntries(
    [...section.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]));
  const max = Number(section.dataset.takenMax);
  let taken = Number(section.dataset.taken);
  let stream = null;
  let isClosed = false;
  let url = "";
  let refused = null; // the photo on the screen that was not kept: {blob, index, fault, isTold}
  let faults = 0; // how often in a row

  function say(text, isSpoken = false) {
    told.textContent = text;
    told.style.fontSize = "";
    page.fit(section);
    if (isSpoken) speak(page, text);
  }

  function mode(name) {
    const isLive = name === "live";
    video.hidden = !isLive;
    guide.hidden = !isLive;
    image.hidden = name !== "shot" || !url;
    section.querySelector(".instead").hidden = name !== "none";
    buttons.shoot.hidden = !isLive;
    buttons.retake.hidden = name !== "shot";
    buttons.another.hidden = name !== "shot" || taken >= max || refused !== null;
    count.hidden = !taken || max === 1;
    count.textContent = words.taken.replace("{n}", taken);
  }

  async function start() {
    if (section.dataset.hasCamera !== "1" || !navigator.mediaDevices) return none();
    try {
      stream ??= await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 1920 }, height: { ideal: 1080 }, facingMode: "environment" },
      });
    } catch { return none(); }
    if (isClosed) return halt();
    video.srcObject = stream;
    await video.play().catch(() => {});
    mode("live");
    return null;
  }

  function none() {
    mode("none");
    say("");
  }

  function halt() {
    for (const track of stream?.getTracks() || []) track.stop();
    stream = null;
    video.srcObject = null;
  }

  async function shoot(index) {
    if (!video.videoWidth) return;
    const scale = Math.min(1, LONG_SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const fault = faultOf(canvas);
    const blob = await jpeg(canvas);
    if (isClosed) return;
    if (url) URL.revokeObjectURL(url);
    url = URL.createObjectURL(blob);
    image.src = url;
    faults = fault ? faults + 1 : 0;
    refused = faults === 1 ? { blob, index, fault, isTold: false } : null;
    if (!refused && !(await keep(blob, index))) return;
    mode("shot");
    say(words[refused ? fault : fault ? "kept_anyway" : "good"], fault !== "");
    if (!refused) faults = 0;
    page.deafen();
  }

  async function keep(blob, index) {
    try {
      await page.upload(index, blob);
    } catch {
      say(words.not_kept, true);
      return false;
    }
    taken = Math.max(taken, index + 1);
    return !isClosed;
  }

  // Going on with a photo that was not kept: said once more, then it is kept as it is.
  async function goOn() {
    if (refused && !refused.isTold) {
      refused.isTold = true;
      say(words[`${refused.fault}_still`], true);
      return null;
    }
    if (refused) {
      const { blob, index } = refused;
      if (!(await keep(blob, index))) return null;
      refused = null;
    }
    return taken ? String(taken) : "";
  }

  if (taken) {
    url = heldUrl(taken - 1);
    image.src = url;
    mode("shot");
    say(words.taken.replace("{n}", taken));
  } else start();
  const isAgain = () => video.hidden === false;
  let index = 0;
  return {
    value: goOn,
    async touch(button) {
      const action = button.dataset.do;
      if (action === "shoot") await shoot(index);
      else if (action === "retake" || action === "another") {
        if (refused) refused = null;
        else index = action === "another" ? taken : Math.max(taken - 1, 0);
        await start();
      }
    },
    key(event) {
      if (event.key !== " " || !isAgain()) return false;
      shoot(index);
      return true;
    },
    close() {
      isClosed = true;
      halt();
      if (url) URL.revokeObjectURL(url);
      canvas.width = 0;
    },
  };
}

// "dark", "blurred" or "": said kindly, and the resident may keep it all the same.
export function faultOf(canvas) {
  const width = CHECK_WIDTH;
  const height = Math.round((canvas.height / canvas.width) * width);
  const small = new OffscreenCanvas(width, height);
  const context = small.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const light = new Float32Array(width * height);
  let sum = 0;
  for (let at = 0; at < light.length; at += 1) {
    light[at] = 0.299 * data[at * 4] + 0.587 * data[at * 4 + 1] + 0.114 * data[at * 4 + 2];
    sum += light[at];
  }
  if (sum / light.length < DARK_BELOW) return "dark";
  let total = 0;
  let squares = 0;
  let places = 0;
  for (let y = 1; y < height - 1; y += 1)
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const edge = light[at - 1] + light[at + 1] + light[at - width] + light[at + width] - 4 * light[at];
      total += edge;
      squares += edge * edge;
      places += 1;
    }
  const mean = total / places;
  return squares / places - mean * mean < SHARP_ABOVE ? "blurred" : "";
}

async function jpeg(canvas) {
  let blob = null;
  for (const quality of [0.8, 0.65, 0.5, 0.35, 0.2]) {
    blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob.size <= BYTES_MAX) break;
  }
  return blob;
}
