"""What a kiosk says of itself to its installer and to the demo; nothing personal."""

from collections.abc import Mapping

import msgspec
from sqlite_utils import Database as Tables

from sync import outbox
from sync.agent import AgentState
from sync.catalogues import Loaded
from sync.device import KioskIdentity


class Status(msgspec.Struct, frozen=True):
    """Answer of GET /status and of `bianmin kiosk status`."""

    kiosk_no: int
    name: str
    #: Envelopes not yet acknowledged, the age of the oldest (Unix ms of its confirmation),
    #: attachments not yet acknowledged, envelopes that the centre refused.
    waiting: int
    oldest_ms: int | None
    attachments: int
    refused: int
    #: Catalogue version in force; 0 = none yet.
    catalogue: int
    is_reachable: bool
    #: Kiosk's clock at the last verified reply, Unix ms.
    last_ok_ms: int | None
    last_error: str
    #: Centre's clock minus the kiosk's, in ms.
    clock_skew_ms: int
    must_reenrol: bool
    is_revoked: bool
    #: Spoken pieces that could not be said since the start.
    voice_missing: int
    #: Whether there is room for new transactions.
    has_room: bool
    #: People who touched "I can't find what I need", by local day, the newest days.
    unmet: dict[str, int] = {}


def status_of(
    db: Tables,
    *,
    identity: KioskIdentity,
    state: AgentState,
    loaded: Loaded | None,
    voice_missing: int,
    has_room: bool,
    unmet: Mapping[str, int],
) -> Status:
    """Put the status together from the store and what the running parts say."""
    waiting = outbox.waiting(db)
    return Status(
        kiosk_no=identity.kiosk_no,
        name=identity.name,
        waiting=waiting.count,
        oldest_ms=waiting.oldest_ms,
        attachments=waiting.attachments,
        refused=waiting.refused,
        catalogue=loaded.version if loaded else 0,
        is_reachable=state.is_reachable,
        last_ok_ms=state.last_ok_ms,
        last_error=state.last_error,
        clock_skew_ms=state.clock_skew_ms,
        must_reenrol=state.must_reenrol,
        is_revoked=state.is_revoked,
        voice_missing=voice_missing,
        has_room=has_room,
        unmet=dict(unmet),
    )
