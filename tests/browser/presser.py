"""A person at the kiosk who has a keypad and nothing else: no touch, no pointer.

Goes to things by the arrows, in the order in which the screen is spoken, and presses OK. What is
met on the way is written down, so that a test can say that all of it was said.
"""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

from tests.browser.visitor import SAME_KEY_S, SAME_S, Resident

STOPS_MAX = 120
_AT = "(s) => document.activeElement?.matches(s)"
_FOCUSED = "document.activeElement?.id || document.activeElement?.textContent.trim().slice(0, 20)"


class Presser(Resident):
    """Someone who presses keys; everything else is as for whoever touches."""

    #: On pads: by the digits of a number pad, or by arrows and OK alone.
    has_digits = True

    async def is_there(self, selector: str) -> bool:
        """Answer whether the keypad could come to it."""
        script = "(s) => [...document.querySelectorAll(s)].some((e) => e.checkVisibility())"
        return bool(await self.page.evaluate(script, selector))

    async def touch(self, selector: str) -> None:
        """Go to something by the arrows and press OK."""
        if selector == self._last:
            self._ready_s = max(self._ready_s, self._touched_s + SAME_S)
        await self._wait()
        shown = f":is({selector}):not(.elsewhere)"
        for _ in range(STOPS_MAX):
            if await self.page.evaluate(_AT, shown):
                break
            await self.page.keyboard.press("ArrowRight")
        else:
            now = await self.page.evaluate(_FOCUSED)
            raise AssertionError(f"no way to {selector} on {self.now.name}, stands on {now}")
        self._last, self._touched_s = selector, self._clock()
        await self.page.keyboard.press("Enter")

    async def keys(self, text: Iterable[str]) -> None:
        """Press digits and letters as they are, or look for each by the arrows."""
        await self._wait()
        for before, key in pairwise(["", *text]):
            if key == before:
                await asyncio.sleep(SAME_KEY_S)
            # A keypad has no Chinese stops; those of the screen are gone to.
            if self.has_digits and (key.isascii() or key == "delete"):
                await self.page.keyboard.press({"delete": "Backspace"}.get(key, key))
            else:
                await self.touch(f'.key[data-key="{key}"]')

    async def _sign(self, _: str) -> None:
        # Who cannot see the box presses a fingerprint.
        await self.touch("[data-do=finger]")
        await self.picture()
