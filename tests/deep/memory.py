"""Looking for words in what a process can read of its own memory, and in files."""

import array
import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final
from urllib.parse import quote

#: More than this of one region is read piece by piece, overlapping by the longest needle.
_PIECE_BYTES: Final = 16 * 1024 * 1024
_OVERLAP_BYTES: Final = 4096
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
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
    if not text.isascii():
        found[f"{name} percent"] = quote(text).encode()
    return found


def found_in(content: bytes, needles: Needles) -> dict[str, int]:
    """Answer how often each form stands in some bytes; those that do not are left out."""
    return {name: content.count(one) for name, one in needles.items() if one in content}


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
    with contextlib.ExitStack() as stack:
        try:
            process = Path("/proc") / str(pid)
            regions = (process / "maps").read_text().splitlines()
            memory = stack.enter_context((process / "mem").open("rb", buffering=0))
            pages = stack.enter_context((process / "pagemap").open("rb", buffering=0))
        except (FileNotFoundError, ProcessLookupError):
            return
        for line in regions:
            span, rights, *rest = line.split(maxsplit=5)
            if "r" not in rights or any(word in rest[-1] for word in _UNREADABLE):
                continue
            # A library's own file is no place for anybody's words; what was written over it is.
            if rest[-1].startswith("/usr/") and "w" not in rights:
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            for first, last in _present(pages.fileno(), start, end):
                yield from _read(memory.fileno(), first, last)


def _present(pages: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Answer the stretches of a region that are in memory or in swap: the least part of it."""
    try:
        content = os.pread(pages, (end - start) // _PAGE_BYTES * 8, start // _PAGE_BYTES * 8)
    except OSError:
        return
    at = start
    for is_there, run in groupby(array.array("Q", content), key=lambda entry: entry >> 62 != 0):
        size = sum(1 for _ in run) * _PAGE_BYTES
        if is_there:
            yield at, at + size
        at += size


def _read(memory: int, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        try:
            piece = os.pread(memory, min(_PIECE_BYTES, end - start), start)
        except OSError:
            return
        if not piece:
            return
        yield piece
        # Pieces overlap, so that nothing is missed where they meet.
        start += len(piece)
        if start < end:
            start -= _OVERLAP_BYTES
