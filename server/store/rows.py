"""Rows of the centre's database as frozen structs, and their reading."""

import sqlite3
from typing import Any, Literal, TypeVar

import msgspec

CaseState = Literal["received", "accepted", "correction", "refused", "completed", "withdrawn"]
KioskState = Literal["active", "revoked", "forked"]
Action = Literal["accept", "correct", "refuse", "complete"]


class Row(msgspec.Struct, frozen=True):
    """Base of what a query answers."""


R = TypeVar("R", bound=Row)


def read(kind: type[R], row: sqlite3.Row) -> R:
    """Make a struct from the columns that bear its fields' names; others are ignored."""
    values: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    return msgspec.convert(values, kind, strict=False)


class CaseRow(Row, frozen=True):
    """A case (办件) without any answer: what queues and pages show."""

    #: The 12 digits of the receipt; "…-2" when a forked kiosk gave one number twice.
    case_no: str
    kiosk_no: int
    kiosk_name: str
    service: str
    department: str
    village_code: str
    language: str
    state: CaseState
    received_ms: int
    #: The kiosk's clock at confirmation; a claim.
    claimed_ms: int
    #: "2026-11-27"; `due_is_about` when it lies past the known holidays.
    due_on: str
    due_is_about: bool
    updated_ms: int
    attachments_expected: int
    attachments_received: int
    #: How many rules of the form the answers broke, checked again at the centre.
    problems: int
    #: 5 very satisfied … 1 very dissatisfied; None when not rated.
    rating: int | None
    #: Catalogue version that the transaction was made with.
    catalogue: int


class CaseEvent(Row, frozen=True):
    """One step of a case. Personal data never stands here: codes and question ids only."""

    at_ms: int
    #: "centre", "resident" or the name of an account.
    actor: str
    #: "received", "accept", "correct", "refuse", "complete", "corrected", "rated", "withdrawn", …
    action: str
    #: A reason's code, question ids or a level.
    detail: str


class Decision(Row, frozen=True):
    """What a clerk decides on a case."""

    action: Action
    #: Code of `reasons.json`; "" none. A refusal needs one.
    reason_code: str = ""
    #: The clerk's own words to the resident; they go into the sealed notice and nowhere else.
    words: str = ""
    #: Question ids to bring again; a correction needs these, words or a reason.
    missing: tuple[str, ...] = ()
    #: Last day "2026-12-01" for a correction; "" = the usual time.
    correct_by: str = ""


class FollowUp(Row, frozen=True):
    """A bad rating that somebody must answer (差评整改)."""

    id: int
    case_no: str
    level: int
    created_ms: int
    due_on: str
    due_is_about: bool
    closed_ms: int | None


class DeadLetter(Row, frozen=True):
    """An envelope that could not become anything yet, with its reason."""

    envelope_id: int
    kiosk_no: int
    seq: int
    #: "unknown_catalogue", "unknown_key", "broken_seal", "invalid_answers", "unknown_service",
    #: "unknown_case", "id_conflict", "quarantined" or "fault".
    reason: str
    #: Stable code of the error behind it, or "".
    detail_code: str
    tries: int
    first_ms: int
    last_ms: int
    #: 16 hexadecimal digits.
    kiosk_id: str = ""


class KioskRow(Row, frozen=True):
    """A kiosk as the fleet page shows it."""

    #: 16 hexadecimal digits.
    kiosk_id: str
    kiosk_no: int
    name: str
    village_code: str
    enrolled_ms: int
    #: 0 = never.
    last_seen_ms: int
    #: What the kiosk said of itself: unsent envelopes and the age of the oldest in seconds.
    pending: int
    oldest_s: int
    head_seq: int
    #: All envelopes up to here are durable at the centre, link by link.
    mark_seq: int
    disk_free_mb: int
    #: Software version; "" before the first exchange.
    version: str
    #: Catalogue version that the kiosk holds.
    catalogue: int
    #: Kiosk's clock minus the centre's, in ms.
    clock_skew_ms: int
    state: KioskState
    #: Sequence numbers up to the head that the centre has not seen.
    missing_count: int
    attachments_pending: int
    #: Device states in short words, JSON, e.g. {"printer":"no paper"}.
    devices: str
    bytes_in: int
    bytes_out: int
    #: When a stick last brought the newest word of it, Unix ms; 0 = never.
    stick_ms: int = 0
    #: Another identity took its place: it only delivers what it still holds.
    is_replaced: bool = False


class FleetSummary(Row, frozen=True):
    """The whole fleet in one line."""

    kiosks: int
    active: int
    revoked: int
    forked: int
    #: Unsent envelopes as the kiosks last said.
    pending: int
    #: Envelopes that wait for the pipeline.
    waiting: int
    dead_letters: int
    #: Kiosks that saw a newer epoch than this database's, and so ignore what it answers.
    ahead: int


class HealthPoint(Row, frozen=True):
    """One kiosk at one exchange: a point of a trend."""

    at_ms: int
    pending: int
    oldest_s: int
    disk_free_mb: int


class EnrolmentCode(Row, frozen=True):
    """A code that was handed out; its secret is not kept in readable form."""

    locator: str
    name: str
    village_code: str
    created_ms: int
    expires_ms: int
    tries: int
    used_ms: int | None


class LedgerEntry(Row, frozen=True):
    """One recorded look (or machine opening): who, why, which case; never what was seen."""

    #: 1, 2, 3 … gapless.
    number: int
    at_ms: int
    actor: str
    role: str
    #: "open", "open_attachment" or "route".
    action: str
    purpose: str
    #: "" for a machine batch.
    case_no: str
    service: str
    #: Ids of the fields asked for, or the size and Merkle root of a batch.
    detail: str
    #: SHA-256 leaf hash over this entry and the hash before it, hexadecimal.
    hash: str


class StoredEnvelope(Row, frozen=True):
    """An envelope of the inbox, sealed as it came."""

    id: int
    kiosk_id: bytes
    kiosk_no: int
    seq: int
    catalogue: int
    received_ms: int
    raw: bytes
