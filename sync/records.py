"""What is said between kiosk and centre: transactions, envelopes, receipts, notices, health."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Answers = Mapping[str, str]
"""Answers by question id in XForms' lexical form.

Text as typed; integer "3"; amount "12.50"; date "2026-11-24"; choice "yes"; multi_choice
"a b" in choice order; consent "OK"; village "530121100201"; photo, signature and voice_note
"1"…"9" = how many attachments of that question follow. A voice_note that was typed instead of
spoken is "=" followed by the text. Missing or "" = unanswered.
"""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the records: immutable, unknown fields refused."""


class Transaction(Record, frozen=True):
    """What one resident confirmed on one kiosk at one time, before sealing."""

    #: UUIDv7, 16 bytes; minted when the check-answers page opens; carries the kiosk's time.
    id: bytes
    #: Service id in the catalogue version named in the envelope's header.
    service: str
    #: "zh-CN" or "en": what the resident saw and heard.
    language: str
    answers: Answers
    #: Case number that this answers as a correction; "" for a new matter.
    corrects: str = ""
    #: Helper's id when done together (帮办); "" when alone.
    helper: str = ""


class Header(Record, frozen=True):
    """What is said in the clear of an envelope, and bound into its seal."""

    #: First 8 bytes of SHA-256 of the device's Ed25519 public key.
    kiosk_id: bytes
    #: 1, 2, 3 … per kiosk, gapless.
    seq: int
    #: First 8 bytes of SHA-256 of the previous envelope; zeros for seq 1.
    prev: bytes
    #: Number of the centre's sealing key.
    key_id: int
    #: Catalogue version number: decides the form and the dictionary of the body.
    catalogue: int
    #: Format and cipher suite, one byte; 1 = this format with HPKE X25519/HKDF-SHA256/ChaCha20.
    suite: int = 1


class Envelope(Record, frozen=True):
    """One sealed transaction with its clear header."""

    header: Header
    #: HPKE `enc` (32 bytes) followed by ciphertext and tag.
    sealed: bytes


MediaType = Literal[
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "audio/webm",
    "audio/ogg",
    "audio/wav",
]


class Attachment(Record, frozen=True):
    """A photo, signature or recording of one transaction, before sealing."""

    #: Question it answers.
    question: str
    #: 0-based among the attachments of the whole transaction (`handwriting.attachments_of`).
    index: int
    media_type: Literal[
        "image/jpeg", "image/png", "image/svg+xml", "audio/webm", "audio/ogg", "audio/wav"
    ]
    content: bytes


class Receipt(Record, frozen=True):
    """What the resident takes along."""

    #: 12 digits: 4 kiosk + 6 sequence + 2 check.
    case_no: str
    seq: int
    transaction_id: bytes
    service: str
    #: Kiosk's wall clock at commit, Unix ms.
    confirmed_ms: int


class Notice(Record, frozen=True):
    """What the centre tells a kiosk of a case."""

    #: 1, 2, 3 … per kiosk: what the cursor counts.
    number: int
    case_no: str
    #: "received" = the centre has opened it and made a case; else a key of `Service.notices`,
    #: or "rated" / "message".
    kind: str
    service: str
    #: Centre's clock, Unix ms.
    at_ms: int
    #: Due date "2026-11-27" or ""; `is_about` when it lies past the known holidays.
    due_on: str = ""
    is_about: bool = False
    #: For "correction": question ids still missing, and the last day to bring them.
    missing: tuple[str, ...] = ()
    correct_by: str = ""
    #: Code of a reason from the desk's list ("" none) and the clerk's own words ("" none).
    reason_code: str = ""
    words: str = ""


class Health(Record, frozen=True):
    """How a kiosk is, as it says itself with every exchange."""

    version: str
    pending: int
    #: Age of the oldest unsent envelope in seconds; 0 when none.
    oldest_s: int
    disk_free_mb: int
    attachments_pending: int = 0
    boots: int = 0
    #: Device states in short words, e.g. {"printer": "no paper"}.
    devices: Mapping[str, str] = {}
