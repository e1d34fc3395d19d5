"""One exchange on the kiosk's side: a request made from the store, and its reply taken into it.

Who carries it and when is the agent's; nothing here waits for a link.
"""

import msgspec
from sqlite_utils import Database as Tables

from sync import duty, exchange, standing
from sync.author import Author, opened_notice
from sync.frames import Reply, Request
from sync.limits import NOTICES_SURGE
from sync.signing import Trust

Place = tuple[int, int]
"""An attachment: number of its envelope, place in the transaction."""


class Turn(msgspec.Struct, frozen=True):
    """A request under way, and what its reply is checked by."""

    request: Request
    #: The signed frame.
    raw: bytes
    trust: Trust
    #: The centre's mark that was known when it was written.
    mark_seq: int
    #: Envelopes waited then that it does not carry, some perhaps in another request under way.
    has_pending_left: bool
    #: Nothing waited then that a further request could carry.
    is_all: bool = False
    #: The attachment whose bytes follow the frame; None for an ordinary exchange.
    upload: exchange.PendingAttachment | None = None

    @property
    def seqs(self) -> frozenset[int]:
        """Numbers of the envelopes that it carries or tells of."""
        carried = {envelope.header.seq for envelope in self.request.envelopes}
        return frozenset(carried | {chunk.seq for chunk in self.request.chunks})

    @property
    def places(self) -> frozenset[Place]:
        """Attachments of which the reply says how far the centre is."""
        return frozenset((chunk.seq, chunk.index) for chunk in self.request.chunks)


class Intake(msgspec.Struct, frozen=True):
    """What a verified reply changed."""

    changes: exchange.Changes
    settled: int = 0
    notices: int = 0
    #: The centre is further with some attachment than was known.
    has_progress: bool = False
    #: The reply moved something: it is worth to go on at once.
    is_moving: bool = False
    #: Something is left to carry, in either direction.
    has_more: bool = False


class Correspondence(Author):
    """Writes requests and takes replies in; see `Author` for how it is made."""

    def begun(
        self,
        db: Tables,
        bytes_max: int,
        *,
        flying: frozenset[int],
        known: frozenset[Place] | None,
        stuck: frozenset[Place],
        is_needed: bool,
        may_upload: bool,
    ) -> Turn | None:
        """Write the next request.

        Args:
            db: The store.
            bytes_max: Bound of the request.
            flying: Numbers that other requests under way tell of; they are left out.
            known: Attachments of which the centre's word is fresh; None when the link takes no
                uploads, so that all pieces ride in frames.
            stuck: Of those, the ones that the centre does not take now.
            is_needed: Write it even when there is nothing to carry: it fetches notices.
            may_upload: When nothing else is to be carried, let it be an upload.
        """
        view = standing.view_of(db, bytes_max, flying=flying, known=known)
        plan = exchange.plan(view)
        if may_upload and not plan.seqs and not plan.pieces:
            upload = exchange.next_upload(view, stuck)
            if upload is not None:
                plan = exchange.Plan(seqs=(), pieces=(exchange.Piece(upload, 0),))
                return self._written(db, view, plan, upload)
        if not (is_needed or plan.seqs or plan.pieces):
            return None
        return self._written(db, view, plan, None)

    def _written(
        self,
        db: Tables,
        view: exchange.View,
        plan: exchange.Plan,
        upload: exchange.PendingAttachment | None,
    ) -> Turn:
        request, raw = self._signed(db, view, plan)
        has_pending_left = standing.has_pending_beyond(db, plan.seqs)
        return Turn(
            request=request,
            raw=raw,
            trust=self.trust(view.standing),
            mark_seq=view.standing.mark_seq,
            has_pending_left=has_pending_left,
            is_all=not has_pending_left and not view.attachments,
            upload=upload,
        )

    def taken_in(
        self, db: Tables, turn: Turn, reply: Reply, *, took_ms: int, batch_bytes: int
    ) -> Intake:
        """Write what a verified reply changes.

        Args:
            db: The store.
            turn: What was asked.
            reply: What `decode_reply` let through.
            took_ms: Round trip; 0 for an upload, whose answer is far younger than its begin.
            batch_bytes: Bound of the next request, remembered across restarts.
        """
        held = standing.standing_of(db)
        changes = exchange.apply(
            turn.request,
            reply,
            held,
            own_hash_at_mark=standing.hash_at(db, reply.mark_seq),
            has_pending_left=turn.has_pending_left,
            received_ms=self._clock.now_ms(),
            took_ms=took_ms,
            asked_mark_seq=turn.mark_seq,
        )
        if changes.ignored:
            return Intake(changes)
        private = self._keys.notice_private
        found = (opened_notice(private, sealed) for sealed in reply.notices)
        # Those that break are counted in the store.
        notices = [notice for notice in found if notice is not None]
        settled = standing.take_in(
            db,
            changes,
            notices=notices,
            unreadable=len(reply.notices) - len(notices),
            cursor=max((notice.number for notice in reply.notices), default=0),
            certificate=reply.certificate.to_bytes() if reply.certificate else held.certificate,
            batch_bytes=batch_bytes,
        )
        has_progress = exchange.has_progress(turn.request, reply)
        duty.note(db, reply, is_moving=has_progress)
        # What a request carried was waiting; another reply's mark may have settled it meanwhile.
        is_moving = bool(changes.settled or changes.requeue_from or reply.notices)
        return Intake(
            changes,
            settled=settled,
            notices=len(notices),
            has_progress=has_progress,
            is_moving=is_moving or has_progress or settled > 0,
            has_more=standing.has_pending(db) or len(reply.notices) >= NOTICES_SURGE,
        )
