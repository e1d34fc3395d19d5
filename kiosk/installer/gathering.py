"""What the installer's page tells of the state: link, clock, disk, backlog, versions, devices."""

import datetime as dt
import shutil

from kiosk.installer.page import Fact
from kiosk.parts import Parts
from kiosk.web.status import Status
from voice_prompts.wording import Wording

_MEGABYTE = 1024 * 1024
_DISK_MB_MIN = 512
_SKEW_MS_MAX = 5 * 60_000
_HOUR_MS = 3_600_000
_OLD_H = 7 * 24


def facts_of(parts: Parts, status: Status, version: str, wording: Wording) -> tuple[Fact, ...]:
    """Answer the lines, what matters most first.

    Args:
        parts: The kiosk's.
        status: As `GET /status` tells it.
        version: Of the program.
        wording: Words of the page's language.
    """
    text = wording.screen
    return (
        _link(parts, status, wording),
        Fact(
            text("installer.waiting"),
            _waiting(parts, status, wording),
            _age_h(parts, status) < _OLD_H and not status.refused,
        ),
        _clock(parts, status, wording),
        _disk(parts, status, wording),
        Fact(text("installer.version"), f"{version} · {status.catalogue}", bool(status.catalogue)),
        Fact(
            text("installer.kiosk"),
            f"{status.kiosk_no} · {status.name}",
            not (status.is_revoked or status.must_reenrol),
        ),
        *_devices(parts, wording),
    )


def _link(parts: Parts, status: Status, wording: Wording) -> Fact:
    key = "installer.reached" if status.is_reachable else "installer.unreached"
    at = _moment(status.last_ok_ms, parts.settings.utc_offset_min) if status.last_ok_ms else "—"
    return Fact(
        wording.screen("installer.link"), f"{wording.screen(key)} · {at}", status.is_reachable
    )


def _waiting(parts: Parts, status: Status, wording: Wording) -> str:
    return wording.screen(
        "installer.waiting_value",
        count=str(status.waiting),
        hours=str(_age_h(parts, status)),
        photos=str(status.attachments),
        refused=str(status.refused),
    )


def _age_h(parts: Parts, status: Status) -> int:
    if status.oldest_ms is None:
        return 0
    return max(0, parts.clock.now_ms() - status.oldest_ms) // _HOUR_MS


def _clock(parts: Parts, status: Status, wording: Wording) -> Fact:
    now = _moment(parts.clock.now_ms(), parts.settings.utc_offset_min)
    skew_s = status.clock_skew_ms // 1000
    off = wording.screen("installer.skew", seconds=str(skew_s)) if skew_s else ""
    is_good = abs(status.clock_skew_ms) < _SKEW_MS_MAX
    return Fact(wording.screen("installer.clock"), f"{now} {off}".strip(), is_good)


def _disk(parts: Parts, status: Status, wording: Wording) -> Fact:
    try:
        free_mb = shutil.disk_usage(parts.settings.data_dir).free // _MEGABYTE
    except OSError:
        free_mb = 0
    value = wording.screen("installer.free", megabytes=str(free_mb))
    return Fact(
        wording.screen("installer.disk"), value, status.has_room and free_mb >= _DISK_MB_MIN
    )


def _devices(parts: Parts, wording: Wording) -> tuple[Fact, ...]:
    devices = parts.devices
    seen = {
        "printer": devices.printing.view.state,
        "card_reader": devices.reading.view,
        "scanner": devices.scanner.view,
        "bell": ("fault" if devices.bell.is_failing else "ok") if devices.bell.is_there else "",
    }
    return tuple(
        Fact(
            wording.screen(f"installer.check.{name}"),
            wording.screen(f"installer.device.{state}"),
            state in ("ok", "ready"),
        )
        for name, state in seen.items()
        if state
    )


def _moment(ms: int, offset_min: int) -> str:
    zone = dt.timezone(dt.timedelta(minutes=offset_min))
    return dt.datetime.fromtimestamp(ms / 1000, zone).strftime("%Y-%m-%d %H:%M")
