"""One exchange at the centre: a verified request in, its whole reply out, one commit between."""

import hashlib
import sqlite3

import msgspec

from server import ingest
from server.errors import KioskUnknown
from server.identity import CentreKeys
from server.settings import Settings
from server.store import attachments, catalogues, centre, fleet, inbox, notices
from server.store.fleet import KioskIdentityRow, Seen
from sync import frames, limits
from sync.duty import TOP_TAG
from sync.extensions import Extensions
from sync.frames import Flag, Reply, Request
from sync.octets import uvarint


class Load(msgspec.Struct, frozen=True):
    """How busy the centre is when it answers."""

    #: How full the queue of writes or how long the wait is, whatever is worse, 0 to 1.
    queue: float = 0.0
    #: Seconds that those who are there already take.
    away_s: int = 60


class Carried(msgspec.Struct, frozen=True):
    """A request that somebody carried here, hours or weeks after it was written.

    On the road requests overtake each other, and their clock stands still.
    """

    #: Notices up to this number are told by the replies before this one in the same file.
    notices_after: int = 0


class Taken(msgspec.Struct, frozen=True):
    """What an exchange left behind: the reply, and what others may want to know."""

    reply: Reply
    #: New envelopes; the pipeline is woken when there are any.
    stored: int
    #: Nothing newer was heard of this kiosk before.
    is_fresh: bool = False


def take(
    conn: sqlite3.Connection,
    settings: Settings,
    keys: CentreKeys,
    request: Request,
    *,
    request_hash: bytes,
    now_ms: int,
    load: Load,
    received_bytes: int = 0,
    sent_bytes: int = 0,
    carried: Carried | None = None,
) -> Taken:
    """Store what a verified request brings and answer the reply to sign.

    Runs inside the group commit: when the caller gets the answer, all that it acknowledges is on
    disk. The same request again stores nothing and moves nothing back.

    Args:
        conn: Connection.
        settings: Waiting time, sizes, durability.
        keys: For the certificate.
        request: Verified.
        request_hash: What the reply repeats, 16 bytes.
        now_ms: Centre's clock.
        load: How busy the centre is.
        received_bytes: Size of this request, to be counted.
        sent_bytes: Size of the reply before this one, to be counted.
        carried: Set when it did not come over a link.

    Raises:
        KioskUnknown: The kiosk vanished since its signature was checked.
    """
    kiosk = fleet.identity(conn, request.kiosk_id)
    if kiosk is None:
        raise KioskUnknown("this kiosk was never enrolled here; enrol it with a new code")
    fresh = _freshness(conn, kiosk, request, request_hash, carried)
    taken = inbox.take_envelopes(conn, kiosk, request.envelopes, carrier="exchange", now_ms=now_ms)
    head = (request.head_seq, request.head_hash)
    marks = attachments.take_chunks(conn, kiosk, request.chunks, head=head, now_ms=now_ms)
    _note(conn, kiosk, fresh, _seen(request, request_hash, kiosk, now_ms, carried), now_ms)
    fleet.add_bytes(conn, kiosk.kiosk_id, received=received_bytes, sent=sent_bytes)
    news = _news(conn, request, carried)
    version, manifest_hash = _catalogue(conn, request.catalogue)
    reply = Reply(
        request_hash=request_hash,
        kiosk_id=kiosk.kiosk_id,
        epoch=news.epoch,
        durability=settings.durability,
        centre_ms=now_ms,
        mark_seq=taken.chain.seq,
        mark_hash=taken.chain.hash,
        verdicts=taken.verdicts,
        chunk_marks=marks,
        bytes_max=settings.bytes_max,
        retry_after_s=_retry_after_s(settings, request, load, has_more=news.has_more),
        flags=_flags(kiosk, load, is_forked=taken.is_forked or fresh.is_old_image),
        notices=news.notices,
        certificate=None if request.certificate == keys.certificate.serial else keys.certificate,
        catalogue_version=version,
        manifest_hash=manifest_hash,
        extensions=_top(conn, request),
    )
    return Taken(reply=reply, stored=taken.stored, is_fresh=fresh.is_fresh)


def _note(
    conn: sqlite3.Connection,
    kiosk: KioskIdentityRow,
    fresh: ingest.Freshness,
    seen: Seen,
    now_ms: int,
) -> None:
    if fresh.is_old_image:
        fleet.mark_forked(conn, kiosk.kiosk_id)
    if fresh.is_fresh:
        fleet.note_seen(conn, kiosk.kiosk_id, seen, now_ms)


class _News(msgspec.Struct, frozen=True):
    """What comes down with a reply."""

    epoch: int
    notices: tuple[frames.SealedNotice, ...]
    #: The kiosk or the centre holds more than this exchange carries.
    has_more: bool


