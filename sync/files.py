"""Writing files so that a power cut leaves them whole or as they were."""

import os
from pathlib import Path

FRESH_SUFFIX = ".new"


def write_whole(path: Path, raw: bytes) -> None:
    """Replace a file in one step, durably; only this user can read it.

    Raises:
        OSError: The disk does not take it; what was there before still is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + FRESH_SUFFIX)
    handle = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make names created, renamed or removed in a directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
