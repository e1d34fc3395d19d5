"""What a phone is shown of the outbox: sealed, oldest first, what is new before the rest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database as Tables

from sync import outbox
from sync.clock import SeededEntropy
from sync.database import Database, immediate, open_database
from sync.film import carried_count, load_of
from sync.limits import CARRY_ENVELOPES_MAX, CARRY_PARTS_MAX
from sync.sealing import SealingPublic, generate_sealing_key
from sync.signing import DeviceKeys, verify
from sync.wire import decode_courier, envelope_bytes

KEYS = DeviceKeys.generate(SeededEntropy(3))
SEALING = SealingPublic(1, generate_sealing_key(SeededEntropy(4))[1])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "kiosk.db", ballast_bytes=64 * 1024)
    yield opened
    opened.close()


def confirmed(database: Database, count: int, first: int = 1) -> None:
    with immediate(database.conn) as db:
        for number in range(first, first + count):
            outbox.submit(
                db,
                keys=KEYS,
                sealing=SEALING,
                catalogue_version=1,
                body=number.to_bytes(16, "big") + bytes(80),
                attachments=(),
                transaction_id=number.to_bytes(16, "big"),
                service="suggestion",
                kiosk_no=42,
                now_ms=1_795_500_000_000 + number,
            )


def settle(db: Tables, seq: int) -> None:
    with immediate(db) as tables:
        tables.conn.execute("UPDATE outbox SET state = 'settled' WHERE seq = ?", (seq,))


def test_what_waits_is_shown_oldest_first_each_signed_to_travel_alone(database: Database) -> None:
    confirmed(database, 3)

    load = load_of(database.conn, seen=0)

    assert load.seqs == (1, 2, 3)
    for raw, seq in zip(load.envelopes, load.seqs, strict=True):
        envelope, signature = decode_courier(raw)
        verify(KEYS.sign_public, "envelope", envelope_bytes(envelope), signature)
        assert envelope.header.seq == seq


def test_what_no_phone_has_seen_comes_first_and_the_rest_is_shown_again(database: Database) -> None:
    confirmed(database, 5)

    assert load_of(database.conn, seen=3).seqs == (4, 5, 1, 2, 3)
    assert carried_count(database.conn, seen=3) == 3


def test_what_the_centre_has_is_not_shown(database: Database) -> None:
    confirmed(database, 3)
    settle(database.conn, 2)

    assert load_of(database.conn, seen=0).seqs == (1, 3)
    assert carried_count(database.conn, seen=3) == 2


def test_what_rotted_on_the_disk_is_not_shown(database: Database) -> None:
    confirmed(database, 2)
    with immediate(database.conn) as db:
        db.conn.execute(
            "UPDATE outbox SET envelope = CAST(envelope || x'00' AS BLOB) WHERE seq = 1"
        )

    assert load_of(database.conn, seen=0).seqs == (2,)


def test_a_long_backlog_is_read_up_to_what_one_run_shows(database: Database) -> None:
    most = CARRY_ENVELOPES_MAX * CARRY_PARTS_MAX
    confirmed(database, most + 20)

    assert load_of(database.conn, seen=0).seqs == tuple(range(1, most + 1))
