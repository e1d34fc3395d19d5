"""How the measurements are printed, and kept for machines."""

import os
import platform
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

FIGURES = Path(__file__).with_name("figures.json")


class Figure(msgspec.Struct, frozen=True):
    """One measured figure."""

    value: float
    unit: str
    #: What is to be reached, in words; "" when nothing was promised.
    target: str = ""
    #: Single values that the median was taken of, in order; empty for exact ones.
    rounds: tuple[float, ...] = ()


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured."""

    system: str
    cores: int
    python: str
    sqlite: str


class Measured(msgspec.Struct, frozen=True):
    """All figures of one bench's last run."""

    command: str
    #: ISO date.
    day: str
    machine: Machine
    figures: dict[str, Figure]


_TAKEN: dict[str, Figure] = {}


def row(what: str, value: str) -> None:
    """Print one figure."""
    print(f"  {what:<58} {value}")


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    target: str = "",
    rounds: Sequence[float] = (),
    what: str = "",
    decimals: int = 2,
    stands_for: str = "median",
) -> None:
    """Print one figure and keep it for `figures.json`.

    Args:
        name: Stable, for machines, e.g. "ingest_to_sqlite_json".
        value: The median where there are rounds.
        unit: "ratio", "us", "bytes", "s", "1/s", …
        target: What the issue asks for.
        rounds: Single values.
        what: For people; `name` by default.
        decimals: Printed places.
        stands_for: What `value` is of the rounds.
    """
    kept = tuple(round(single, 4) for single in rounds)
    _TAKEN[name] = Figure(round(value, 4), unit, target, kept)
    said = f"{value:.{decimals}f}" + ("" if unit == "ratio" else f" {unit}")
    if len(rounds) > 1:
        span = f"{min(rounds):.{decimals}f} to {max(rounds):.{decimals}f}"
        said += f" ({stands_for} of {len(rounds)}: {span})"
    row(what or name, said + (f"; target {target}" if target else ""))


def taken() -> dict[str, Figure]:
    """Answer the figures since the last call, and forget them."""
    figures = dict(_TAKEN)
    _TAKEN.clear()
    return figures


def machine() -> Machine:
    """Answer what this machine is."""
    cores = len(os.sched_getaffinity(0))
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cores=cores,
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
    )


def keep(bench: str, measured: Measured) -> None:
    """Write one bench's figures into `figures.json`; those of others stay."""
    kept: dict[str, Measured] = {}
    if FIGURES.exists():
        kept = msgspec.json.decode(FIGURES.read_bytes(), type=dict[str, Measured])
    kept[bench] = measured
    ordered = {name: kept[name] for name in sorted(kept)}
    FIGURES.write_bytes(msgspec.json.format(msgspec.json.encode(ordered), indent=1) + b"\n")


def median(values: Sequence[float]) -> float:
    """Answer the median, the upper one of two."""
    return sorted(values)[len(values) // 2]


def spread(values: Sequence[float], unit: str, decimals: int = 0) -> str:
    """Answer mean, median, 95th percentile and greatest of some values."""
    ordered = sorted(values)
    parts = (
        ("mean", sum(ordered) / len(ordered)),
        ("p50", ordered[len(ordered) // 2]),
        ("p95", ordered[int(len(ordered) * 0.95)]),
        ("max", ordered[-1]),
    )
    return ", ".join(f"{name} {value:.{decimals}f}" for name, value in parts) + f" {unit}"
