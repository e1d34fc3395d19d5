"""What a run is judged on: what was seen while it ran, and what lies on the disks now."""

import sqlite3
from random import Random
from typing import TYPE_CHECKING

import msgspec

from server.catalogue.shelf import Published, Shelf
from server.store.sqlite import connect
from server.vault import protocol
from server.vault.ledger import Ledger
from sync.answers import decode_transaction
from sync.errors import BianminError
from sync.records import Transaction
from sync.sealing import open_sealed
from sync.wire import decode_envelope, encode_header
from tests.simulation.centre import DATABASE, Centre
from tests.simulation.disk import SimDisk
from tests.simulation.history import Press

if TYPE_CHECKING:
    from tests.simulation.world import World

#: What an envelope may become when nothing is wrong with it.
COUNTED = frozenset({"case", "correction", "rating", "query"})


class Record:
    """What was seen while it ran."""

    def __init__(self) -> None:
        self.cases = 0
        #: Sealing keys of the centre: who opens with one of these opens for the centre.
        self.centre_keys: set[bytes] = set()
        #: The ledger while a question is before the vault, and its size when it was asked.
        self._ledger: Ledger | None = None
        self._asked_at = 0
        self.routes = 0
        #: Entry, case and actor of each answer that a person got.
        self.looks: list[tuple[int, str, str]] = []
        #: Sizes and roots that a witness wrote down.
        self.heads: list[tuple[int, str]] = []
        #: Envelopes that a person let pass.
        self.reviewed: set[bytes] = set()
        #: Kiosks that were revoked, and the envelopes that the centre held of them then.
        self.revoked: dict[bytes, set[bytes]] = {}
        #: Their attachments that the centre had begun to take then: number, place, digest.
        self.revoked_photos: dict[bytes, set[tuple[int, int, bytes]]] = {}
        #: Identities that two cards had, or one card twice.
        self.doubled: set[bytes] = set()
        #: Envelopes that no kiosk of ours made: forged ones, which may only end as dead letters.
        self.forged: set[bytes] = set()
        self.unrecorded: str = ""

    def asked(self, ledger: Ledger | None) -> None:
        """Note that a question comes before the vault, or (None) that it is answered."""
        self._ledger = ledger
        self._asked_at = _size(ledger) if ledger else 0

    def opened(self, public: bytes) -> None:
        """Note that somebody opens a seal; the vault must have written why before."""
        ledger = self._ledger
        if ledger and public in self.centre_keys and _size(ledger) <= self._asked_at:
            self.unrecorded = "an envelope was opened before the ledger said so"

    def vault_answered(self, request: protocol.Request, answer: protocol.Answer) -> None:
        """Note what left the vault."""
        match request, answer:
            case protocol.Route(), protocol.Routing(items=items) if items:
                self.routes += 1
            case protocol.Open(case_no=case_no, actor=actor), protocol.Opened(entry=entry):
                self.looks.append((entry, case_no, actor))
            case _:
                pass


def _size(ledger: Ledger) -> int:
    return int(ledger._conn.execute("SELECT count(*) FROM entries").fetchone()[0])


# --- what is looked at


class Held(msgspec.Struct):
    """One envelope at the centre, opened by the judge with the vault's own keys."""

    id: int
    kiosk_id: bytes
    seq: int
    fate: str
    raw: bytes
    #: None when it does not open or its form does not read it.
    transaction: Transaction | None


def held_envelopes(world: "World") -> list[Held]:
    """Answer all envelopes at the centre, opened."""
    conn = world.conn
    shelf = Shelf()
    rows = conn.execute("SELECT id, kiosk_id, seq, fate, raw FROM envelopes ORDER BY id")
    return [
        Held(
            id=row["id"],
            kiosk_id=bytes(row["kiosk_id"]),
            seq=row["seq"],
            fate=row["fate"],
            raw=bytes(row["raw"]),
            transaction=_opened(world, shelf, bytes(row["raw"])),
        )
        for row in rows.fetchall()
    ]


def _opened(world: "World", shelf: Shelf, raw: bytes) -> Transaction | None:
    envelope = decode_envelope(raw)
    private = world.centre.vault_keys.sealing.get(envelope.header.key_id)
    published: Published | None = shelf.fetch(world.conn, envelope.header.catalogue)
    if private is None or published is None:
        return None
    try:
        plain = open_sealed(private, encode_header(envelope.header), envelope.sealed)
        return decode_transaction(published.catalogue, published.dictionary, plain)
    except BianminError:
        return None


def is_on_card(card: SimDisk, raw: bytes) -> bool:
    """Answer whether these bytes would survive a power cut now."""
    inodes = dict.fromkeys(card._durable_names.values())
    return any(inode.durable.find(raw) >= 0 for inode in inodes)


def is_held_anywhere(world: "World", press: Press) -> bool:
    """Answer whether an envelope lies on any card in service, or durably at the centre."""
    cards = [kiosk.card for kiosk in world.kiosks if kiosk.is_in_service]
    return any(is_on_card(card, press.envelope) for card in (*cards, world.centre.disk))


def has_attachment(centre: Centre, sealed: bytes) -> bool:
    """Answer whether a centre holds a sealed attachment whole, be it on or off."""
    if centre.is_on:
        return _has_whole(centre.store._in_place, sealed)
    # On a copy, so that no fault that is due falls on the judge.
    conn = connect(DATABASE, readonly=True, disk=centre.disk.clone(Random(0)))
    is_whole = _has_whole(conn, sealed)
    conn.close()
    return is_whole


def _has_whole(conn: sqlite3.Connection | None, sealed: bytes) -> bool:
    assert conn is not None
    sql = "SELECT 1 FROM attachments WHERE sealed = ? AND completed_ms IS NOT NULL"
    return conn.execute(sql, (sealed,)).fetchone() is not None


def is_attachment_held(world: "World", sealed: bytes) -> bool:
    """Answer whether a sealed attachment is a row of any card or of the centre."""
    (count,) = world.conn.execute(
        "SELECT count(*) FROM attachments WHERE sealed = ?", (sealed,)
    ).fetchone()
    for kiosk in world.kiosks:
        if kiosk.database is None:
            count += is_on_card(kiosk.card, sealed)
        else:
            sql = "SELECT count(*) FROM attachment WHERE sealed = ?"
            count += kiosk.database.conn.execute(sql, (sealed,)).fetchone()[0]
    return bool(count > 0)
