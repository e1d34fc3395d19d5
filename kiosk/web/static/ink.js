// A signature by finger, or a fingerprint's stand-in for those who do not write.
// Kept as a small SVG: strokes as whole numbers on a field 1000 wide.

const FIELD = 1000;
const STEP_MIN = 3; // field units between kept points; finer is the finger's noise
const POINTS_MAX = 4000;

export function mountInk(section, page) {
  const words = page.words(section);
  const canvas = section.querySelector("canvas");
  const hint = section.querySelector(".instead");
  const taken = Number(section.dataset.taken);
  const context = canvas.getContext("2d");
  let strokes = [];
  let isFinger = false;
  let isCleared = false;
  let drawing = null;
  let points = 0;

  const box = canvas.getBoundingClientRect();
  canvas.width = Math.round(box.width * devicePixelRatio);
  canvas.height = Math.round(box.height * devicePixelRatio);
  const unit = canvas.width / FIELD;
  const height = Math.round(canvas.height / unit);

  function at(event) {
    const now = canvas.getBoundingClientRect();
    const scale = FIELD / now.width;
    return [Math.round((event.clientX - now.left) * scale), Math.round((event.clientY - now.top) * scale)];
  }

  function draw() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    hint.hidden = strokes.length > 0 || isFinger;
    hint.textContent = taken && !isCleared ? words.kept : hint.dataset.text;
    if (isFinger) return drawFinger();
    trace(context, strokes, unit, 8);
    return undefined;
  }

  // The ridges of a thumb, in red, with the day: what a red ink pad leaves on paper.
  function ridges() {
    const middle = [FIELD / 2, height / 2 - 30];
    return [18, 40, 62, 84, 106].map((radius, index) => ({
      x: middle[0], y: middle[1] + index * 3, rx: radius * 0.8, ry: radius * 1.12,
    }));
  }

  function drawFinger() {
    context.strokeStyle = context.fillStyle = "#a01b14";
    context.lineWidth = unit * 9;
    for (const { x, y, rx, ry } of ridges()) {
      context.beginPath();
      context.ellipse(x * unit, y * unit, rx * unit, ry * unit, 0, 0.25, Math.PI * 2 - 0.25);
      context.stroke();
    }
    context.font = `700 ${unit * 44}px "Noto Sans CJK SC",sans-serif`;
    context.textAlign = "center";
    context.fillText(`${words.finger_mark} ${section.dataset.today}`, canvas.width / 2, canvas.height - unit * 24);
  }

  function svg() {
    const body = isFinger
      ? `<g fill="none" stroke="#a01b14" stroke-width="9">${ridges().map(({ x, y, rx, ry }) =>
        `<ellipse cx="${x}" cy="${y}" rx="${Math.round(rx)}" ry="${Math.round(ry)}"/>`).join("")}</g>`
        + `<text x="${FIELD / 2}" y="${height - 24}" font-size="44" text-anchor="middle" fill="#a01b14">${section.dataset.today}</text>`
      : `<path fill="none" stroke="#201c16" stroke-width="8" stroke-linecap="round" stroke-linejoin="round" d="${strokes.map((stroke) => path(stroke)).join("")}"/>`;
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${FIELD} ${height}">${body}</svg>`;
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (drawing) return;
    drawing = { pointer: event.pointerId, stroke: [at(event)] };
    canvas.setPointerCapture(event.pointerId);
    isFinger = false;
    isCleared = true;
    strokes.push(drawing.stroke);
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drawing?.pointer !== event.pointerId || points >= POINTS_MAX) return;
    page.stir();
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      const [x, y] = at(each);
      const [u, v] = drawing.stroke.at(-1);
      if (Math.hypot(x - u, y - v) >= STEP_MIN) {
        drawing.stroke.push([x, y]);
        points += 1;
      }
    }
    draw();
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, (event) => {
      if (drawing?.pointer === event.pointerId) drawing = null;
    });

  hint.dataset.text = hint.textContent;
  draw();
  return {
    async value() {
      if (!strokes.length && !isFinger) return taken && !isCleared ? String(taken) : "";
      try {
        await page.upload(0, new Blob([svg()], { type: "image/svg+xml" }));
      } catch {
        hint.hidden = false;
        hint.textContent = words.not_kept;
        return null;
      }
      return "1";
    },
    touch(button) {
      strokes = button.dataset.do === "undo" ? strokes.slice(0, -1) : [];
      points = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
      isCleared = true;
      isFinger = button.dataset.do === "finger";
      draw();
    },
    close() { canvas.width = 0; },
  };
}

// First point absolute, the others as steps: two thirds of the bytes.
export function path(stroke, shift = 0) {
  const [[x, y], ...rest] = stroke;
  let [u, v] = [x, y];
  const steps = rest.map(([a, b]) => {
    const step = `${a - u} ${b - v}`;
    [u, v] = [a, b];
    return step;
  });
  return `M${x + shift} ${y}l${steps.join(" ") || "0 0"}`;
}

// Strokes as they were drawn, on a context whose units are `unit` pixels.
export function trace(context, strokes, unit, width) {
  context.lineWidth = unit * width;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = "#201c16";
  for (const stroke of strokes) {
    context.beginPath();
    for (const [x, y] of stroke) context.lineTo(x * unit, y * unit);
    if (stroke.length === 1) context.lineTo(stroke[0][0] * unit + 0.1, stroke[0][1] * unit);
    context.stroke();
  }
}
