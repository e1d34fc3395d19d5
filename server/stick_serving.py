"""Serving a stick in the centre's own machine: the command `bianmin centre stick`."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from server.dashboard.moments import exact
from server.identity import CentreKeys
from server.reception import Reception
from server.settings import Settings
from server.sticks import Taking, marker
from server.store.sqlite import Store
from server.store.sticks import Delivery
from sync import bundles
from sync.clock import Clock, SystemClock
from sync.limits import STICK_BUNDLES_MAX
from sync.sticks import StickFailed, StickFile, StickFolder


async def served(
    settings: Settings, keys: CentreKeys, root: Path, say: Callable[[str], object]
) -> int:
    """Serve one stick: take its bundles in, write replies, mark it; answer how many there were.

    Runs in a process of its own beside a running centre: both take the store's lock around each
    commit, as all commands do, and the centre's pipeline finds what came within seconds. So it
    works where nobody may sign in, and while the centre is down.

    Args:
        settings: Of the centre.
        keys: Of the centre.
        root: Where the stick is mounted.
        say: Tells one line.

    Raises:
        StickFailed: The stick is full, locked or gone; what was taken in is stored.
    """
    clock, store = SystemClock(), Store.open(settings.database)
    try:
        taking = Taking(store, Reception(store, keys, settings, clock), keys, clock)
        with StickFolder.opened(root, is_made=True) as folder:
            names, is_crowded = folder.names()
            bundle_names = [name for name in names if name.endswith(bundles.BUNDLE_SUFFIX)]
            for name in bundle_names[:STICK_BUNDLES_MAX]:
                await _serve_file(taking, folder, name, say)
            _mark(folder, keys, clock)
    finally:
        store.close()
    if is_crowded or len(bundle_names) > STICK_BUNDLES_MAX:
        say("There are more files on it than are taken in one go; run it again.")
    return len(bundle_names)


async def _serve_file(
    taking: Taking, folder: StickFolder, name: str, say: Callable[[str], object]
) -> None:
    try:
        with folder.reading(name) as file:
            delivery = await taking.take(
                _aiter(file), name, actor="command line", fresh=folder.fresh
            )
    except StickFailed as error:
        if error.why != "strange":
            raise
        say(f"{name}: {error}")
        return
    say(told(name, delivery))


async def _aiter(file: StickFile) -> AsyncIterator[bytes]:
    for piece in file.pieces():
        yield piece


def _mark(folder: StickFolder, keys: CentreKeys, clock: Clock) -> None:
    try:
        bundles.verify_marker(folder.marker(), (keys.root_public,))
    except bundles.MarkerRefused:
        folder.mark(marker(keys, clock.now_ms()))


_ENDINGS = {
    "whole": "",
    "cut": "; the file stops before its end, the rest comes with the next stick",
    "damaged": "; a part of it is damaged, the rest comes with the next stick",
    "too_long": "; it is longer than a kiosk writes, the rest was not read",
    "newer": "; it is of a newer program, update the centre",
    "not_ours": "; it is no bundle of a kiosk",
    "elsewhere": "; it is for another centre, nothing was stored",
    "unknown": "; its kiosk was never enrolled here, nothing was stored",
    "busy": "; the centre is too busy for the rest, run it again",
}


def told(name: str, delivery: Delivery) -> str:
    """Answer one line of the command's report; no personal data."""
    parts = [f"{delivery.stored} new", f"{delivery.duplicates} known before"]
    if delivery.quarantined:
        parts.append(f"{delivery.quarantined} in quarantine")
    if delivery.refused:
        parts.append(f"{delivery.refused} refused")
    parts += [f"{delivery.attachments} attachments", f"{delivery.notices} notices back"]
    whose = ""
    if delivery.kiosk_no:
        written = exact(delivery.written_ms) if delivery.written_ms else "?"
        whose = f"kiosk {delivery.kiosk_no:04d} {delivery.kiosk_name}, written {written}: "
    return f"{name}: {whose}{', '.join(parts)}{_ENDINGS[delivery.ending]}"
