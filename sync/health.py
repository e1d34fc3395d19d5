"""A kiosk's report of itself as octets."""

import msgspec

from sync import limits
from sync.octets import UVARINT_MAX, Reader, WireError, counted, uvarint
from sync.records import Health


def encode_health(health: Health) -> bytes:
    """Write a report: version, five numbers, then each device with its state.

    Raises:
        ValueError: It is longer than `HEALTH_BYTES_MAX`; see `short_health`.
    """
    parts = [counted(health.version.encode()[: limits.VERSION_BYTES_MAX])]
    parts += [
        uvarint(min(max(number, 0), UVARINT_MAX))
        for number in (
            health.pending,
            health.oldest_s,
            health.disk_free_mb,
            health.attachments_pending,
            health.boots,
        )
    ]
    words = [
        counted(device.encode()) + counted(state.encode())
        for device, state in sorted(health.devices.items())
    ]
    raw = b"".join((*parts, uvarint(len(words)), *words))
    if len(raw) > limits.HEALTH_BYTES_MAX:
        raise ValueError("the health report is too long; use `short_health`")
    return raw


def read_health(reader: Reader) -> Health:
    """Read what `encode_health` wrote, after its length.

    Raises:
        WireError: It is not a report.
    """
    inner = Reader(reader.counted(limits.HEALTH_BYTES_MAX))
    version = inner.text(limits.VERSION_BYTES_MAX)
    pending, oldest_s, disk_free_mb, attachments_pending, boots = (
        inner.uvarint() for _ in range(5)
    )
    words = inner.several(
        limits.HEALTH_BYTES_MAX,
        lambda: (
            inner.text(limits.HEALTH_WORD_BYTES_MAX),
            inner.text(limits.HEALTH_WORD_BYTES_MAX),
        ),
    )
    inner.end()
    if list(dict(words)) != sorted(device for device, _ in words):
        raise WireError("devices are named once, in order")
    return Health(
        version=version,
        pending=pending,
        oldest_s=oldest_s,
        disk_free_mb=disk_free_mb,
        attachments_pending=attachments_pending,
        boots=boots,
        devices=dict(words),
    )


def short_health(health: Health) -> Health:
    """Answer the same report cut to what a frame carries: long words and last devices go."""

    def cut(word: str, size: int) -> str:
        return word.encode()[:size].decode(errors="ignore")

    version = cut(health.version, limits.VERSION_BYTES_MAX)
    size = len(version.encode()) + 50
    devices: dict[str, str] = {}
    for name, state in sorted(health.devices.items()):
        device = cut(name, limits.HEALTH_WORD_BYTES_MAX)
        word = cut(state, limits.HEALTH_WORD_BYTES_MAX)
        size += len(device.encode()) + len(word.encode()) + 2
        if size <= limits.HEALTH_BYTES_MAX:
            devices[device] = word
    return msgspec.structs.replace(health, version=version, devices=devices)
