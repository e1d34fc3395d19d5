"""A kiosk's program writes over what it frees; it starts anew for that, once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bianmin.forgetful import ENVIRONMENT

_CHILD = """
import os, sys
from bianmin import forgetful
was = os.environ.get("PYTHONMALLOC", "")
print("start", os.getpid(), was, *sys.argv[1:], flush=True)
forgetful.begin()
needle = bytes(byte ^ 1 for byte in b"043437088317181y53")
kept = [needle.decode() + str(number) for number in range(40)]
del kept
found = 0
for line in open("/proc/self/maps"):
    if "rw-p" in line and ("[heap]" in line or line.split()[-1] == "0"):
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            found += os.pread(memory.fileno(), end - start, start).count(needle)
del needle
print("found", found - 1, flush=True)
"""


def run(root: Path, **environment: str) -> list[list[str]]:
    done = subprocess.run(
        (sys.executable, "-c", _CHILD, "kiosk", "run"),
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONMALLOC"}, **environment},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_program_starts_anew_once_and_freed_words_are_gone(root: Path) -> None:
    first, again, found = run(root)

    assert first[0] == again[0] == "start"
    # The same process with the same arguments.
    assert first[1] == again[1]
    assert again[2:] == [ENVIRONMENT["PYTHONMALLOC"], "kiosk", "run"]
    assert int(found[1]) <= 0


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_without_it_freed_words_stay(root: Path) -> None:
    # Else the test above would prove nothing.
    start, found = run(root, PYTHONMALLOC="pymalloc")

    assert start[2] == "pymalloc"
    assert int(found[1]) > 0
