"""The promises, each a function whose name says it; docs/guarantees.md points here.

They compare what residents were told (`History`) with what lies on the disks, and raise `Broken`
with the case number, never with content. Numbers I1 to I14: research/sync-reliability-security.md
section 4.2.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from server.catalogue.shelf import Published, Shelf
from server.vault import protocol
from server.vault.ledger import Ledger
from server.vault.merkle import Frontier
from sync import outbox, standing
from sync.answers import decode_transaction
from sync.errors import BianminError
from sync.notices import decode_notice, notice_digest
from sync.records import Transaction
from sync.sealing import attachment_key_id, open_attachment, open_notice, open_sealed
from sync.wire import decode_envelope, encode_header
from tests.simulation.disk import SimDisk
from tests.simulation.history import Broken, Press
from tests.simulation.kiosk import Kiosk

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


# --- while it runs


def receipt_is_durable(world: "World", press: Press, kiosk: Kiosk) -> None:
    """I2: no number is shown before a power cut would leave its envelope on the card."""
    if not is_on_card(kiosk.card, press.envelope):
        raise Broken(f"receipt_is_durable: {press.case_no} was shown before it was on the card")


def settled_is_held(world: "World", kiosk: Kiosk) -> None:
    """I3: what a kiosk takes for delivered lies durably at a centre, hash by hash."""
    if kiosk.database is None:
        return
    rows = kiosk.database.conn.execute(
        "SELECT seq, envelope FROM outbox WHERE state = 'settled'"
    ).fetchall()
    centres = [centre.disk for centre in (world.centre, world.old_centre) if centre is not None]
    for seq, envelope in rows:
        if envelope in kiosk.settled:
            continue
        if any(is_on_card(disk, envelope) for disk in centres) or envelope in world.lost_in_restore:
            kiosk.settled.add(envelope)
        else:
            raise Broken(f"settled_is_held: {kiosk.name} took number {seq} for delivered")


def no_receipted_transaction_is_lost(world: "World") -> None:
    """I1: at every moment each promise lies on a card or at the centre, durably."""
    for press in world.history.receipted():
        if not press.is_destroyed and not is_held_anywhere(world, press):
            raise Broken(f"no_receipted_transaction_is_lost: {press.case_no} of {press.kiosk}")


# --- at the end


def left_to_do(world: "World") -> str:
    """Answer what has not arrived yet; "" when all has."""
    for kiosk in world.kiosks:
        if not kiosk.is_in_service:
            continue
        if not kiosk.is_on or kiosk.database is None:
            return f"{kiosk.name} is down"
        waiting = outbox.waiting(kiosk.database.conn)
        if waiting.count:
            return f"{kiosk.name} holds {waiting.count} transactions"
        if waiting.attachments and kiosk.keys.kiosk_id not in world.record.revoked:
            return f"{kiosk.name} holds {waiting.attachments} attachments"
        if not _has_all_notices(world, kiosk):
            return f"{kiosk.name} was not told everything"
    if not world.centre.is_on:
        return "the centre is down"
    (count,) = world.conn.execute(
        "SELECT count(*) FROM envelopes WHERE fate = 'waiting'"
    ).fetchone()
    return f"{count} envelopes wait for the pipeline" if count else ""


def _has_all_notices(world: "World", kiosk: Kiosk) -> bool:
    if kiosk.database is None or not world.centre.is_on:
        return False
    (newest,) = world.conn.execute(
        "SELECT coalesce(max(number), 0) FROM notices WHERE kiosk_id = ?", (kiosk.keys.kiosk_id,)
    ).fetchone()
    return standing.standing_of(kiosk.database.conn).cursor >= int(newest)


async def at_the_end(world: "World") -> None:
    """Judge a healed world."""
    held = held_envelopes(world)
    world.record.cases = world.conn.execute("SELECT count(*) FROM cases").fetchone()[0]
    no_receipted_transaction_is_lost(world)
    everything_arrives_after_healing(world, held)
    counted_once(world, held)
    unaltered(world, held)
    attachments_are_whole(world, held)
    order_is_kept(world)
    gaps_are_seen(world)
    forks_are_declared_only_when_there_were_two(world)
    notices_once_and_in_order(world)
    every_dead_letter_can_be_replayed(world, held)
    revoked_makes_no_case_without_review(world, held)
    await audit_matches_openings(world)
    no_clear_personal_data(world)


def everything_arrives_after_healing(world: "World", held: list[Held]) -> None:
    """I12: once nothing fails, each promise is at the centre and has become what it should."""
    by_raw = {item.raw: item for item in held}
    for press in world.history.receipted():
        if press.is_destroyed:
            continue
        item = by_raw.get(press.envelope)
        if item is None:
            raise Broken(f"everything_arrives_after_healing: {press.case_no} is not there")
        is_quarantine = item.fate == "quarantined" and item.kiosk_id in world.record.revoked
        if press.is_poisoned:
            if item.fate not in ("dead", "quarantined"):
                raise Broken(f"everything_arrives_after_healing: poison became {item.fate}")
        elif item.fate not in COUNTED and not is_quarantine and not _may_lie(world, press):
            why = _why(world, item)
            raise Broken(
                f"everything_arrives_after_healing: {press.case_no} is {item.fate} ({why})"
            )


def _may_lie(world: "World", press: Press) -> bool:
    """Answer whether a correction or rating has nothing to belong to any more.

    After a fork two matters bear one number, and which of them it names is for a person to say.
    """
    target = press.transaction.corrects or press.transaction.answers.get("case_no", "")
    known = world.conn.execute("SELECT 1 FROM cases WHERE case_no = ?", (target,)).fetchone()
    return bool(target) and (known is None or press.is_doubted)


def _why(world: "World", item: Held) -> str:
    row = world.conn.execute(
        "SELECT reason, detail_code, awaits, tries FROM dead_letters WHERE envelope_id = ?",
        (item.id,),
    ).fetchone()
    return "no reason is kept" if row is None else " ".join(map(str, row))


def counted_once(world: "World", held: list[Held]) -> None:
    """I4, I6: one confirmation makes at most one case; what was given up makes none."""
    counts = Counter(
        item.transaction.id for item in held if item.transaction and item.fate in COUNTED
    )
    for transaction_id, count in counts.items():
        press = world.press_of(transaction_id)
        if press is None:
            raise Broken("counted_once: a case was made that nobody confirmed")
        if count > 1:
            raise Broken(f"counted_once: {press.case_no} became {count} cases")
        if press.state == "gone":
            raise Broken(f"counted_once: {press.case_no} was given up and made anew, yet it came")
        if press.state == "failed" and press.is_surely_absent and not press.is_doubted:
            raise Broken(f"counted_once: {press.case_no} was told as not stored, yet it came")
    (rows,) = world.conn.execute(
        "SELECT count(*) FROM envelopes e LEFT JOIN cases c ON c.envelope_id = e.id "
        "WHERE (e.fate = 'case') != (c.case_no IS NOT NULL)"
    ).fetchone()
    if rows:
        raise Broken("counted_once: fates and cases do not agree")


def unaltered(world: "World", held: list[Held]) -> None:
    """I5: what the centre counts is to the byte what was sealed, and says what was confirmed."""
    for item in held:
        if item.fate not in COUNTED or item.transaction is None:
            if item.fate in COUNTED:
                raise Broken(f"unaltered: envelope {item.id} was counted but does not open")
            continue
        press = world.press_of(item.transaction.id)
        if press is None or press.envelope != item.raw:
            raise Broken(f"unaltered: envelope {item.id} is not what its kiosk sealed")
        if item.transaction != press.transaction:
            raise Broken(f"unaltered: {press.case_no} says something else at the centre")


def attachments_are_whole(world: "World", held: list[Held]) -> None:
    """Each photo that has arrived is the one that was taken, and all have arrived."""
    by_place = defaultdict(list)
    rows = world.conn.execute(
        "SELECT kiosk_id, seq, idx, sealed FROM attachments WHERE completed_ms IS NOT NULL"
    )
    for row in rows.fetchall():
        by_place[bytes(row["kiosk_id"]), row["seq"], row["idx"]].append(bytes(row["sealed"]))
    for item in held:
        press = world.press_of(item.transaction.id) if item.transaction else None
        if press is None or press.state != "receipted" or press.is_destroyed:
            continue
        if item.kiosk_id in world.record.revoked or press.envelope != item.raw:
            continue
        for attachment in press.attachments:
            sealed = by_place[item.kiosk_id, item.seq, attachment.index]
            found = [
                whole for whole in sealed if _is_attachment(world, item, attachment.index, whole)
            ]
            if not found and attachment.index not in press.gone_places:
                raise Broken(f"attachments_are_whole: {press.case_no} lacks {attachment.index}")


def _is_attachment(world: "World", item: Held, index: int, sealed: bytes) -> bool:
    assert item.transaction is not None
    press = world.history.presses[item.transaction.id]
    private = world.centre.vault_keys.sealing[attachment_key_id(sealed)]
    try:
        opened = open_attachment(private, item.raw, index, sealed)
    except BianminError:
        return False
    if opened != press.attachments[index]:
        raise Broken(f"attachments_are_whole: {press.case_no} has another's attachment")
    return True


def order_is_kept(world: "World") -> None:
    """Numbers at the centre rise as residents confirmed, each linked to the one before."""
    for kiosk in world.kiosks:
        if kiosk.keys.kiosk_id in world.record.doubled or kiosk.database is None:
            continue
        row = world.conn.execute(
            "SELECT mark_seq, mark_hash, state FROM kiosks WHERE kiosk_id = ?",
            (kiosk.keys.kiosk_id,),
        ).fetchone()
        head = outbox.head(kiosk.database.conn)
        if (row["mark_seq"], bytes(row["mark_hash"])) != (head[0], bytes(head[1])):
            raise Broken(
                f"order_is_kept: {kiosk.name} is at {head[0]}, the unbroken chain ends at {row[0]}"
            )
        mine = [p for p in world.history.presses.values() if p.kiosk_id == kiosk.keys.kiosk_id]
        seqs = [p.seq for p in mine if p.state == "receipted"]
        if seqs != sorted(set(seqs)):
            raise Broken(f"order_is_kept: {kiosk.name} gave its numbers in another order")


def gaps_are_seen(world: "World") -> None:
    """I7: the centre's count of missing numbers is the true one for every kiosk heard."""
    from server.store import fleet

    for row in fleet.kiosks(world.conn):
        (present,) = world.conn.execute(
            "SELECT count(DISTINCT seq) FROM envelopes WHERE kiosk_id = ? AND seq <= ?",
            (bytes.fromhex(row.kiosk_id), row.head_seq),
        ).fetchone()
        if row.missing_count != max(0, row.head_seq - present):
            raise Broken(f"gaps_are_seen: kiosk {row.kiosk_no} misses {row.missing_count}")
        if row.missing_count and bytes.fromhex(row.kiosk_id) not in world.record.doubled:
            raise Broken(f"gaps_are_seen: kiosk {row.kiosk_no} still misses {row.missing_count}")


