"""What may be wrong with a kiosk, each with what to do about it."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from kiosk.checkup import examine_machine
from kiosk.devices.examining import examine_devices
from kiosk.finding import Finding
from kiosk.machine import board, is_moved
from kiosk.settings import Settings
from sync import outbox
from sync.catalogues import load_current
from sync.clock import Clock
from sync.database import Database, library_version, open_database
from sync.device import NotEnrolled, load_identity, load_keys
from sync.duty import duty_of
from sync.errors import BianminError
from sync.former import Former, formers, is_change_due, opened_former
from sync.limits import BALLAST_BYTES
from sync.transports import MANIFEST_PATH, CentreRefused, Link, LinkDown
from voice_prompts.cli import default_cache_dir
from voice_prompts.errors import VoiceError
from voice_prompts.library import Library
from voice_prompts.prompts import catalogue_prompts, interface_prompts

#: Before this day a clock is certainly wrong: the software is younger. 2026-01-01, Unix ms.
EARLIEST_MS = 1_767_225_600_000
#: Twenty years of service.
LATEST_MS = EARLIEST_MS + 20 * 31_557_600_000
#: What a year of a busy village needs beside the ballast.
DISK_FREE_BYTES_MIN = 512 * 1024 * 1024
DAY_MS = 86_400_000
#: A week without delivery: somebody should carry it.
BACKLOG_DAYS_MAX = 7


def check_folder(directory: Path) -> Finding:
    """Look whether the data folder is there, ours and writable."""
    if not directory.is_dir():
        return Finding("data folder", False, f"{directory} is missing", "bianmin kiosk enrol CODE")
    if not os.access(directory, os.W_OK | os.X_OK):
        todo = f"chown -R $(id -u) {directory}, and see that the card is not read-only"
        return Finding("data folder", False, f"{directory} cannot be written", todo)
    return Finding("data folder", True, str(directory))


def check_identity(directory: Path, this_board: str | None = None) -> Finding:
    """Look whether the kiosk is enrolled, on this board, with nothing left to change.

    Args:
        directory: The data folder.
        this_board: What marks this board; None looks.
    """
    try:
        identity = load_identity(directory)
        load_keys(directory)
    except NotEnrolled as error:
        return Finding("identity", False, "not enrolled", str(error))
    if is_moved(identity.board, board() if this_board is None else this_board):
        todo = "bianmin kiosk enrol CODE; or `bianmin kiosk moved`, if the other board is gone"
        return Finding("identity", False, "the card was enrolled on another board", todo)
    if is_change_due(directory):
        todo = "it changes over when nobody stands before it; or restart it"
        return Finding("identity", False, "another identity waits to be put in force", todo)
    return Finding("identity", True, f"kiosk {identity.kiosk_no}, {identity.name}")


def check_formers(directory: Path) -> tuple[Finding, ...]:
    """Look what still waits under each identity that this kiosk had."""
    return tuple(_check_former(one) for one in formers(directory))


def _check_former(one: Former) -> Finding:
    name = f"former {one.identity.kiosk_no}"
    try:
        database = opened_former(one, is_threaded=False)
    except BianminError as error:
        return Finding(name, error.code == "409.1", str(error), "stop the kiosk to look inside")
    except (sqlite3.Error, OSError) as error:
        todo = "look at the card; the file is never deleted, only set aside"
        return Finding(name, False, type(error).__name__, todo)
    try:
        waiting = outbox.waiting(database.conn)
    finally:
        database.close()
    said = f"{waiting.count} envelopes and {waiting.attachments} photos wait under this number"
    is_done = not (waiting.count or waiting.attachments)
    return Finding(name, is_done, said, "let the kiosk reach the centre; it delivers them")


def _check_duty(database: Database) -> tuple[Finding, ...]:
    duty = duty_of(database.conn)
    if duty.is_revoked:
        todo = "ask the centre; with a code: bianmin kiosk enrol CODE"
        return (Finding("service", False, "the centre took this kiosk out of service", todo),)
    if duty.reenrol_ms:
        said = "its numbers were used twice (a copied card, an old image)"
        said += ": out of service" if duty.is_overdue else ": out of service after 72 hours"
        return (Finding("service", False, said, "bianmin kiosk enrol CODE"),)
    return ()


def check_disk(directory: Path) -> Finding:
    """Look whether there is room."""
    try:
        free = shutil.disk_usage(directory).free
    except OSError:
        return Finding("disk", False, "not readable", "look at the card")
    said = f"{free // (1024 * 1024)} MB free"
    if free < BALLAST_BYTES * 2:
        return Finding("disk", False, said, "no transaction can be taken: free some room now")
    if free < DISK_FREE_BYTES_MIN:
        todo = "free some room, or put in a larger card"
        return Finding("disk", False, said, todo, is_slight=True)
    return Finding("disk", True, said)


def check_clock(clock: Clock) -> Finding:
    """Look whether the clock can be right."""
    if EARLIEST_MS < clock.now_ms() < LATEST_MS:
        return Finding("clock", True, "plausible")
    todo = "let the kiosk reach the network once, or: date -s 'YYYY-MM-DD hh:mm'"
    return Finding("clock", False, "certainly wrong", todo)


def check_library() -> Finding:
    """Look which SQLite this is."""
    version, is_fixed = library_version()
    note = "" if is_fixed else ", older than 3.51.3: one writer only, as here"
    return Finding("SQLite", True, f"{version}{note}")


def check_store(settings: Settings, clock: Clock) -> tuple[Finding, ...]:
    """Look into the store: sound, a catalogue in force, damage set aside, voice complete."""
    try:
        database = open_database(settings.database, is_threaded=False)
    except BianminError as error:
        is_running = error.code == "409.1"
        todo = "stop the kiosk to look inside; its own /healthz says whether it serves"
        return (Finding("store", is_running, str(error), todo),)
    except (sqlite3.Error, OSError) as error:
        todo = "look at the card; the file is never deleted, only set aside"
        return (Finding("store", False, type(error).__name__, todo),)
    try:
        return (
            _check_damage(database),
            _check_backlog(database, clock),
            *_check_duty(database),
            *_check_catalogue(database, settings),
        )
    finally:
        database.close()


def _check_damage(database: Database) -> Finding:
    if database.set_aside:
        names = ", ".join(path.name for path in database.set_aside)
        todo = "what could be read was saved; send the files to the centre, change the card"
        return Finding("store", False, f"damage was set aside: {names}", todo)
    return Finding("store", True, "quick_check ok")


def _check_backlog(database: Database, clock: Clock) -> Finding:
    """Look how long something has waited; the centre and a stick are the ways out."""
    waiting = outbox.waiting(database.conn)
    if waiting.refused:
        said, todo = f"{waiting.refused} envelopes were refused by the centre", "tell the centre"
        return Finding("backlog", False, said, todo, is_slight=True)
    if waiting.oldest_ms is None:
        return Finding("backlog", True, "all is delivered")
    days = max(0, clock.now_ms() - waiting.oldest_ms) // DAY_MS
    said = f"{waiting.count} wait, the oldest for {days} days"
    todo = "look at the link; or carry it by stick, or by a helper's phone"
    return Finding("backlog", days < BACKLOG_DAYS_MAX, said, todo, is_slight=True)


def _check_catalogue(database: Database, settings: Settings) -> tuple[Finding, ...]:
    try:
        loaded = load_current(database.conn)
    except BianminError as error:
        return (Finding("catalogue", False, str(error), "let the kiosk reach the centre once"),)
    if loaded is None:
        return (Finding("catalogue", False, "none yet", "let the kiosk reach the centre once"),)
    count = len(loaded.catalogue.services)
    found = Finding("catalogue", True, f"version {loaded.version}, {count} services")
    return (found, check_voice(settings, msgspec.to_builtins(loaded.catalogue)))


def check_voice(settings: Settings, catalogue: object) -> Finding:
    """Look how many sentences have no clip."""
    library = Library(settings.voice_dir or default_cache_dir(), settings.recordings_dir)
    prompts = {
        (prompt.language, prompt.text)
        for prompt in (*interface_prompts(), *catalogue_prompts(catalogue))
    }
    try:
        missing = sum(library.find(language, text) is None for language, text in prompts)
    except VoiceError as error:
        return Finding("voice", False, str(error), "see recordings/README.md")
    said = f"{len(prompts) - missing} of {len(prompts)} sentences have a clip"
    if not missing:
        return Finding("voice", True, said)
    todo = "bianmin voice render --catalogue catalogue.json"
    return Finding("voice", False, said, todo, is_slight=True)


async def check_centre(link: Link) -> Finding:
    """Look whether the centre answers."""
    try:
        await link.get(MANIFEST_PATH)
    except CentreRefused as error:
        todo = "publish a catalogue at the centre"
        return Finding("centre", False, f"answers {error}", todo, is_slight=True)
    except LinkDown as error:
        # Without a link a kiosk serves on: what is handed in waits.
        todo = "cable, router, BIANMIN_KIOSK_CENTRE_URL"
        return Finding("centre", False, str(error), todo, is_slight=True)
    return Finding("centre", True, "answers")


def examine(settings: Settings, clock: Clock, root: Path = Path("/")) -> tuple[Finding, ...]:
    """Look at all that needs no network, in the order in which one would mend it.

    Args:
        settings: Of this kiosk.
        clock: The machine's.
        root: Where /proc, /sys and /dev lie.
    """
    looks: tuple[Callable[[], Finding], ...] = (
        lambda: check_folder(settings.data_dir),
        lambda: check_identity(settings.data_dir),
        lambda: check_disk(settings.data_dir),
        lambda: check_clock(clock),
        check_library,
    )
    findings = []
    for look in looks:
        findings.append(look())
        if not findings[-1].is_good and findings[-1].name == "data folder":
            return tuple(findings)
    return (
        *findings,
        *check_store(settings, clock),
        *check_formers(settings.data_dir),
        *examine_machine(settings, root),
        *examine_devices(settings, clock, root),
    )
