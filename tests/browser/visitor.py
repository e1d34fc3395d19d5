"""A person at the kiosk's screen: answers whatever it shows in Chromium, by touch alone.

They look before they touch: a button counts only when its middle is on the screen and nothing
lies over it. What they see and hear is kept in `seen`, one entry a screen, for a test to judge.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
from playwright.async_api import CDPSession, Page

from kiosk.entry import pinyin_path
from tests.browser.geometry import GEOMETRY

DEAF_S: Final = 0.33  # the page hears nothing for 0.3 s after a screen
SAME_S: Final = 0.53  # the same button sooner than 0.5 s after itself, too, whatever the screen
SAME_KEY_S: Final = 0.17  # the same key sooner than 0.15 s after itself is taken for a tremor
RECORD_S: Final = 0.6  # a spoken note of these tests
PATIENCE_S: Final = 15.0
STEPS_MAX: Final = 60  # the longest form has fewer screens; more means that it goes in circles
TURNS_MAX: Final = 15  # pages of villages or of characters

_HAND: Final = """
{
  // The middle of what a finger would touch; null when it is not there, or something covers it.
  spot(selector) {
    const element = [...document.querySelectorAll(selector)].find((e) => e.checkVisibility());
    if (!element || element.disabled) return null;
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    return element.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
  },
  until(isSo, patienceMs) {
    const start = performance.now();
    return new Promise((done) => {
      const look = () => {
        const found = isSo();
        if (found || performance.now() - start > patienceMs) done(found);
        else setTimeout(look, 8);
      };
      look();
    });
  },
  look() {
    const { body } = document;
    const seen = (e) => e.checkVisibility();
    const words = (e) => (seen(e) ? e.innerText.trim() : "");
    const say = JSON.parse(body.dataset.playlist).say;
    return {
      kind: body.dataset.kind, question: body.dataset.question, rev: body.dataset.rev,
      entry: /asks-(\\w+)/.exec(body.className)?.[1] || "",
      language: document.documentElement.lang,
      title: document.getElementById("title").innerText.trim(),
      error: words(document.getElementById("error") || document.createElement("p")),
      words: [...document.querySelectorAll("h1,button,p,dt,dd,li,small,.steps")]
        .filter((e) => !e.id.startsWith("language-")).map(words).filter(Boolean),
      tiles: [...document.querySelectorAll(".tile")].filter(seen).map((e) => e.id),
      said: say.map((clip) => clip.highlight || ""),
      clips: say.map((clip) => clip.url),
      first_sound_ms: bianmin.firstSoundMs,
    };
  },
}
"""


class Seen(msgspec.Struct):
    """One screen as this person met it."""

    kind: str
    question: str
    rev: str
    #: Question type, or "".
    entry: str
    language: str
    title: str
    error: str
    #: All that can be read, the switch of the language excepted.
    words: list[str]
    tiles: list[str]
    #: Ids of what the playlist outlines, and its addresses, in order.
    said: list[str]
    clips: list[str]
    #: From the screen to its first sound.
    first_sound_ms: float | None
    #: Pictures taken, and what is cut, too small or too near on them.
    pictures: int = 0
    faults: list[str] = []
    #: What was really played until the next screen: id that was outlined, and whether to its end.
    played: list[tuple[str, bool]] = []

    @property
    def name(self) -> str:
        """How the screen is called in a picture's name and in a fault."""
        return f"{self.kind}-{self.question}" if self.question else self.kind


