"""Attachments that travel alone: resumed at any byte, after the envelopes, asked for once."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import outbox
from sync.limits import UPLOAD_BYTES_MIN
from sync.transports.memory import Fault
from tests.unit.sync.roads import UploadCentre, UploadLink
from tests.unit.sync.test_agent import Kiosk

PHOTO_BYTES = 60_000


class Carrier(Kiosk):
    """A kiosk whose link takes uploads."""

    centre: UploadCentre

    def __init__(
        self,
        directory: Path,
        breaks: list[int | None] | None = None,
        faults: list[Fault] | None = None,
    ) -> None:
        super().__init__(directory)
        self.centre = UploadCentre()
        self.centre.clock_ms = self.clock.now_ms
        self.identity = self.centre.enrolled(self.keys)
        self.uploads = UploadLink(self.centre, breaks or [], faults=faults or [], clock=self.clock)
        self.link = self.uploads
        self.agent = self.new_agent()

    def is_whole(self) -> bool:
        rows = self.database.conn.conn.execute("SELECT seq, place, sealed FROM attachment")
        sealed = {(row[0], row[1]): row[2] for row in rows}
        return sealed == {place[1:]: raw for place, raw in self.centre.attachments.items()}


async def burst(kiosk: Carrier, seconds: float = 3000.0) -> None:
    """Let the loop run until nothing waits, or that much made-up time is over."""
    running = asyncio.ensure_future(kiosk.agent.run())
    until_ms = kiosk.clock.monotonic_ms() + int(seconds * 1000)
    while kiosk.clock.monotonic_ms() < until_ms:
        await asyncio.sleep(0)
        waiting = outbox.waiting(kiosk.database.conn)
        if not (waiting.count or waiting.attachments):
            break
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_photo_goes_whole_after_its_envelope(tmp_path: Path) -> None:
    kiosk = Carrier(tmp_path)
    kiosk.submit(1, PHOTO_BYTES)

    await burst(kiosk)

    assert kiosk.is_whole()
    assert [chunk.offset for chunk in kiosk.uploads.uploads] == [0]
    assert kiosk.uploads.upload_bytes < PHOTO_BYTES + 400


async def test_broken_upload_goes_on_at_the_very_byte(tmp_path: Path) -> None:
    """Row 70: three cuts cost three frames and three questions, not a byte of the photo."""
    kiosk = Carrier(tmp_path, breaks=[20_001, 13_339, 7])
    kiosk.submit(1, PHOTO_BYTES)

    # A break within the frame itself is no upload at all.
    kiosk.uploads._breaks = iter([20_001, 13_339, 9_999])
    await burst(kiosk)

    offsets = [chunk.offset for chunk in kiosk.uploads.uploads]
    assert kiosk.is_whole()
    assert len(offsets) == 4
    assert offsets == sorted(offsets)
    cost = kiosk.uploads.up_bytes + kiosk.uploads.down_bytes + kiosk.uploads.upload_bytes
    assert cost < 1.05 * PHOTO_BYTES


@given(breaks=st.lists(st.integers(300, 9_000), max_size=6), restarts=st.integers(0, 2))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_upload_survives_any_breaks_and_restarts(
    breaks: list[int], restarts: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kiosk = Carrier(tmp_path_factory.mktemp("kiosk"), list(breaks))
    kiosk.submit(1, 30_000, 700)

    async def story() -> None:
        for _ in range(restarts):
            await burst(kiosk, seconds=2)
            kiosk.restart()
        await burst(kiosk)

    try:
        asyncio.run(story())

        assert kiosk.is_whole()
        assert kiosk.uploads.upload_bytes < 31_000 + 400 * (len(breaks) + restarts + 2)
    finally:
        kiosk.database.close()


async def test_application_goes_between_two_pieces(tmp_path: Path) -> None:
    kiosk = Carrier(tmp_path)
    kiosk.submit(1, PHOTO_BYTES)
    at_byte: list[int] = []

    def on_piece(size_bytes: int) -> None:
        if size_bytes > 20_000 and len(kiosk.centre.envelopes) == 1:
            if not outbox.waiting(kiosk.database.conn).count:
                kiosk.submit(2)
                kiosk.agent.poke()
            at_byte.append(size_bytes)

    kiosk.uploads._on_piece = on_piece

    await burst(kiosk)

    assert kiosk.is_whole()
    # At most the piece that was being handed over went before it.
    assert (len(kiosk.uploads.uploads), len(at_byte) <= 2) == (1, True)


async def test_small_ones_ride_in_frames(tmp_path: Path) -> None:
    kiosk = Carrier(tmp_path)
    kiosk.submit(1, UPLOAD_BYTES_MIN - 200, 500)

    await burst(kiosk)

    assert (kiosk.is_whole(), kiosk.uploads.uploads) == (True, [])


async def test_centre_of_before_uploads_gets_all_in_frames(tmp_path: Path) -> None:
    kiosk = Carrier(tmp_path)
    kiosk.uploads.takes_uploads = False
    kiosk.submit(1, 20_000)

    await burst(kiosk)

    assert (kiosk.is_whole(), kiosk.uploads.uploads) == (True, [])


async def test_attachment_that_the_centre_does_not_take_holds_up_no_other(tmp_path: Path) -> None:
    kiosk = Carrier(tmp_path)
    kiosk.submit(1, 10_000)
    kiosk.submit(2, 20_000)
    keep = kiosk.centre.keep

    def picky(body: bytes) -> bytes:
        frame = keep(body)
        for place in [place for place in kiosk.centre.attachments if place[1] == 1]:
            kiosk.centre.attachments[place] = b""
        return frame

    kiosk.centre.keep = picky  # type: ignore[method-assign]  # a second content of one place

    await burst(kiosk, seconds=200)

    held = {place[1]: len(raw) for place, raw in kiosk.centre.attachments.items()}
    assert (held[1], held[2] > 20_000) == (0, True)
    # Tried once a burst, not again and again within it.
    assert len([chunk for chunk in kiosk.uploads.uploads if chunk.seq == 1]) <= 3


async def test_restart_asks_before_it_sends(tmp_path: Path) -> None:
    kiosk = Carrier(tmp_path, breaks=[30_000])
    kiosk.submit(1, PHOTO_BYTES)
    await burst(kiosk, seconds=1)
    kiosk.restart()

    await burst(kiosk)

    assert kiosk.is_whole()
    assert kiosk.uploads.upload_bytes < PHOTO_BYTES + 800


async def test_refilled_centre_is_sent_its_photos_again(tmp_path: Path) -> None:
    kiosk = Carrier(tmp_path)
    kiosk.submit(1, 20_000)
    await burst(kiosk)
    kiosk.centre.envelopes.clear()
    kiosk.centre.attachments.clear()
    kiosk.centre.epoch += 1

    await kiosk.agent.exchange_once()
    await burst(kiosk)

    assert (kiosk.is_whole(), kiosk.centre.transaction_count()) == (True, 1)
