"""The promises, each a function whose name says it; docs/guarantees.md points here.

They compare what residents were told (`History`) with what lies on the disks, and raise `Broken`
with the case number, never with content. Numbers I1 to I14: research/sync-reliability-security.md
section 4.2. Those about who sees what are in `secrecy`.
"""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from sync import outbox, standing
from sync.errors import BianminError
from sync.ids import is_case_number
from sync.notices import decode_notice, encode_notice, notice_digest
from sync.sealing import attachment_key_id, open_attachment, open_notice
from tests.simulation.evidence import (
    COUNTED,
    Held,
    has_attachment,
    held_envelopes,
    is_held_anywhere,
    is_on_card,
)
from tests.simulation.history import Broken, Press
from tests.simulation.kiosk import Kiosk
from tests.simulation.secrecy import (
    audit_matches_openings,
    no_clear_personal_data,
    revoked_makes_no_case_without_review,
)

if TYPE_CHECKING:
    from tests.simulation.world import World


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


def attachment_leaves_when_it_arrived(
    world: "World", kiosk: Kiosk, state: str, sealed: bytes, epoch: int
) -> None:
    """A card lets go of an attachment only when its centre holds it whole.

    Forgiven is what no kiosk can know: the centre that said so was restored from a backup, or
    answers beside the restored one, and the kiosk has not heard of the new epoch (N3).
    """
    found = [p for p in world.history.presses.values() if sealed in p.sealed]
    if kiosk.keys.kiosk_id in world.record.revoked or not found:
        return
    if state != "settled":
        raise Broken(f"attachments_are_whole: {found[0].case_no} leaves {kiosk.name} undelivered")
    if has_attachment(world.centre, sealed):
        return
    old = world.old_centre
    was_held = sealed in world.lost_photos or (old is not None and has_attachment(old, sealed))
    if not was_held or (epoch == world.epoch and not world.is_epoch_due):
        raise Broken(f"attachments_are_whole: {found[0].case_no} leaves {kiosk.name} too early")
    for press in found:
        press.gone_places.add(press.sealed.index(sealed))


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
    audit_matches_openings(world)
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
        if item.raw in world.record.forged and item.fate not in ("dead", "quarantined"):
            raise Broken(f"unaltered: envelope {item.id} was forged, and is a {item.fate}")
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
    (strays,) = world.conn.execute(
        "SELECT count(*) FROM attachments a WHERE NOT EXISTS "
        "(SELECT 1 FROM envelopes e WHERE e.kiosk_id = a.kiosk_id AND e.seq = a.seq)"
    ).fetchone()
    if strays:
        raise Broken(f"attachments_are_whole: {strays} have no transaction")
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
        for kiosk in world.kiosks:
            is_meant = kiosk.keys.kiosk_id.hex() == row.kiosk_id.lower() and kiosk.is_in_service
            if not is_meant or kiosk.database is None or kiosk.is_doubted:
                continue
            if (own := outbox.head(kiosk.database.conn)[0]) != row.head_seq:
                raise Broken(f"gaps_are_seen: {kiosk.name} is at {own}, not at {row.head_seq}")


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
    """I8: each case was told of; a kiosk holds each notice of the centre once, none unread, none
    beyond its cursor."""
    untold = world.conn.execute(
        "SELECT case_no FROM cases c WHERE NOT EXISTS (SELECT 1 FROM notices n "
        "WHERE n.kiosk_id = c.kiosk_id AND n.case_no = c.case_no)"
    ).fetchall()
    # Of two cases with one number only one can be told.
    if any(is_case_number(case_no) for (case_no,) in untold):
        raise Broken(f"notices_once_and_in_order: {len(untold)} cases were never told of")
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
        told = [
            encode_notice(decode_notice(bytes(raw), 0))
            for (raw,) in db.conn.execute("SELECT raw FROM notice").fetchall()
        ]
        if len(set(told)) != len(told):
            raise Broken(f"notices_once_and_in_order: {kiosk.name} says one twice")
        held = {row[2] for row in rows}
        for row in world.conn.execute(
            "SELECT number, sealed FROM notices WHERE kiosk_id = ?", (kiosk.keys.kiosk_id,)
        ).fetchall():
            raw = open_notice(kiosk.keys.notice_private, row["number"], bytes(row["sealed"]))
            if notice_digest(decode_notice(raw, row["number"])) not in held:
                raise Broken(f"notices_once_and_in_order: {kiosk.name} lacks {row['number']}")


def letters_come_back_by_themselves(world: "World") -> None:
    """I6: before anybody looks, no letter lies there whose case or catalogue has come."""
    (count,) = world.conn.execute(
        "SELECT count(*) FROM dead_letters d JOIN envelopes e ON e.id = d.envelope_id "
        "WHERE e.fate = 'dead' AND ("
        "EXISTS (SELECT 1 FROM cases WHERE d.awaits = 'case:' || case_no)"
        " OR EXISTS (SELECT 1 FROM catalogues WHERE d.awaits = 'catalogue:' || version))"
    ).fetchone()
    if count:
        raise Broken(f"letters_come_back_by_themselves: {count} await what is there")


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
