"""What is said over the vault's socket: msgpack frames after their length (4 bytes)."""

import asyncio
from typing import Literal

import msgspec

from server.errors import VaultUnavailable
from server.store.rows import LedgerEntry
from server.vault.ledger import LedgerState
from sync import limits


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base of what crosses the socket."""


class Route(Message, frozen=True, tag="route"):
    """Open these envelopes by machine and answer only what decides their way."""

    ids: tuple[int, ...]


class Open(Message, frozen=True, tag="open"):
    """Open some fields of a case for a person."""

    case_no: str
    actor: str
    role: str
    purpose: str
    #: Question or calculate ids.
    fields: tuple[str, ...]


class OpenAttachment(Message, frozen=True, tag="open_attachment"):
    """Open one photo, signature or recording for a person."""

    case_no: str
    #: `AttachmentPlace.index`.
    index: int
    actor: str
    role: str
    purpose: str


class Find(Message, frozen=True, tag="find"):
    """Find the cases of the person with an ID number; exact matches only."""

    id_number: str
    actor: str
    role: str
    purpose: str


class Record(Message, frozen=True, tag="record"):
    """Write into the ledger what a person decides without opening anything."""

    action: str
    actor: str
    role: str
    purpose: str
    detail: str


class ReadLedger(Message, frozen=True, tag="ledger"):
    """Read the ledger, newest first; of one case when `case_no` is given."""

    limit: int
    before: int | None = None
    case_no: str = ""


class CheckLedger(Message, frozen=True, tag="check"):
    """Compute the whole ledger again, or only tell its size and root."""

    is_checked: bool = False


Request = Route | Open | OpenAttachment | Find | Record | ReadLedger | CheckLedger

FailedReason = Literal[
    "unknown_catalogue",
    "unknown_key",
    "broken_seal",
    "invalid_answers",
    "unknown_case",
    "fault",
]


class Routed(Message, frozen=True, tag="routed"):
    """What decides a transaction's way. No answer that says who or what somebody is."""

    envelope_id: int
    transaction_id: bytes
    service: str
    language: str
    #: The kiosk's clock at confirmation, Unix ms, from the transaction's id.
    claimed_ms: int
    #: Answer of the form's village question; "" when it has none.
    village_code: str
    #: Case number that this corrects, "" for a new matter.
    corrects: str
    #: 5 … 1 and the rated case, for a rating; else None and "".
    rating_level: int | None
    rating_case_no: str
    attachments_expected: int
    #: Blind index of the ID numbers of the applicant.
    index_tags: tuple[bytes, ...]
    #: Rules of the form that the answers break: question id and code.
    problems: tuple[tuple[str, str], ...]
    #: Who helped, as the transaction says (`sync.assistance`); "" = nobody.
    helper: str = ""
    #: It ends the case that it names (`sync.withdrawal`).
    is_withdrawal: bool = False


class Failed(Message, frozen=True, tag="failed"):
    """Why an envelope could not be routed."""

    envelope_id: int
    reason: FailedReason
    #: Code of the error behind it, "" none.
    detail_code: str = ""
    #: What would make a new try worth while: "catalogue:7", "key:2", "case:0042…"; "" nothing.
    awaits: str = ""


class Routing(Message, frozen=True, tag="routing"):
    """One answer for each id, in the order of the request; unknown ids are left out."""

    items: tuple[Routed | Failed, ...]


class AttachmentPlace(Message, frozen=True, tag="place"):
    """An attachment that a case announces."""

    #: What `open_attachment` takes.
    index: int
    question: str
    is_received: bool


class Opened(Message, frozen=True, tag="opened"):
    """The fields that were asked for, corrections laid over the first answers."""

    answers: dict[str, str]
    calculated: dict[str, str]
    attachments: tuple[AttachmentPlace, ...]
    #: Number of the ledger's entry about this look.
    entry: int


class OpenedAttachment(Message, frozen=True, tag="opened_attachment"):
    """One attachment."""

    media_type: str
    content: bytes
    entry: int


class Found(Message, frozen=True, tag="found"):
    """Numbers of the cases found, newest first."""

    case_nos: tuple[str, ...]


class Recorded(Message, frozen=True, tag="recorded"):
    """It is in the ledger."""

    #: Number of the entry.
    entry: int


class Entries(Message, frozen=True, tag="entries"):
    """A page of the ledger."""

    entries: tuple[LedgerEntry, ...]


class Head(Message, frozen=True, tag="head"):
    """The ledger's size and root."""

    state: LedgerState


class Refusal(Message, frozen=True, tag="refusal"):
    """The vault does not do it."""

    code: str
    message: str


Answer = Routing | Opened | OpenedAttachment | Found | Recorded | Entries | Head | Refusal

_LENGTH_BYTES = 4


def encode(message: Request | Answer) -> bytes:
    """Write one frame."""
    raw = msgspec.msgpack.encode(message)
    return len(raw).to_bytes(_LENGTH_BYTES, "big") + raw


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read one frame's content.

    Raises:
        VaultUnavailable: The other side ended, or the frame is longer than it may be.
    """
    try:
        size = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        if size > limits.VAULT_FRAME_BYTES_MAX:
            raise VaultUnavailable("a frame of the vault's socket is too long")
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise VaultUnavailable("the vault's connection ended") from error