def _news(conn: sqlite3.Connection, request: Request, carried: Carried | None) -> _News:
    epoch = centre.epoch(conn)
    cursor = _cursor(request, epoch, carried)
    down = notices.after(conn, request.kiosk_id, cursor, _notices_room(request, carried))
    has_more = (
        request.health.pending > len(request.envelopes)
        or request.health.attachments_pending > 0
        or notices.newest(conn, request.kiosk_id) > (down[-1][0] if down else cursor)
    )
    sealed = tuple(frames.SealedNotice(number=number, sealed=raw) for number, raw in down)
    return _News(epoch=epoch, notices=sealed, has_more=has_more)


def _retry_after_s(settings: Settings, request: Request, load: Load, *, has_more: bool) -> int:
    return ingest.retry_after_s(
        base_s=settings.retry_after_s,
        load=load.queue,
        spread=int.from_bytes(request.kiosk_id[:2], "big") / 65536,
        has_more=has_more,
        away_s=load.away_s,
        oldest_s=request.health.oldest_s,
    )


def _cursor(request: Request, epoch: int, carried: Carried | None) -> int:
    # A restored centre numbers anew, and the kiosk forgets its cursor with this reply.
    cursor = request.cursor if request.epoch in (0, epoch) else 0
    return max(cursor, carried.notices_after) if carried is not None else cursor


def _notices_room(request: Request, carried: Carried | None) -> int:
    """Answer how many bytes of notices the reply may carry.

    On a slow link they would keep back the verdicts that let the next applications go; the rest
    comes once nothing waits on the kiosk.
    """
    is_busy = carried is None and request.health.pending > len(request.envelopes)
    return limits.NOTICE_BUSY_BYTES if is_busy else limits.NOTICE_REPLY_BYTES_MAX


def _top(conn: sqlite3.Connection, request: Request) -> Extensions:
    """Tell an old copy which numbers are used here, so that it gives none of them again."""
    top = inbox.top(conn, request.kiosk_id)
    return ((TOP_TAG, uvarint(top)),) if top > request.head_seq else ()


def _freshness(
    conn: sqlite3.Connection,
    kiosk: KioskIdentityRow,
    request: Request,
    request_hash: bytes,
    carried: Carried | None,
) -> ingest.Freshness:
    boots = request.health.boots
    alike = frozenset({request.boot_id})
    if (kiosk.boot_id, kiosk.boots) != (request.boot_id, boots):
        alike = fleet.boots_like(conn, kiosk.kiosk_id, request.boot_id, boots)
    fresh = ingest.freshness(
        ingest.Moment(request.counter, request_hash, boots, request.head_seq),
        ingest.Moment(kiosk.counter, kiosk.request_hash, kiosk.boots, kiosk.head_seq),
        is_known_boot=request.boot_id in alike,
        is_boot_anothers=bool(alike - {request.boot_id}),
        is_head_ours=request.head_seq != kiosk.mark_seq or request.head_hash == kiosk.mark_hash,
    )
    if carried is None:
        return fresh
    # Whoever writes sticks draws a boot id each time; a clone is found by its envelopes.
    return ingest.Freshness(request.counter > kiosk.counter, is_old_image=False)


def _seen(
    request: Request,
    request_hash: bytes,
    kiosk: KioskIdentityRow,
    now_ms: int,
    carried: Carried | None,
) -> Seen:
    health = request.health
    return Seen(
        counter=request.counter,
        request_hash=request_hash,
        claimed_ms=request.now_ms,
        boots=health.boots,
        boot_id=request.boot_id,
        boot_number=health.boots if carried is None else 0,
        cursor=request.cursor,
        epoch=request.epoch,
        head_seq=request.head_seq,
        catalogue=request.catalogue,
        pending=health.pending,
        oldest_s=health.oldest_s,
        disk_free_mb=health.disk_free_mb,
        attachments_pending=health.attachments_pending,
        version=health.version,
        clock_skew_ms=request.now_ms - now_ms if carried is None else kiosk.clock_skew_ms,
        devices=msgspec.json.encode(dict(health.devices)).decode(),
    )


def _flags(kiosk: KioskIdentityRow, load: Load, *, is_forked: bool) -> frozenset[Flag]:
    flags: set[Flag] = set()
    if kiosk.state == "revoked":
        flags.add("revoked")
    elif is_forked or kiosk.state == "forked":
        flags.add("reenrol")
    if ingest.is_slow(load.queue):
        flags.add("slow")
    return frozenset(flags)


def _catalogue(conn: sqlite3.Connection, held: int) -> tuple[int, bytes]:
    """Answer the version in force, and its manifest's hash unless the kiosk has it."""
    latest = catalogues.latest(conn)
    if latest is None:
        return 0, b""
    if held == latest.version:
        return latest.version, b""
    return latest.version, hashlib.sha256(latest.manifest).digest()