def forks_are_declared_only_when_there_were_two(world: "World") -> None:
    """I10: a kiosk counts as forked only if two histories lived under its identity; two
    envelopes of one number that the centre holds are always declared."""
    rows = world.conn.execute("SELECT kiosk_id, kiosk_no, state, fork_seq FROM kiosks").fetchall()
    for row in rows:
        is_declared = row["fork_seq"] is not None or (
            row["state"] == "forked" and not _may_counters_mislead(world)
        )
        if is_declared and bytes(row["kiosk_id"]) not in world.record.doubled:
            raise Broken(f"forks_are_declared: kiosk {row['kiosk_no']} has one history only")
        (doubled,) = world.conn.execute(
            "SELECT count(*) - count(DISTINCT seq) FROM envelopes WHERE kiosk_id = ?",
            (row["kiosk_id"],),
        ).fetchone()
        if doubled and row["fork_seq"] is None:
            raise Broken(f"forks_are_declared: kiosk {row['kiosk_no']} has two histories")


def _may_counters_mislead(world: "World") -> bool:
    """Answer whether a straggler may look like an old image: a lower counter at a later time.

    It takes a request that arrives when its sender has long gone on, and a clock that was wrong
    or a centre that forgot (with a backup) which starts it had heard of.
    """
    has = world.plan.has
    is_late = any(has(f) for f in ("request_delayed", "request_twice", "replayed_request"))
    is_unsure = any(
        has(f)
        for f in ("clock_1970", "clock_jump", "clock_still", "centre_restored", "centre_clock")
    )
    return is_late and is_unsure


