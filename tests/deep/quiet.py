"""A resident in a real Chromium of whom the test itself leaves no trace.

A driver that sends "type 522326…" would put the number into the browser's memory by itself. This
one touches one key after the other, asks only for places and kinds of screens, and never lets the
page answer a text.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from playwright.async_api import Page

from kiosk.entry import pinyin_path

#: The page hears nothing for 0.3 s after a screen, and the same button 0.5 s after itself.
_DEAF_S: Final = 0.4
_SAME_S: Final = 0.6
_SAME_KEY_S: Final = 0.2
_PATIENCE_MS: Final = 30_000
_TURNS_MAX: Final = 15
_STEPS_MAX: Final = 60

_SPOT: Final = """
(selector) => {
  const element = [...document.querySelectorAll(selector)].find((e) => e.checkVisibility());
  if (!element || element.disabled) return null;
  const { left, top, width, height } = element.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  return element.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
}
"""


class Quiet:
    """Someone who touches; knows only what kind of screen is before them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._last, self._touched_s = "", 0.0
        self.kind = ""
        self.question = ""
        self._entry = ""
        self._rev = ""

    async def look(self) -> None:
        """See what kind of screen has come, and wait until it hears."""
        await asyncio.sleep(_DEAF_S)
        shown = await self.page.evaluate(
            "() => [document.body.dataset.kind, document.body.dataset.question, "
            "/asks-(\\w+)/.exec(document.body.className)?.[1] || '', document.body.dataset.rev]"
        )
        self.kind, self.question, self._entry, self._rev = shown

    async def until(self, script: str, patience_ms: int = _PATIENCE_MS) -> bool:
        """Wait until the page's own condition holds; answer whether it came to that."""
        # The page's policy forbids making functions of text, for us too: poll from here.
        deadline_s = asyncio.get_running_loop().time() + patience_ms / 1000
        while not await self.page.evaluate(f"() => Boolean({script})"):
            if asyncio.get_running_loop().time() > deadline_s:
                return False
            await asyncio.sleep(0.03)
        return True

    async def spot(self, selector: str) -> tuple[float, float] | None:
        """Answer the middle of what can be touched."""
        found: list[float] | None = await self.page.evaluate(_SPOT, selector)
        return (found[0], found[1]) if found else None

    async def touch(self, selector: str) -> None:
        """Touch something that can be seen."""
        now_s = asyncio.get_running_loop().time()
        if selector == self._last:
            await asyncio.sleep(max(0.0, self._touched_s + _SAME_S - now_s))
        at = await self.spot(selector)
        assert at is not None, f"{selector} cannot be touched on {self.kind} {self.question}"
        await self.page.mouse.click(*at)
        self._last, self._touched_s = selector, asyncio.get_running_loop().time()

    async def go(self, selector: str) -> None:
        """Touch what brings another screen, and see that one."""
        await self.touch(selector)
        assert await self.until(f"document.body.dataset.rev !== {json.dumps(self._rev)}"), (
            f"no screen came after {self.kind} {self.question}"
        )
        await self.look()

    async def keys(self, keys: Iterable[str]) -> None:
        """Touch keys one after the other."""
        before = ""
        for key in keys:
            if key == before:
                await asyncio.sleep(_SAME_KEY_S)
            at = await self.spot(f'.key[data-key="{key}"]')
            assert at is not None, f"no key {key!r} on {self.question}"
            await self.page.mouse.click(*at)
            before = key

    async def fill(self, answers: Mapping[str, str]) -> None:
        """Go on by these answers until the check page comes."""
        for _ in range(_STEPS_MAX):
            if self.kind not in ("materials", "question", "warning"):
                return
            if self.kind != "question":
                await self.go("#next")
            else:
                await self._answer(answers.get(self.question, ""))
        raise AssertionError(f"no end in {_STEPS_MAX} screens: {self.kind} {self.question}")

    async def _answer(self, value: str) -> None:
        question = self.question
        if not value:
            await self.go("#skip")
            return
        if self._entry in ("consent", "choice", "yes_no", "village"):
            await self._tile(value)
            return
        if self._entry == "name":
            await self._write(value)
        else:
            await self.keys(value)
        for _ in range(3):
            # Some screens read back what was typed and want one more touch.
            if self.question == question and await self.spot("#next"):
                await self.go("#next")

    async def _tile(self, value: str) -> None:
        selector = f'.tile[data-action=answer][data-value="{value}"]'
        for _ in range(_TURNS_MAX):
            if await self.spot(selector):
                await self.go(selector)
                return
            await self.go(".tile[data-action=more]")
        raise AssertionError(f"{selector} is on no page of {self.question}")

    async def _write(self, name: str) -> None:
        for character in name:
            await self.keys(_syllables()[character])
            candidate = f'#candidates [data-key="{character}"]'
            for _ in range(_TURNS_MAX):
                await self.until("document.querySelector('#candidates [data-key]')", 2000)
                if await self.spot(candidate):
                    await self.touch(candidate)
                    await asyncio.sleep(_DEAF_S)
                    break
                await self.touch('#candidates [data-key="more"]')
            else:
                raise AssertionError("a character of the name is not offered")


@lru_cache(maxsize=1)
def _syllables() -> Mapping[str, str]:
    """The syllable that offers a character soonest."""
    given: dict[str, str] = json.loads(pinyin_path().read_text("utf-8"))["given"]
    found: dict[str, tuple[int, str]] = {}
    for syllable, characters in given.items():
        for place, character in enumerate(characters):
            found[character] = min(found.get(character, (10_000, "")), (place, syllable))
    return {character: syllable for character, (_, syllable) in found.items()}
