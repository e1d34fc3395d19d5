"""`python -m tests.bench [NAME …]`: measure and print what docs/performance.md states."""

import argparse
import asyncio
import platform
import sqlite3

from tests.bench import browser, courier, ingest, memory, touch, wire

BENCHES = {
    "wire": wire.measure,
    "courier": courier.measure,
    "touch": touch.measure,
    "browser": browser.measure,
    "memory": memory.measure,
    "ingest": ingest.measure,
}


def main() -> None:
    """Run those that are named; all without a name."""
    parser = argparse.ArgumentParser(prog="deploy/bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    names = parser.parse_args().names or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    for name in names:
        print(f"\n{name}")
        asyncio.run(BENCHES[name]())


if __name__ == "__main__":
    main()
