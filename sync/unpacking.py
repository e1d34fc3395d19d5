"""What a kiosk takes home from a stick: the centre's replies, each checked on its own."""

from collections.abc import Callable, Mapping

import msgspec
from sqlite_utils import Database as Tables

from sync import duty, exchange, standing
from sync.author import opened_notice
from sync.frames import (
    Reply,
    ReplyRefused,
    Request,
    decode_reply,
    decode_request,
    verify_request,
)
from sync.octets import WireError
from sync.records import Notice
from sync.returned import Held, apply_carried
from sync.signing import DeviceKeys, SignatureRefused, Trust
from sync.wire import envelope_hash


class Unpacked(msgspec.Struct, frozen=True):
    """What one reply brought."""

    #: "" or why it changed nothing: "refused" it is not the centre's to a request of ours,
    #: "old_centre" it comes from before the centre was restored.
    ignored: str = ""
    settled: int = 0
    notices: int = 0
    #: Heard before, or older than what was heard since.
    is_late: bool = False
    is_revoked: bool = False
    must_reenrol: bool = False
    #: All that the request carried is held here or there: its copy on the stick may go.
    is_spare: bool = False


class Unpacking:
    """Takes replies in, on the store's thread, each in a commit of its own.

    Args:
        keys: The device's.
        trust: Answers what a reply must be signed by.
    """

    def __init__(self, keys: DeviceKeys, trust: Callable[[exchange.Standing], Trust]) -> None:
        self._keys = keys
        self._trust = trust

    def take_in(self, db: Tables, request_raw: bytes, raw: bytes) -> Unpacked:
        """Write what a reply changes.

        Args:
            db: The store, inside `immediate`.
            request_raw: The request that lies on the stick, anything at all.
            raw: What should be its reply.
        """
        held = standing.standing_of(db)
        try:
            request = self.own_request(request_raw)
            reply = decode_reply(
                raw,
                request_raw=request_raw,
                kiosk_id=self._keys.kiosk_id,
                trusted=self._trust(held),
            )
            changes = apply_carried(
                request,
                reply,
                held,
                own_hash_at_mark=standing.hash_at(db, reply.mark_seq),
                held=_held(db, request),
            )
        except (WireError, SignatureRefused, ReplyRefused):
            return Unpacked(ignored="refused")
        if changes.ignored:
            return Unpacked(ignored=changes.ignored)
        is_late = reply.epoch == held.epoch and reply.centre_ms < held.centre_ms
        notices = self._follow(reply, 0 if changes.is_cursor_reset else held.cursor)
        opened = [notice for notice in notices if notice is not None]
        settled = standing.take_in(
            db,
            changes,
            notices=opened,
            unreadable=len(notices) - len(opened),
            cursor=max((item.number for item in reply.notices), default=0) if notices else 0,
            certificate=reply.certificate.to_bytes() if reply.certificate else held.certificate,
            batch_bytes=held.batch_bytes,
        )
        if not is_late:
            duty.note(db, reply, is_moving=True)
        return Unpacked(
            settled=settled,
            notices=len(opened),
            is_late=is_late,
            is_revoked="revoked" in changes.flags,
            must_reenrol="reenrol" in changes.flags,
            is_spare=_is_spare(db, request, None if is_late else reply),
        )

    def own_request(self, raw: bytes) -> Request:
        """Answer a request that lies on the stick, once our own key has signed it.

        Raises:
            WireError: It is no request.
            SignatureRefused: It is another's, or it was changed.
        """
        return verify_request(decode_request(raw), self._keys.sign_public)

    def is_spare(self, db: Tables, request_raw: bytes) -> bool:
        """Answer whether the store itself holds all that a request on the stick carries."""
        try:
            return _is_spare(db, self.own_request(request_raw), None)
        except (WireError, SignatureRefused):
            return False

    def _follow(self, reply: Reply, cursor: int) -> list[Notice | None]:
        """Open the notices that follow on those held here; None stands for one that broke.

        On a stick the replies of one bundle share the notices out between them. When one is
        missing, those after it wait for the next time: the cursor must not pass what never came.
        """
        if reply.notices and reply.notices[0].number > cursor + 1:
            return []
        private = self._keys.notice_private
        return [opened_notice(private, item) for item in reply.notices if item.number > cursor]


def _held(db: Tables, request: Request) -> Held:
    numbers = {envelope.header.seq for envelope in request.envelopes}
    hashes = {seq: found for seq in numbers if (found := standing.hash_at(db, seq)) is not None}
    return Held(hashes=hashes, attachments=_attachments(db, request))


def _attachments(db: Tables, request: Request) -> Mapping[tuple[int, int], tuple[bytes, int]]:
    found: dict[tuple[int, int], tuple[bytes, int]] = {}
    for place in {(chunk.seq, chunk.index) for chunk in request.chunks}:
        row = db.conn.execute(
            "SELECT digest, received_bytes FROM attachment WHERE seq = ? AND place = ?", place
        ).fetchone()
        if row is not None:
            found[place] = (bytes(row[0]), int(row[1]))
    return found


def _is_spare(db: Tables, request: Request, reply: Reply | None) -> bool:
    """Answer whether the stick's copy is needed by nobody.

    After a kiosk was put back to an old image, the stick may hold the only copy of what
    residents confirmed: then it stays, until a reply that is not outdated says that the centre
    has it.
    """
    held = _held(db, request)
    verdicts = reply.verdicts if reply is not None else ("refused",) * len(request.envelopes)
    marks = (
        {(mark.seq, mark.index): mark.received_bytes for mark in reply.chunk_marks}
        if (reply is not None)
        else {}
    )
    are_envelopes_safe = all(
        held.hashes.get(envelope.header.seq) == envelope_hash(envelope) or verdict != "refused"
        for envelope, verdict in zip(request.envelopes, verdicts, strict=True)
    )
    return are_envelopes_safe and all(
        held.attachments.get((chunk.seq, chunk.index), (b"", 0))[0] == chunk.digest
        or marks.get((chunk.seq, chunk.index), 0) >= chunk.total
        for chunk in request.chunks
    )