class Resident:
    """Someone who touches; `now` is the screen in front of them, `seen` all of them."""

    def __init__(
        self, page: Page, url: str, language: str, px_per_mm: float, pictures: Path
    ) -> None:
        self.page = page
        self.seen: list[Seen] = []
        self._url = url
        self._language = language
        self._pictures = pictures
        self._px_per_mm = px_per_mm
        self._cdp: CDPSession | None = None
        self._screens = 0
        self._played = 0
        self._ready_s = 0.0
        self._last, self._touched_s = "", 0.0

    @property
    def now(self) -> Seen:
        """The screen in front of them."""
        return self.seen[-1]

    # --- eyes and ears ---

    async def arrive(self) -> None:
        """Step up to the kiosk, whoever was there before, and choose the language at home."""
        await self.page.goto(self._url)
        await self.page.evaluate(f"void (window.hand = {_HAND.strip()})")
        self._screens = 0
        await self._meet()
        for _ in range(STEPS_MAX):
            if self.now.kind == "home":
                break
            await self.go("[data-action=leave_yes]" if self.now.kind == "leave" else "#home")
        if self.now.language != self._language:
            await self.go(f"#language-{self._language}")
        # What whoever was here before has left is not part of this visit.
        del self.seen[:-1]

    async def _meet(self) -> None:
        """Look at the screen that has come, and hear it begin to speak."""
        patience_ms = PATIENCE_S * 1000
        came = await self.page.evaluate(
            "([before, ms]) => hand.until(() => bianmin.screens > before && bianmin.screens, ms)",
            [self._screens, patience_ms],
        )
        assert came, f"no screen came after {self.seen[-1].name if self.seen else 'the start'}"
        self._ready_s = self._clock() + DEAF_S
        self._screens = int(came)
        self._played = await self.page.evaluate("bianmin.played.length")
        await self.page.evaluate(
            "(ms) => hand.until(() => bianmin.firstSoundMs !== null, ms)",
            patience_ms,
        )
        screen = msgspec.convert(await self.page.evaluate("hand.look()"), Seen)
        self.seen.append(screen)

    async def picture(self, state: str = "") -> Path:
        """Take the screen's picture as it stands, and note what is wrong with it."""
        name = "-".join(filter(None, (f"{len(self.seen):02d}", self.now.name, state)))
        path = self._pictures / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path, caret="initial")
        found = await self.page.evaluate(GEOMETRY, self._px_per_mm)
        self.now.faults.extend(f"{name}: {fault}" for fault in found)
        self.now.pictures += 1
        return path

    async def hears(self, condition: str) -> bool:
        """Stand still until the page's own condition holds; answer whether it came to that."""
        script = f"(ms) => hand.until(() => {condition}, ms)"
        return bool(await self.page.evaluate(script, PATIENCE_S * 1000))

    async def is_there(self, selector: str) -> bool:
        """Answer whether it can be touched."""
        return await self.page.evaluate("(s) => hand.spot(s)", selector) is not None

    # --- hands ---

    async def go(self, selector: str) -> None:
        """Touch what brings another screen, and see that one."""
        await self.touch(selector)
        played_before = self._played
        left = self.now
        await self._meet()
        played = await self.page.evaluate("(from) => bianmin.played.slice(from)", played_before)
        left.played = [(each["highlight"], each["whole"]) for each in played]

    async def touch(self, selector: str) -> None:
        """Touch the middle of something that can be seen."""
        if selector == self._last:
            self._ready_s = max(self._ready_s, self._touched_s + SAME_S)
        await self._wait()
        spot = await self.page.evaluate("(s) => hand.spot(s)", selector)
        assert spot is not None, f"{selector} cannot be touched on {self.now.name}"
        await self.page.touchscreen.tap(*spot)
        self._last, self._touched_s = selector, self._clock()

    async def _wait(self) -> None:
        await asyncio.sleep(max(0.0, self._ready_s - self._clock()))

    def _rest(self) -> None:
        """Other keys stand under the finger now: the page is deaf for a moment."""
        self._ready_s = self._clock() + DEAF_S

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    async def keys(self, text: Iterable[str]) -> None:
        """Touch keys that stay where they are."""
        keys = list(text)
        spots = {
            key: await self.page.evaluate("(s) => hand.spot(s)", f'.key[data-key="{key}"]')
            for key in dict.fromkeys(keys)
        }
        assert all(spots.values()), f"no key for some of {keys} on {self.now.name}"
        await self._wait()
        for before, key in pairwise(["", *keys]):
            if key == before:
                await asyncio.sleep(SAME_KEY_S)
            await self.page.touchscreen.tap(*spots[key])

    # --- answers ---

    async def answer(self, value: str) -> None:
        """Answer the question of the screen with this value, and see the next screen.

        Args:
            value: In XForms' lexical form, as in `sync.records.Answers`; "" passes it over.
        """
        question = self.now.question
        if not value and self.now.entry != "multi_choice":
            await self.go("#skip")
            return
        way = {
            **dict.fromkeys(_AT_ONCE, self._tile),
            "multi_choice": self._several,
            "date": self._date,
            "name": self.write,
            "text_note": self.write,
            "photo": self._photos,
            "signature": self._sign,
            "voice_note": self._speak,
        }.get(self.now.entry, self._pad)
        await way(value)
        if self.now.question == question and await self.is_there("#next"):
            await self.go("#next")
        is_same = self.now.question == question
        assert not (is_same and self.now.error), f"{question} = {value!r}: {self.now.error}"

    async def _tile(self, value: str) -> None:
        selector = f'.tile[data-action=answer][data-value="{value}"]'
        for _ in range(TURNS_MAX):
            if await self.is_there(selector):
                await self.go(selector)
                return
            await self.go(".tile[data-action=more]")
            await self.picture()
        raise AssertionError(f"{selector} is on no page of {self.now.name}")

    async def _several(self, value: str) -> None:
        names = value.split()
        for name in names:
            await self.touch(f'[data-choice="{name}"]')
        if not names:
            await self.touch("#none")
        await self.picture()

    async def _pad(self, value: str) -> None:
        old = await self.page.evaluate("document.querySelector('[data-entry=pad]').dataset.value")
        if old and await self.is_there('.key[data-key="clear"]'):
            await self.touch('.key[data-key="clear"]')
        else:
            await self.keys(["delete"] * len(old))
        await self.keys(value)
        await self.picture()

    async def _date(self, value: str) -> None:
        for part in value.split("-"):
            cell = f'[data-cell="{int(part)}"]'
            for _ in range(TURNS_MAX):
                if await self.is_there(cell):
                    break
                await self.touch('[data-cell="earlier"]')
                self._rest()
            await self.picture()
            await self.touch(cell)
            self._rest()
        await self.picture("done")

    async def write(self, text: str) -> None:
        """Write by pinyin or letters, as the keyboard of the screen's language has it."""
        is_han = await self.page.evaluate(
            "document.querySelector('.writing:not([hidden])').dataset.mode === 'han'"
        )
        for character in text:
            if not is_han or character in "，。·":
                await self.keys(_LATIN.get(character, character.lower()))
                await asyncio.sleep(SAME_KEY_S)
                continue
            await self.keys(_pinyin(character))
            await self._take(character)
        written = (await self.page.inner_text(".writing:not([hidden]) #written")).strip()
        assert written == text, f"wrote {written!r} for {text!r}"
        await self.picture()

    async def _take(self, character: str) -> None:
        candidate = f'#candidates [data-key="{character}"]'
        for _ in range(TURNS_MAX):
            if await self.is_there(candidate):
                await self.touch(candidate)
                self._rest()
                return
            await self.touch('#candidates [data-key="more"]')
        raise AssertionError(f"{character} is not offered for {_pinyin(character)}")

    async def _photos(self, value: str) -> None:
        for index in range(int(value)):
            if index:
                await self.touch("[data-do=another]")
            live = "!document.querySelector('video').hidden"
            assert await self.hears(f"{live} && document.querySelector('video').videoWidth > 0")
            if not index:
                await self.picture()
            await self.touch("[data-do=shoot]")
            assert await self.hears("!document.querySelector('.finder img').hidden")
            self._rest()
        await self.picture("kept")

    async def _sign(self, _: str) -> None:
        box = await self.page.locator("#ink").bounding_box()
        assert box is not None
        await self._wait()
        for left in (0.2, 0.45):
            x, y = box["x"] + box["width"] * left, box["y"] + box["height"] * 0.3
            await self._finger("touchStart", (x, y))
            for step in range(1, 7):
                await self._finger("touchMove", (x + step * 9, y + step * 14))
            await self._finger("touchEnd")
        await self.picture()

    async def _finger(self, kind: str, *points: tuple[float, float]) -> None:
        """Move a finger, which Playwright's own touch screen cannot."""
        self._cdp = self._cdp or await self.page.context.new_cdp_session(self.page)
        touches = [{"x": x, "y": y} for x, y in points]
        await self._cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    async def _speak(self, value: str) -> None:
        if value.startswith("="):
            await self.touch("[data-do=type]")
            self._rest()
            await self.write(value[1:])
            return
        await self.touch("[data-do=record]")
        assert await self.hears("!document.querySelector('[data-do=stop]').hidden")
        self._rest()
        await asyncio.sleep(RECORD_S)
        await self.picture()
        await self.touch("[data-do=stop]")
        assert await self.hears("!document.querySelector('[data-do=play]').hidden")
        self._rest()
        await self.picture("kept")

    # --- a matter ---

    async def fill(self, answers: Mapping[str, str]) -> None:
        """Go on by these answers until something else than a question comes."""
        for _ in range(STEPS_MAX):
            if self.now.kind not in ("materials", "question", "warning"):
                return
            await self.go_on(answers)
        raise AssertionError(f"no end in {STEPS_MAX} screens: {self.now.name}")

    async def go_on(self, answers: Mapping[str, str]) -> None:
        """Read one screen and go on by these answers."""
        if self.now.kind != "question":
            await self.picture()
            await self.go("#next")
            return
        if self.now.entry in _AT_ONCE:
            await self.picture()
        await self.answer(answers.get(self.now.question, ""))

    async def change(self, question: str, value: str) -> None:
        """Find a question's line on the check page and give another answer."""
        for _ in range(TURNS_MAX):
            if await self.is_there(f'.change[data-question="{question}"]'):
                await self.go(f'.change[data-question="{question}"]')
                if self.now.entry in _AT_ONCE:
                    await self.picture()
                await self.answer(value)
                return
            await self.picture()
            await self.go("#next")
        raise AssertionError(f"{question} has no line on the check page")

    async def submit(self) -> None:
        """Read all pages of the check page and hand in."""
        for _ in range(TURNS_MAX):
            await self.picture()
            await self.go("#next")
            if self.now.kind != "check":
                return
        raise AssertionError("the check page has no end")


#: Answered by one touch: their pictures are taken before it, the others' with the answer in them.
_AT_ONCE: Final = {"consent", "choice", "yes_no", "village"}
_LATIN: Final = {"，": "，", "。": "。", ",": "，", ".": "。", "-": "·"}


@lru_cache(maxsize=1)
def _syllables() -> Mapping[str, str]:
    """The syllable that offers a character soonest."""
    given: dict[str, str] = json.loads(pinyin_path().read_text("utf-8"))["given"]
    found: dict[str, tuple[int, str]] = {}
    for syllable, characters in given.items():
        for place, character in enumerate(characters):
            found[character] = min(found.get(character, (10_000, "")), (place, syllable))
    return {character: syllable for character, (_, syllable) in found.items()}


def _pinyin(character: str) -> str:
    return _syllables()[character]
