"""The command `bianmin kiosk simulate`: devices that nobody has at hand, on a port of this machine.

They show what everything up to the wire does with a device, and what a screen says when it fails.
"""

import sys
from pathlib import Path

import click

from kiosk.devices.card_record import CardRecord, encode_record
from sync.commands import told
from sync.identity import is_id_number

_STATES = ("ok", "low", "out", "open", "fault")


@click.group()
def simulate() -> None:
    """Stand in for a device; type what happens to it, one word a line, until Ctrl-D.

    \b
      bianmin kiosk simulate printer --port 9100      words: ok low out open fault half
      bianmin kiosk simulate card-reader --port 9200  words: card away early
    """  # noqa: D301 -- click keeps the lines after a backspace as they are


@simulate.command()
@click.option("--port", type=click.IntRange(0, 65535), default=9100, show_default=True)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Keep slips here.")
@told
def printer(port: int, into: Path | None) -> None:
    """Print slips to nowhere, or as pictures (PBM) into a folder."""
    from kiosk.devices.simulated import SimulatedPrinter  # noqa: PLC0415 -- no kiosk needs it

    with SimulatedPrinter(port) as stand_in:
        click.echo(f'printer = "{stand_in.address}"')
        for line in sys.stdin:
            word = line.strip()
            if word in _STATES:
                stand_in.paper.state, stand_in.paper.rows_left = word, None
            elif word == "half":
                # The next slip ends after some two centimetres.
                stand_in.paper.rows_left = 160
            click.echo(f"{len(stand_in.paper.slips)} slips so far; it is {stand_in.paper.state}")
        if into is not None:
            into.mkdir(parents=True, exist_ok=True)
            for number, rows in enumerate(stand_in.paper.slips, 1):
                (into / f"slip-{number}.pbm").write_bytes(_pbm(rows))


@simulate.command("card-reader")
@click.option("--port", type=click.IntRange(0, 65535), default=9200, show_default=True)
@click.option("--name", default="王秀兰", show_default=True, help="On the card; make one up.")
@click.option("--number", default="530121194611240011", show_default=True, help="On the card.")
@told
def card_reader(port: int, name: str, number: str) -> None:
    """Read a made-up card: `card` lays it down, `away` takes it up, `early` in the middle."""
    if not is_id_number(number):
        raise click.BadParameter("its check digit does not fit", param_hint="--number")
    record = encode_record(
        CardRecord(name, number, "2", "01", number[6:14], "", "", "20160101", "长期", "")
    )
    from kiosk.devices.simulated import SimulatedCardReader  # noqa: PLC0415 -- no kiosk needs it

    with SimulatedCardReader(port) as stand_in:
        click.echo(f'card_reader = "{stand_in.address}"')
        for line in sys.stdin:
            word = line.strip()
            stand_in.record = record if word in ("card", "early") else None
            stand_in.taken_away_at = "read" if word == "early" else ""
            click.echo("a card lies on it" if stand_in.record else "no card lies on it")


def _pbm(rows: list[bytes]) -> bytes:
    """Answer rows of dots as a picture that any viewer shows (Netpbm P4)."""
    width = len(rows[0]) * 8 if rows else 0
    return f"P4\n{width} {len(rows)}\n".encode() + b"".join(rows)
