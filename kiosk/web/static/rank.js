// Things in the order that matters to somebody: what is touched first is first.

export function mountRank(section) {
  const tiles = [...section.querySelectorAll("[data-choice]")];
  const again = section.querySelector("[data-do=again-rank]");
  const names = new Set(tiles.map((tile) => tile.dataset.choice));
  let order = section.dataset.value.split(" ").filter((name) => names.has(name));

  function show() {
    for (const tile of tiles) {
      const place = order.indexOf(tile.dataset.choice);
      tile.classList.toggle("chosen", place >= 0);
      tile.setAttribute("aria-pressed", String(place >= 0));
      tile.querySelector(".place").textContent = place < 0 ? "" : place + 1;
    }
    again.disabled = order.length === 0;
  }

  show();
  return {
    value: () => order.join(" "),
    touch(tile) {
      if (tile === again) order = [];
      else {
        const name = tile.dataset.choice;
        order = order.includes(name) ? order.filter((other) => other !== name) : [...order, name];
      }
      show();
    },
    key(event) {
      if (event.key === "Backspace") order = order.slice(0, -1);
      else {
        const tile = tiles[Number(event.key) - 1];
        if (!/^[1-9]$/.test(event.key) || !tile || event.repeat) return false;
        this.touch(tile);
      }
      show();
      return true;
    },
  };
}
