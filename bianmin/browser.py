"""Chromium as the kiosk's screen."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Literal

from bianmin import processes
from bianmin.words import words

Look = Literal["kiosk", "window", "none"]

#: Also for tests: what makes Chromium a kiosk's screen and not a browser. Each one was seen to
#: exist in Debian's build. Without --autoplay-policy no sentence sounds before the first touch;
#: without Translate off a bubble covers the page; pinch and swipe would leave the page.
KIOSK_FLAGS: Final = (
    "--autoplay-policy=no-user-gesture-required",
    "--disable-component-update",
    "--disable-features=Translate,OverscrollHistoryNavigation,MediaRouter,OptimizationHints",
    "--disable-infobars",
    "--disable-pinch",
    "--hide-crash-restore-bubble",
    "--lang=zh-CN",
    "--no-default-browser-check",
    "--no-first-run",
    "--noerrdialogs",
    "--overscroll-history-navigation=0",
    "--password-store=basic",
)
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Answer the path of a Chromium, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def has_display() -> bool:
    """Answer whether there is a screen to show something on."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextlib.asynccontextmanager
async def shown(look: Look, url: str, directory: Path) -> AsyncIterator[None]:
    """Show a page while the block runs; without a display or Chromium, just run the block.

    Args:
        look: "kiosk" fills the screen, "window" has a frame, "none" shows nothing.
        url: What to show.
        directory: Holds `browser/` (a profile of its own) and `log/`.
    """
    chromium = find_chromium()
    if look == "none" or not has_display():
        yield
        return
    if chromium is None:
        missing = words("browser_missing")
        print(f"● {missing.zh}  {missing.en}")  # noqa: T201 -- the demo's terminal
        yield
        return
    program = await processes.spawn(
        "browser",
        (
            chromium,
            *KIOSK_FLAGS,
            f"--user-data-dir={directory / 'browser'}",
            *(("--kiosk", url) if look == "kiosk" else (f"--app={url}", "--window-size=1024,640")),
            # Chromium's sandbox refuses to run as root.
            *(("--no-sandbox",) if os.geteuid() == 0 else ()),
        ),
        environment={},
        log=directory / "log" / "browser.log",
    )
    try:
        yield
    finally:
        await program.stop(patience_s=3.0)