def notices_once_and_in_order(world: "World") -> None:
    """I8: a kiosk holds each notice of the centre once, none unread, none beyond its cursor."""
    for kiosk in world.kiosks:
        if not kiosk.is_in_service or kiosk.database is None:
            continue
        db = kiosk.database.conn
        if standing.standing_of(db).notices_unreadable:
            raise Broken(f"notices_once_and_in_order: {kiosk.name} could not read one")
        rows = db.conn.execute("SELECT epoch, number, digest FROM notice ORDER BY rowid").fetchall()
        if len({row[2] for row in rows}) != len(rows):
            raise Broken(f"notices_once_and_in_order: {kiosk.name} holds one twice")
        places = [(row[0], row[1]) for row in rows]
        if places != sorted(places):
            raise Broken(f"notices_once_and_in_order: {kiosk.name} took them in another order")
        held = {row[2] for row in rows}
        for row in world.conn.execute(
            "SELECT number, sealed FROM notices WHERE kiosk_id = ?", (kiosk.keys.kiosk_id,)
        ).fetchall():
            raw = open_notice(kiosk.keys.notice_private, row["number"], bytes(row["sealed"]))
            if notice_digest(decode_notice(raw, row["number"])) not in held:
                raise Broken(f"notices_once_and_in_order: {kiosk.name} lacks {row['number']}")


