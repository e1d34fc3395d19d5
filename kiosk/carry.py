"""Showing what waits to a helper's phone, as a film of QR codes drawn a little ahead."""

import asyncio
import base64
import contextlib
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database as Tables

from kiosk.receipt import MASK
from sync.database import Database
from sync.errors import MALFORMED
from sync.files import write_whole
from sync.film import carried_count, load_of
from sync.fountain import Run, blocks_of, frame_text, unpack
from sync.limits import CARRY_FRAMES_PER_FETCH

FILE_NAME = "carried.json"


class Picture(msgspec.Struct, frozen=True):
    """One code: its modules row by row from the top, eight to a byte, dark is 1, in base64."""

    #: Which block of the run it belongs to, from 1.
    part: int
    #: Modules on each side, without the quiet zone.
    side: int
    bits: str


class Film(msgspec.Struct, frozen=True):
    """Some frames in their order."""

    parts: int
    envelopes: int
    pictures: tuple[Picture, ...]


class _Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    #: Number of the newest envelope that a helper said a phone has.
    seen: int


class Carry:
    """The run that the present visit shows, and up to where phones have taken things along.

    A run is put together once a visit; what is confirmed or acknowledged meanwhile does not
    change it, so that the phone sees the same blocks until it has them.

    Args:
        database: The open store.
        directory: The kiosk's data folder, for the mark that outlives a restart.
    """

    def __init__(self, database: Database, directory: Path) -> None:
        self._database = database
        self._path = directory / FILE_NAME
        self._seen = self._read()
        self._visit = ""
        self._run: Run | None = None
        self._envelopes = 0
        self._newest = 0
        # Two requests of one page must not draw the same frames side by side.
        self._turn = asyncio.Lock()

    async def film(self, visit: str, first: int, count: int) -> Film:
        """Answer the frames of a visit's run from one on; none when nothing waits any more.

        Args:
            visit: Id of the visit whose screen shows them.
            first: Place of the first frame, from 0.
            count: How many, at most `CARRY_FRAMES_PER_FETCH`.
        """
        async with self._turn:
            if visit != self._visit:
                await self._begin(visit)
            run = self._run
            if run is None:
                return Film(parts=0, envelopes=0, pictures=())
            places = range(first, first + min(count, CARRY_FRAMES_PER_FETCH))
            pictures = await asyncio.to_thread(_drawn, run, places)
            return Film(parts=len(run.blocks), envelopes=self._envelopes, pictures=pictures)

    async def _begin(self, visit: str) -> None:
        load = await self._database.run(load_of, self._seen)
        blocks = blocks_of(load.envelopes)
        self._run = await asyncio.to_thread(Run, blocks) if blocks else None
        # The last ones may not fit this run.
        self._envelopes = sum(len(unpack(block)) for block in blocks)
        self._newest = max(load.seqs[: self._envelopes], default=0)
        self._visit = visit

    async def taken(self, visit: str) -> None:
        """Note that the helper says the phone has all of this visit's run.

        It only changes what is shown first the next time; nothing is settled by it.
        """
        if visit != self._visit or self._newest <= self._seen:
            return
        self._seen = self._newest
        # A full disk costs a longer film the next time, no more.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(
                write_whole, self._path, msgspec.json.encode(_Memory(self._seen))
            )

    def count(self, db: Tables) -> int:
        """Answer how many were carried and still wait for the centre's word."""
        return carried_count(db, self._seen) if self._seen else 0

    def _read(self) -> int:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Memory).seen
        except (OSError, *MALFORMED):
            return 0


def _drawn(run: Run, places: range) -> tuple[Picture, ...]:
    return tuple(
        picture(frame.part, frame_text(frame)) for frame in (run.frame(place) for place in places)
    )


def picture(part: int, digits: str) -> Picture:
    """Draw digits as a code of level M: about 4 ms on a desktop's core at version 12."""
    import qrcode  # noqa: PLC0415 -- 60 ms that the start need not pay
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415 -- as above

    # One mask for all, as on receipts: what is sealed looks like chance already.
    code: Any = qrcode.main.QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    code.add_data(digits, optimize=0)
    code.make(fit=True)
    rows = code.get_matrix()
    bits = "".join("1" if dark else "0" for row in rows for dark in row)
    size = -(-len(bits) // 8)
    raw = int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")
    return Picture(part=part, side=len(rows), bits=base64.b64encode(raw).decode())
