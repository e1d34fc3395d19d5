"""Looking for words in what a process can read of its own memory, and in files."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

#: More than this of one region is read piece by piece, overlapping by the longest needle.
_PIECE_BYTES: Final = 16 * 1024 * 1024
_OVERLAP_BYTES: Final = 4096
#: Device memory and the kernel's own pages cannot be read, or hold nothing of ours.
_UNREADABLE: Final = ("[vvar]", "[vsyscall]", "/dev/dri", "/dev/snd")

#: What is looked for: name of the form → bytes.
Needles = Mapping[str, bytes]


def needles_of(name: str, text: str, *spaced: str) -> dict[str, bytes]:
    """Answer every form in which a program may hold a text.

    Args:
        name: What to call it in a report; never the text itself.
        text: As it was entered.
        spaced: As people read it, in groups.
    """
    found = {}
    for shown, written in (("", text), *((" spaced", one) for one in spaced)):
        found[f"{name}{shown} utf-8"] = written.encode()
        # Python keeps hanzi in two bytes each, JavaScript everything that is no ASCII.
        found[f"{name}{shown} utf-16"] = written.encode("utf-16-le")
        found[f"{name}{shown} utf-32"] = written.encode("utf-32-le")
    if not text.isascii():
        found[f"{name} percent"] = quote(text).encode()
        found[f"{name} escaped"] = text.encode("unicode_escape")
    return found


def found_in(content: bytes, needles: Needles) -> dict[str, int]:
    """Answer how often each form stands in some bytes; those that do not are left out."""
    pattern = re.compile(b"|".join(re.escape(one) for one in set(needles.values())))
    if not pattern.search(content):
        return {}
    counts = {name: content.count(one) for name, one in needles.items()}
    return {name: count for name, count in counts.items() if count}


def found_in_memory(pid: int, needles: Needles) -> dict[str, int]:
    """Answer how often each form stands in a process's readable memory; {} when it has ended."""
    total: dict[str, int] = {}
    for piece in _memory(pid):
        for name, count in found_in(piece, needles).items():
            total[name] = total.get(name, 0) + count
    return total


def found_in_files(folders: Iterable[Path], needles: Needles) -> dict[str, dict[str, int]]:
    """Answer which files below these folders hold a form, and how often."""
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            try:
                content = path.read_bytes()
            except OSError:
                # A browser removes what it wrote a moment ago.
                continue
            if hits := found_in(content, needles):
                found[str(path)] = hits
    return found


def _memory(pid: int) -> Iterator[bytes]:
    try:
        regions = (Path("/proc") / str(pid) / "maps").read_text().splitlines()
        number = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except (FileNotFoundError, ProcessLookupError):
        return
    try:
        for line in regions:
            span, rights, *rest = line.split(maxsplit=5)
            if "r" not in rights or any(word in rest[-1] for word in _UNREADABLE):
                continue
            # A library's own file is no place for anybody's words; what was written over it is.
            if rest[-1].startswith("/usr/") and "w" not in rights:
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            yield from _region(number, start, end)
    finally:
        os.close(number)


def _region(number: int, start: int, end: int) -> Iterator[bytes]:
    at = start
    while at < end:
        size = min(_PIECE_BYTES, end - at)
        try:
            piece = os.pread(number, size, at)
        except OSError:
            # Address space that was set aside and never used.
            return
        if not piece:
            return
        yield piece
        at += len(piece) if at + len(piece) >= end else max(1, len(piece) - _OVERLAP_BYTES)