def every_dead_letter_can_be_replayed(world: "World", held: list[Held]) -> None:
    """I6: what is dead has a reason, was tried again when replayed, and nothing hangs between."""
    rows = world.conn.execute("SELECT * FROM dead_letters").fetchall()
    letters = {row["envelope_id"]: row for row in rows}
    reviewed = {row[0] for row in world.conn.execute("SELECT envelope_id FROM reviews").fetchall()}
    for item in held:
        is_left = item.fate == "dead" or (item.fate == "quarantined" and item.id not in reviewed)
        if is_left != (item.id in letters):
            raise Broken(f"every_dead_letter_can_be_replayed: envelope {item.id} is {item.fate}")
        if item.fate == "dead" and letters[item.id]["tries"] < 2 and item.id not in reviewed:
            raise Broken(f"every_dead_letter_can_be_replayed: envelope {item.id} was not tried")
    if any(not letter["reason"] for letter in letters.values()):
        raise Broken("every_dead_letter_can_be_replayed: one has no reason")


def revoked_makes_no_case_without_review(world: "World", held: list[Held]) -> None:
    """I14: what a revoked kiosk sends becomes a case only when a person lets it pass."""
    for item in held:
        before = world.record.revoked.get(item.kiosk_id)
        if before is None or item.raw in before or item.fate not in COUNTED:
            continue
        if item.raw not in world.record.reviewed:
            raise Broken(f"revoked_makes_no_case_without_review: envelope {item.id}")


async def audit_matches_openings(world: "World") -> None:
    """I11: the ledger follows from itself, from each head a witness saw, and names each look."""
    record = world.record
    if record.unrecorded:
        raise Broken(f"audit_matches_openings: {record.unrecorded}")
    ledger: Ledger | None = world.centre.ledger
    if ledger is None or not ledger.state(is_checked=True).is_intact:
        raise Broken("audit_matches_openings: the ledger does not follow from itself")
    rows = ledger._conn.execute("SELECT * FROM entries ORDER BY number").fetchall()
    for entry, case_no, actor in record.looks:
        row = rows[entry - 1] if entry <= len(rows) else None
        if row is None or (row["case_no"], row["actor"]) != (case_no, actor):
            said = "nothing" if row is None else f"{row['action']} {row['case_no']}"
            raise Broken(
                f"audit_matches_openings: the look at {case_no} is not entry {entry} of "
                f"{len(rows)}, which says {said}"
            )
    if sum(row["action"] == "route" for row in rows) < record.routes:
        raise Broken("audit_matches_openings: a batch was opened without an entry")
    frontier, roots = Frontier(), {0: Frontier().root().hex()}
    for row in rows:
        frontier.append(bytes.fromhex(row["hash"]))
        roots[frontier.size] = frontier.root().hex()
    if any(roots.get(size) != root for size, root in record.heads):
        raise Broken("audit_matches_openings: a head that a witness saw is no longer in it")


def no_clear_personal_data(world: "World") -> None:
    """I9: no answer lies in the clear on any card or disk, or went over any wire or into a log."""
    secrets = world.history.secrets
    every = [word for words in secrets.values() for word in words]
    for kiosk in world.kiosks:
        # What one kiosk heard never reaches another one, but as a seal over the wire.
        _has_none(kiosk.name, kiosk.card.contents(), secrets.get(kiosk.keys.kiosk_id, []))
    story = "\n".join(world.trace.lines).encode()
    for name, pieces in (
        ("the wire", world.network.wire),
        ("the sticks", [*world.seen_on_sticks, *_on_sticks(world)]),
        ("the story", [story]),
        ("the centre", world.centre.disk.contents()),
    ):
        _has_none(name, pieces, [*every, *world.history.words])


def _on_sticks(world: "World") -> list[bytes]:
    return [raw for stick in world.sticks.values() for raw in stick.files.values()]


def _has_none(name: str, pieces: Iterable[bytes], words: Iterable[bytes]) -> None:
    whole = b"\0".join(dict.fromkeys(pieces))
    if word := _seen(whole, words):
        raise Broken(f"no_clear_personal_data: {len(word)} secret bytes lie at {name}")


def _seen(whole: bytes, words: Iterable[bytes]) -> bytes | None:
    return next((word for word in words if word in whole), None)
