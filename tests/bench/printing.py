"""How the measurements are printed."""

from collections.abc import Sequence


def row(what: str, value: str) -> None:
    """Print one figure."""
    print(f"  {what:<58} {value}")


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
