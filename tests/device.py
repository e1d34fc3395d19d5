"""A kiosk without its screen: the store, the keys and the agent of a real one, in this process.

It opens a kiosk's folder while the kiosk itself is down (the store allows one program), so that
tests can put confirmed transactions into the queue without touching a hundred screens each.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Self

from bianmin.village import KIOSK_VILLAGE, Village
from sync import catalogues, outbox
from sync.agent import Agent
from sync.answers import encode_transaction
from sync.clock import SystemClock, SystemEntropy
from sync.database import Database, immediate, open_database
from sync.device import load_identity, load_keys
from sync.enrolling import enrol
from sync.ids import uuid7
from sync.records import Attachment, Health, Receipt, Transaction
from sync.transports import Link
from sync.transports.http import HttpLink
from tests.generator import transactions

#: Name of the store in a kiosk's folder (kiosk/settings.py).
STORE_NAME = "kiosk.db"
_RUNS = count(1)


class Device:
    """An enrolled kiosk's folder, open in this process."""

    def __init__(self, directory: Path) -> None:
        self.keys = load_keys(directory)
        self.identity = load_identity(directory)
        self.database: Database = open_database(
            directory / STORE_NAME, device_public=self.keys.sign_public
        )
        self.clock = SystemClock()
        self.entropy = SystemEntropy()

    @classmethod
    async def enrolled(
        cls, village: Village, directory: Path, *, name: str = "", village_code: str = KIOSK_VILLAGE
    ) -> Self:
        """Enrol one more kiosk at a village's running centre, past the link."""
        name = name or f"试验点{next(_RUNS)}"
        said = await village.run("centre", "code", "--name", name, "--village", village_code)
        async with HttpLink(village.centre_url) as link:
            await enrol(link, directory, said.split()[-1], entropy=SystemEntropy())
        return cls(directory)

    def agent(self, link: Link, *, disk_free_mb: int = 9000) -> Agent:
        """The carrier of this kiosk over some link."""
        health = Health(version="0.1.0", pending=0, oldest_s=0, disk_free_mb=disk_free_mb)
        return Agent(
            self.database,
            link,
            self.keys,
            self.identity,
            self.clock,
            self.entropy,
            lambda: health,
        )

    def submit(
        self,
        number: int,
        *,
        seed: int,
        has_attachments: bool = True,
        age_ms: int = 0,
        photo_bytes: int = 0,
    ) -> list[Receipt]:
        """Confirm that many made-up transactions, each in a commit of its own, as residents do.

        Without attachments only the answers are queued, for measurements of envelopes alone.
        With `photo_bytes` each has one photo of that size, whatever its form asks for.
        """
        loaded = catalogues.load_current(self.database.conn)
        assert loaded is not None, "the kiosk has no catalogue yet"
        receipts = []
        # A rating or a query names a case; made-up ones name cases that nobody has.
        about_cases = {
            service.id
            for service in loaded.catalogue.services
            if any(question.type == "case_no" for question in service.questions)
        }
        wanted = (
            item
            for item in transactions(loaded.catalogue, seed)
            if item[0].service not in about_cases
        )
        for made, attachments in islice(wanted, number):
            transaction = self._fresh(made)
            carried = attachments if has_attachments else ()
            if photo_bytes:
                content = random.Random(f"{seed} {transaction.id.hex()}").randbytes(photo_bytes)
                carried = (Attachment("photo", 0, "image/jpeg", content),)
            body = encode_transaction(loaded.catalogue, loaded.dictionary, transaction)
            with immediate(self.database.conn) as db:
                receipt = outbox.submit(
                    db,
                    keys=self.keys,
                    sealing=loaded.sealing,
                    catalogue_version=loaded.version,
                    body=body,
                    attachments=carried,
                    transaction_id=transaction.id,
                    service=transaction.service,
                    kiosk_no=self.identity.kiosk_no,
                    now_ms=self.clock.now_ms() - age_ms,
                )
            receipts.append(receipt)
        return receipts

    def _fresh(self, made: Transaction) -> Transaction:
        # The generator's ids repeat with its seed; the centre remembers ids for ever. What it
        # says to correct belongs to nobody, so it is sent as a new matter.
        return Transaction(
            id=uuid7(self.clock.now_ms(), self.entropy),
            service=made.service,
            language=made.language,
            answers=made.answers,
            helper=made.helper,
        )

    def waiting(self) -> outbox.Waiting:
        """What has not been delivered yet."""
        return outbox.waiting(self.database.conn)

    def close(self) -> None:
        """Let the kiosk itself have its folder again."""
        self.database.close()


@contextmanager
def opened(directory: Path) -> Iterator[Device]:
    """Open a kiosk's folder while the block runs; the kiosk must be down."""
    device = Device(directory)
    try:
        yield device
    finally:
        device.close()
