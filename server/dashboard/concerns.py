"""What about a kiosk needs a person, and what that person should do: pure rules."""

import json
from collections.abc import Iterable
from typing import Literal

import msgspec

from server.store.rows import KioskRow

Level = Literal["good", "warn", "bad", "calm"]
SHAPES: dict[Level, str] = {"good": "●", "warn": "▲", "bad": "■", "calm": "◇"}
_RANK: dict[Level, int] = {"bad": 0, "warn": 1, "good": 2, "calm": 3}

_HOUR_S, _DAY_S = 3600, 86_400
#: A kiosk calls once an hour at least (`sync.limits.HEARTBEAT_S`), so this is six calls missed;
#: a market day without power is normal, two days are not.
SILENT_WARN_S, SILENT_BAD_S = 6 * _HOUR_S, 2 * _DAY_S
#: Records that wait longer than a working day delay somebody's promise.
OLD_WARN_S, OLD_BAD_S = _DAY_S, 3 * _DAY_S
#: Below 500 MB photographs stop fitting soon; below 100 MB the kiosk stops taking them.
DISK_WARN_MB, DISK_BAD_MB = 500, 100
#: Five minutes are drift; a day is a dead clock battery, and wrong dates on receipts.
SKEW_WARN_MS, SKEW_BAD_MS = 300_000, 86_400_000
#: Photographs that pile up mean that the link carries envelopes only.
ATTACHMENTS_WARN = 40


class Concern(msgspec.Struct, frozen=True):
    """One thing that is wrong with a kiosk; its words are `concern.<code>.*` in the texts."""

    code: str
    level: Level
    #: What the sentence's slots say: numbers and spans in seconds.
    count: int = 0
    seconds: int = 0
    #: Of a device: its name and state as the kiosk reports them.
    device: tuple[str, str] = ("", "")


class Assessment(msgspec.Struct, frozen=True):
    """A kiosk with all that is wrong with it, worst first."""

    kiosk: KioskRow
    concerns: tuple[Concern, ...]

    @property
    def level(self) -> Level:
        """Answer the worst level; a kiosk out of service, or a former identity, is calm."""
        if self.kiosk.state == "revoked" or (self.kiosk.is_replaced and not self.concerns):
            return "calm"
        return self.concerns[0].level if self.concerns else "good"

    @property
    def shape(self) -> str:
        """Answer the sign that stands before the word."""
        return SHAPES[self.level]

    @property
    def rank(self) -> tuple[int, int, int]:
        """Order by need: level, then how much waits, then how long it was silent."""
        return (_RANK[self.level], -self.kiosk.pending, self.kiosk.last_seen_ms)


def assess(kiosk: KioskRow, now_ms: int) -> Assessment:
    """Answer what is wrong with one kiosk."""
    if kiosk.state == "revoked":
        return Assessment(kiosk, ())
    if kiosk.is_replaced:
        # Its machine calls under another number now; only what still waits is of interest.
        found = tuple(_contact(kiosk, now_ms)) if kiosk.pending else ()
    else:
        found = (*_identity(kiosk), *_contact(kiosk, now_ms), *_machine(kiosk))
    return Assessment(kiosk, tuple(sorted(found, key=lambda concern: _RANK[concern.level])))


def assess_all(kiosks: Iterable[KioskRow], now_ms: int) -> list[Assessment]:
    """Answer all kiosks, those that need a person first."""
    return sorted((assess(kiosk, now_ms) for kiosk in kiosks), key=lambda found: found.rank)


def _identity(kiosk: KioskRow) -> Iterable[Concern]:
    if kiosk.state == "forked":
        yield Concern("forked", "bad")


def _contact(kiosk: KioskRow, now_ms: int) -> Iterable[Concern]:
    if kiosk.last_seen_ms == 0:
        waited_s = max(0, now_ms - kiosk.enrolled_ms) // 1000
        if waited_s >= _HOUR_S:
            yield Concern("never", "warn", seconds=waited_s)
        return
    silent_s = max(0, now_ms - kiosk.last_seen_ms) // 1000
    if silent_s >= SILENT_WARN_S:
        level: Level = "bad" if silent_s >= SILENT_BAD_S else "warn"
        yield Concern("silent", level, count=kiosk.pending, seconds=silent_s)
        # What it last said of its backlog is old news; the silence is the concern.
        return
    if kiosk.pending and kiosk.oldest_s >= OLD_WARN_S:
        level = "bad" if kiosk.oldest_s >= OLD_BAD_S else "warn"
        yield Concern("backlog", level, count=kiosk.pending, seconds=kiosk.oldest_s)
    if kiosk.missing_count > kiosk.pending:
        yield Concern("missing", "warn", count=kiosk.missing_count)
    if kiosk.attachments_pending >= ATTACHMENTS_WARN:
        yield Concern("attachments", "warn", count=kiosk.attachments_pending)


def _machine(kiosk: KioskRow) -> Iterable[Concern]:
    if kiosk.last_seen_ms == 0:
        return
    if kiosk.disk_free_mb < DISK_WARN_MB:
        level: Level = "bad" if kiosk.disk_free_mb < DISK_BAD_MB else "warn"
        yield Concern("disk", level, count=kiosk.disk_free_mb)
    skew_ms = abs(kiosk.clock_skew_ms)
    if skew_ms >= SKEW_WARN_MS:
        level = "bad" if skew_ms >= SKEW_BAD_MS else "warn"
        yield Concern("clock", level, seconds=skew_ms // 1000)
    for name, state in devices_of(kiosk):
        if state != "ok":
            yield Concern("device", "warn", device=(name, state))


def devices_of(kiosk: KioskRow) -> tuple[tuple[str, str], ...]:
    """Answer what the kiosk said of its printer, reader and so on."""
    try:
        devices = json.loads(kiosk.devices or "{}")
    except ValueError:
        return ()
    if not isinstance(devices, dict):
        return ()
    return tuple((str(name), str(state)) for name, state in sorted(devices.items()))
