"""Chromium as the kiosk's screen."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
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
#: What keeps a visit from being written anywhere: no caches, no crash images, no sessions, no
#: forms; a tab opened by the page without a touch (a visit that timed out) is not blocked.
PRIVATE_FLAGS: Final = (
    "--incognito",
    "--auto-accept-camera-and-microphone-capture",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-domain-reliability",
    "--disable-popup-blocking",
    "--disable-sync",
    "--disk-cache-size=1",
)
#: After the address: the page leaves each visit's tab for a new one.
FRESH_TABS: Final = "fresh-tabs"
_MEMORY: Final = "/dev/shm"  # noqa: S108 -- inside it a folder of our own is made, mode 700
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Answer the path of a Chromium, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def has_display() -> bool:
    """Answer whether there is a screen to show something on."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def command(chromium: str, look: Look, url: str, profile: Path) -> tuple[str, ...]:
    """Answer how Chromium is started as the kiosk's screen.

    The profile is fresh and in memory, and the page opens a new tab for every visit and closes
    the old one (`kiosk/web/static/tabs.js`): the process that drew a resident's screens ends.

    Args:
        chromium: The program.
        look: "kiosk" or "window".
        url: What to show.
        profile: A folder of its own.
    """
    return (
        chromium,
        *KIOSK_FLAGS,
        *PRIVATE_FLAGS,
        f"--user-data-dir={profile}",
        *(
            ("--kiosk", f"{url}#{FRESH_TABS}")
            if look == "kiosk"
            else (f"--app={url}", "--window-size=1024,640")
        ),
        # Chromium's sandbox refuses to run as root.
        *(("--no-sandbox",) if os.geteuid() == 0 else ()),
    )


@contextlib.contextmanager
def profile_in_memory() -> Iterator[Path]:
    """Answer a fresh folder that no disk ever holds; it goes with the block.

    Where the system offers no memory for files (it always does on Linux), the folder is on the
    disk for as long as the block runs.
    """
    places = [Path(place) for place in (os.environ.get("XDG_RUNTIME_DIR"), _MEMORY) if place]
    inside = next((place for place in places if os.access(place, os.W_OK)), None)
    with tempfile.TemporaryDirectory(
        prefix="bianmin-screen-", dir=inside, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@contextlib.asynccontextmanager
async def shown(look: Look, url: str, directory: Path) -> AsyncIterator[None]:
    """Show a page while the block runs; without a display or Chromium, just run the block.

    Args:
        look: "kiosk" fills the screen, "window" has a frame, "none" shows nothing.
        url: What to show.
        directory: Holds `log/`; the profile is in memory (`profile_in_memory`).
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
    with profile_in_memory() as profile:
        program = await processes.spawn(
            "browser",
            command(chromium, look, url, profile),
            environment={},
            log=directory / "log" / "browser.log",
        )
        try:
            yield
        finally:
            await program.stop(patience_s=3.0)
