"""The promises about who sees what: theft, the ledger, and what must never lie in the clear."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from server.vault.ledger import Ledger
from server.vault.merkle import Frontier
from tests.simulation.evidence import COUNTED, Held
from tests.simulation.history import Broken

if TYPE_CHECKING:
    from tests.simulation.world import World


def revoked_makes_no_case_without_review(world: "World", held: list[Held]) -> None:
    """I14: what a revoked kiosk sends becomes a case only when a person lets it pass."""
    for item in held:
        before = world.record.revoked.get(item.kiosk_id)
        if before is None or item.raw in before or item.fate not in COUNTED:
            continue
        if item.raw not in world.record.reviewed:
            raise Broken(f"revoked_makes_no_case_without_review: envelope {item.id}")
    for item in held:
        if item.fate == "quarantined" and item.raw in world.record.reviewed:
            raise Broken(f"revoked_makes_no_case_without_review: {item.id} was accepted in vain")
    accepted = {(item.kiosk_id, item.seq) for item in held if item.raw in world.record.reviewed}
    rows = world.conn.execute("SELECT kiosk_id, seq, idx, digest FROM attachments").fetchall()
    for kiosk_id, seq, index, digest in rows:
        before_photos = world.record.revoked_photos.get(kiosk_id)
        is_new = before_photos is not None and (seq, index, digest) not in before_photos
        if is_new and (kiosk_id, seq) not in accepted:
            raise Broken(f"revoked_makes_no_case_without_review: a photo of number {seq}")


def audit_matches_openings(world: "World") -> None:
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


PAGE_BYTES = 4096
WAL_HEAD_BYTES, FRAME_HEAD_BYTES = 32, 24
WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
WINDOW_BYTES = 256  # of a page; 128 to 512 cost about the same, whole pages three times as much


def _has_none(name: str, pieces: Iterable[bytes], words: Collection[bytes]) -> None:
    # Most pages lie there many times: in the file, in its log, and as they were before. Of two
    # states of a page most is the same, so each is looked at in windows, every one once. They
    # overlap by as much as a word may stick out.
    pages = dict.fromkeys(page for piece in dict.fromkeys(pieces) for page in _pages(piece))
    seen = WINDOW_BYTES + max(map(len, words), default=1) - 1
    windows = dict.fromkeys(
        page[at : at + seen] for page in pages for at in range(0, len(page), WINDOW_BYTES)
    )
    whole = b"\0".join(windows)
    if word := _seen(whole, words):
        raise Broken(f"no_clear_personal_data: {len(word)} secret bytes lie at {name}")


def _pages(piece: bytes) -> Iterable[bytes]:
    """Answer the pages of a SQLite file or log; whatever else it is, the whole.

    What SQLite stores never goes on from the end of one page to the start of the next in the
    file: each begins with a head or with the number of another page.
    """
    if piece[:4] in WAL_MAGIC:
        step, first = FRAME_HEAD_BYTES + PAGE_BYTES, WAL_HEAD_BYTES
        return [piece[at + FRAME_HEAD_BYTES : at + step] for at in range(first, len(piece), step)]
    if piece[:15] == b"SQLite format 3":
        return [piece[at : at + PAGE_BYTES] for at in range(0, len(piece), PAGE_BYTES)]
    return [piece]


def _seen(whole: bytes, words: Iterable[bytes]) -> bytes | None:
    return next((word for word in words if word in whole), None)
