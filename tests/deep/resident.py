"""A kiosk that lives for moments: forked from a warm process, killed at any instruction.

Started as `python -m tests.deep.resident KIOSK_FOLDER CENTRE_URL SEED`. Each line on standard
input begins one life: a press that the life before may have left open ("-" for none). A life says
on standard output `life PID`, then `press ID` before it confirms and `receipt ID CASE_NO` once the
commit returned, as a resident would hear it. Production code only: store, outbox, agent, HTTP.
"""

import asyncio
import os
import sys
from itertools import islice
from pathlib import Path
from random import Random

from sync import outbox
from sync.answers import encode_transaction
from sync.catalogues import Loaded, load_current
from sync.database import StorageFailed
from sync.ids import uuid7
from sync.records import Transaction
from sync.transports.http import HttpLink
from tests.device import Device
from tests.generator import transactions

PRESS_PAUSE_S = 0.03


def say(*words: str) -> None:
    os.write(1, (" ".join(words) + "\n").encode())


def made_up(loaded: Loaded, seed: int, transaction_id: bytes) -> tuple[Transaction, bytes]:
    """One matter of a service that names no other case, under the id of this press."""
    about = {
        service.id
        for service in loaded.catalogue.services
        if any(question.type == "case_no" for question in service.questions)
    }
    made = next(
        item
        for item, _ in islice(transactions(loaded.catalogue, seed), 50)
        if item.service not in about
    )
    transaction = Transaction(
        id=transaction_id,
        service=made.service,
        language=made.language,
        answers=made.answers,
        helper=made.helper,
    )
    return transaction, encode_transaction(loaded.catalogue, loaded.dictionary, transaction)


async def press(device: Device, transaction_id: bytes, seed: int) -> None:
    """Confirm once: look the id up first, as the kiosk does after a power cut."""
    held = await device.database.run(outbox.receipt_of, transaction_id)
    if held is None:
        loaded = await device.database.run(load_current)
        assert loaded is not None
        transaction, body = made_up(loaded, seed, transaction_id)
        held = await device.database.write(
            outbox.submit,
            keys=device.keys,
            sealing=loaded.sealing,
            catalogue_version=loaded.version,
            body=body,
            attachments=(),
            transaction_id=transaction.id,
            service=transaction.service,
            kiosk_no=device.identity.kiosk_no,
            now_ms=device.clock.now_ms(),
        )
    say("receipt", transaction_id.hex(), held.case_no)


async def live(directory: Path, url: str, seed: int, left_open: str) -> None:
    random = Random(seed)
    device = Device(directory)
    async with HttpLink(url) as link:
        agent = device.agent(link)
        carrying = asyncio.ensure_future(agent.run())
        if left_open != "-":
            await press(device, bytes.fromhex(left_open), seed)
        while True:
            transaction_id = uuid7(device.clock.now_ms(), device.entropy)
            say("press", transaction_id.hex())
            try:
                await press(device, transaction_id, random.randrange(10**6))
            except StorageFailed:
                say("refused", transaction_id.hex())
            agent.poke()
            await asyncio.sleep(random.uniform(0, PRESS_PAUSE_S))
            if carrying.done():
                carrying.result()


def main() -> None:
    directory, url, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for life, line in enumerate(sys.stdin):
        pid = os.fork()
        if not pid:
            say("life", str(os.getpid()))
            asyncio.run(live(directory, url, seed * 100_000 + life, line.strip()))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        say("over", str(status))


if __name__ == "__main__":
    main()
