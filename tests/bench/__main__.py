"""`python -m tests.bench [NAME …]`: measure and print what docs/performance.md states."""

import argparse
import asyncio
import datetime as dt

from tests.bench import (
    attachment,
    beside,
    browser,
    courier,
    downstream,
    film,
    herd,
    idle,
    ingest,
    link,
    memory,
    queued,
    scale,
    submit,
    touch,
    vault,
    wire,
)
from tests.bench.printing import Measured, keep, machine, taken

BENCHES = {
    "wire": wire.measure,
    "courier": courier.measure,
    "film": film.measure,
    "downstream": downstream.measure,
    "touch": touch.measure,
    "browser": browser.measure,
    "memory": memory.measure,
    "ingest": ingest.measure,
    "link": link.measure,
    "attachment": attachment.measure,
    "idle": idle.measure,
    "scale": scale.measure,
    "submit": submit.measure,
    "queued": queued.measure,
    "herd": herd.measure,
    "vault": vault.measure,
    "peers": beside.measure,
}


def main() -> None:
    """Run those that are named; all without a name."""
    parser = argparse.ArgumentParser(prog="deploy/bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument(
        "--json", action="store_true", help="keep the figures in tests/bench/figures.json, too"
    )
    arguments = parser.parse_args()
    names = arguments.names or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    here = machine()
    print(f"{here.system}, {here.cores} cores, Python {here.python}, SQLite {here.sqlite}")
    for name in names:
        print(f"\n{name}")
        asyncio.run(BENCHES[name]())
        figures = taken()
        if arguments.json and figures:
            day = dt.datetime.now(tz=dt.UTC).date().isoformat()
            keep(name, Measured(f"deploy/bench {name}", day, here, figures))


if __name__ == "__main__":
    main()
