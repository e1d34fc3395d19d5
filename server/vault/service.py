"""What the vault does when asked: check, write the ledger, and only then open.

One thread; every answer about a person follows the same three steps, in this order:
refuse what is not complete or too much, commit the ledger's entry, open.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import assert_never

from server.catalogue.shelf import Published, Shelf
from server.errors import (
    CaseUnknown,
    NotPublished,
    VaultCannotOpen,
    VaultLimit,
    VaultRefused,
)
from server.signs import has_hidden_signs
from server.store import attachments, cases, inbox, outcomes
from server.store.rows import CaseRow, LedgerEntry, StoredEnvelope
from server.vault import protocol, routing
from server.vault.keys import VaultKeys, index_tag
from server.vault.ledger import Ledger
from server.vault.merkle import root_of
from sync import evaluation, limits
from sync.answers import AnswersError, decode_transaction
from sync.clock import Clock
from sync.errors import BianminError
from sync.identity import is_id_number, normalise_id_number
from sync.ids import uuid7_ms
from sync.octets import WireError
from sync.records import Attachment, Transaction
from sync.sealing import SealBroken, attachment_key_id, open_attachment, open_sealed
from sync.wire import decode_envelope

LOG = logging.getLogger(__name__)
#: Who may look at a person's answers at all; the desk decides which cases.
LOOKING_ROLES = frozenset({"clerk", "auditor"})
#: What an operator decides on record; nothing is opened for it.
DECISIONS = frozenset({"accepted_quarantined", "refused_quarantined"})
_HOUR_MS = 3_600_000


class KeyMissing(BianminError):
    """An envelope is sealed to a key that the vault does not hold."""

    code = "422.22"


class CatalogueMissing(BianminError):
    """A transaction was made with a catalogue version that was never published here."""

    code = "422.23"


class CorrectedCaseMissing(BianminError):
    """A correction names a case that is not here (yet)."""

    code = "422.24"


class Vault:
    """The vault's state: keys, ledger, and the centre's database to read from.

    The database is opened for reading only; ids and case numbers come in, never ciphertext, so
    that the ledger names what was really opened.
    """

    def __init__(
        self,
        keys: VaultKeys,
        ledger: Ledger,
        conn: sqlite3.Connection,
        clock: Clock,
        *,
        reload: Callable[[], VaultKeys] | None = None,
    ) -> None:
        """Open for these keys.

        Args:
            keys: As they lie on disk now.
            ledger: Open.
            conn: The centre's database, for reading.
            clock: Time of entries.
            reload: Reads the keys again when an envelope names one that is not held: a rotation
                writes the key before anybody can seal to it. None = never.
        """
        self._reload = reload
        self._keys = keys
        self._ledger = ledger
        self._conn = conn
        self._clock = clock
        self._shelf = Shelf()

    def answer(self, request: protocol.Request) -> protocol.Answer:
        """Do what is asked; refusals are answers, too."""
        try:
            return self._answer(request)
        except BianminError as error:
            return protocol.Refusal(code=error.code, message=str(error))

    def _answer(self, request: protocol.Request) -> protocol.Answer:  # noqa: PLR0911 -- one a kind
        match request:
            case protocol.Route():
                return self._route(request)
            case protocol.Open():
                return self._open(request)
            case protocol.OpenAttachment():
                return self._open_attachment(request)
            case protocol.Find():
                return self._find(request)
            case protocol.Record():
                return self._record(request)
            case protocol.ReadLedger(limit=limit, before=before, case_no=""):
                return protocol.Entries(entries=tuple(self._ledger.entries(limit, before)))
            case protocol.ReadLedger(case_no=case_no):
                return protocol.Entries(entries=tuple(self._ledger.entries_of(case_no)))
            case protocol.CheckLedger(is_checked=is_checked):
                return protocol.Head(state=self._ledger.state(is_checked=is_checked))
            case _:
                assert_never(request)

    # --- by machine ---

    def _route(self, request: protocol.Route) -> protocol.Routing:
        envelopes = inbox.by_ids(self._conn, request.ids[: limits.PIPELINE_BATCH])
        if not envelopes:
            return protocol.Routing(items=())
        root = root_of(f"{item.kiosk_id.hex()}/{item.seq}".encode() for item in envelopes)
        self._ledger.append(
            at_ms=self._clock.now_ms(),
            actor="pipeline",
            role="machine",
            action="route",
            purpose="form check",
            detail=f"{len(envelopes)} {root.hex()}",
        )
        return protocol.Routing(items=tuple(self._route_one(item) for item in envelopes))

    def _route_one(self, envelope: StoredEnvelope) -> protocol.Routed | protocol.Failed:
        try:
            published, transaction = self._opened(envelope)
            former = self._former(transaction)
            return routing.routed(
                envelope.id, envelope.received_ms, published, transaction, former, self._keys
            )
        except BianminError as error:
            return _failed(envelope, error)
        except Exception as error:
            # One record must never stop those behind it. The log's format withholds the error's
            # own words, which may quote an answer.
            LOG.exception("routing failed", extra={"envelope": envelope.id})
            return protocol.Failed(envelope.id, "fault", type(error).__name__)

    def _opened(self, envelope: StoredEnvelope) -> tuple[Published, Transaction]:
        sealed = decode_envelope(envelope.raw)
        if sealed.header.key_id not in self._keys.sealing and self._reload is not None:
            self._keys = self._reload()
        private = self._keys.sealing.get(sealed.header.key_id)
        if private is None:
            raise KeyMissing(f"sealing key {sealed.header.key_id} is not in the vault")
        published = self._shelf.fetch(self._conn, sealed.header.catalogue)
        if published is None:
            raise CatalogueMissing(f"catalogue {sealed.header.catalogue} was never published here")
        # Each header has one spelling, so that what stands before the seal is what was bound.
        header_bytes = envelope.raw[: -len(sealed.sealed)]
        raw = open_sealed(private, header_bytes, sealed.sealed)
        return published, decode_transaction(published.catalogue, published.dictionary, raw)

    def _former(self, transaction: Transaction) -> list[Transaction]:
        if not transaction.corrects:
            return []
        envelopes = inbox.of_case(self._conn, transaction.corrects)
        if not envelopes:
            raise CorrectedCaseMissing(f"case:{transaction.corrects}")
        former = [self._opened(item)[1] for item in envelopes]
        # The same correction again (a replayed letter) must not be laid over itself.
        former = [item for item in former if item.id != transaction.id]
        if any(item.service != transaction.service for item in former):
            raise AnswersError("a correction belongs to another service than its case")
        return former

    # --- for a person ---

    def _record(self, request: protocol.Record) -> protocol.Recorded:
        is_known = request.role == "operator" and request.action in DECISIONS
        if not request.actor.strip() or not is_known:
            raise VaultRefused("only a named operator decides, and only what the ledger knows")
        _checked_purpose(request.purpose.strip())
        entry = self._ledger.append(
            at_ms=self._clock.now_ms(),
            actor=request.actor,
            role=request.role,
            action=request.action,
            purpose=request.purpose.strip(),
            detail=request.detail[: limits.PURPOSE_CHARS_MAX],
        )
        return protocol.Recorded(entry=entry.number)

    def _allowed(self, request: protocol.Open | protocol.OpenAttachment | protocol.Find) -> None:
        if not request.actor.strip() or request.role not in LOOKING_ROLES:
            raise VaultRefused("only a named clerk or auditor may look; sign in with your account")
        _checked_purpose(request.purpose.strip())

    def _within_limit(self, actor: str, case_no: str) -> None:
        seen = self._ledger.opened_by(actor, self._clock.now_ms() - _HOUR_MS)
        if case_no not in seen and len(seen) >= limits.VAULT_OPENINGS_PER_HOUR:
            raise VaultLimit(
                f"you opened {limits.VAULT_OPENINGS_PER_HOUR} cases within an hour; "
                "wait, or ask the supervisor"
            )

    def _recorded(
        self,
        request: protocol.Open | protocol.OpenAttachment | protocol.Find,
        action: str,
        case: CaseRow | None = None,
        detail: str = "",
    ) -> LedgerEntry:
        """Count a look against its actor's limit and commit it to the ledger.

        All that shows something to a person comes here first: no look is without its entry.
        """
        case_no = case.case_no if case else ""
        self._within_limit(request.actor, case_no)
        return self._ledger.append(
            at_ms=self._clock.now_ms(),
            actor=request.actor,
            role=request.role,
            action=action,
            purpose=request.purpose.strip(),
            case_no=case_no,
            service=case.service if case else "",
            detail=detail,
        )

    def _case(self, case_no: str) -> tuple[CaseRow, list[StoredEnvelope]]:
        case = cases.get(self._conn, case_no) if case_no else None
        if case is None:
            raise CaseUnknown("no case has that number")
        return case, inbox.of_case(self._conn, case_no)

    def _open(self, request: protocol.Open) -> protocol.Opened:
        self._allowed(request)
        case, envelopes = self._case(request.case_no)
        published = self._shelf.fetch(self._conn, case.catalogue)
        service = published.service(case.service) if published else None
        if published is None or service is None:
            raise VaultCannotOpen("the case's catalogue is not published here")
        questions = {question.id for question in service.questions}
        calculates = {item.id for item in service.calculates}
        fields = set(request.fields)
        if not fields or fields - questions - calculates:
            raise VaultRefused("name the fields to open, each one of the case's form")
        entry = self._recorded(request, "open", case, " ".join(sorted(fields)))
        transactions = self._all_opened(envelopes)
        answers = routing.overlaid(transactions)
        today = routing.day_of_evaluation(uuid7_ms(transactions[0].id), case.received_ms)
        values = evaluation.calculated(published.catalogue, service, answers, today)
        return protocol.Opened(
            answers={name: answers[name] for name in request.fields if name in answers},
            calculated={name: values[name] for name in request.fields if name in calculates},
            attachments=self._places(published, envelopes, transactions),
            entry=entry.number,
        )

    def _all_opened(self, envelopes: Sequence[StoredEnvelope]) -> list[Transaction]:
        try:
            return [self._opened(item)[1] for item in envelopes]
        except BianminError as error:
            raise VaultCannotOpen(f"the case does not open ({error.code})") from error

    def _places(
        self,
        published: Published,
        envelopes: Sequence[StoredEnvelope],
        transactions: Sequence[Transaction],
    ) -> tuple[protocol.AttachmentPlace, ...]:
        places = []
        for number, (envelope, transaction) in enumerate(zip(envelopes, transactions, strict=True)):
            service = published.service(transaction.service)
            if service is None:
                continue
            announced = routing.attachments_announced(service, transaction.answers)
            for index, question in enumerate(announced):
                places.append(
                    protocol.AttachmentPlace(
                        index=number * limits.ATTACHMENTS_MAX + index,
                        question=question.id,
                        is_received=self._attachment(envelope, index) is not None,
                    )
                )
        return tuple(places)

    def _open_attachment(self, request: protocol.OpenAttachment) -> protocol.OpenedAttachment:
        self._allowed(request)
        case, envelopes = self._case(request.case_no)
        number, index = divmod(request.index, limits.ATTACHMENTS_MAX)
        if not 0 <= number < len(envelopes):
            raise VaultRefused("the case has no such attachment")
        envelope = envelopes[number]
        place = (envelope.kiosk_id, envelope.seq, index)
        if not attachments.sealed_attachments(self._conn, *place):
            raise VaultRefused("this attachment has not arrived yet")
        entry = self._recorded(request, "open_attachment", case, str(request.index))
        opened = self._attachment(envelope, index)
        if opened is None:
            raise VaultCannotOpen("the attachment does not open")
        return protocol.OpenedAttachment(
            media_type=opened.media_type, content=opened.content, entry=entry.number
        )

    def _attachment(self, envelope: StoredEnvelope, index: int) -> Attachment | None:
        """Answer the attachment that opens with this very envelope; None when none does."""
        place = (envelope.kiosk_id, envelope.seq, index)
        for sealed in attachments.sealed_attachments(self._conn, *place):
            with contextlib.suppress(KeyError, SealBroken, WireError):
                private = self._keys.sealing[attachment_key_id(sealed)]
                return open_attachment(private, envelope.raw, index, sealed)
        return None

    def _find(self, request: protocol.Find) -> protocol.Found:
        self._allowed(request)
        number = normalise_id_number(request.id_number)
        if not is_id_number(number):
            raise VaultRefused("an ID number has 18 places and a fitting check digit")
        self._recorded(request, "find")
        found = cases.cases_tagged(self._conn, [index_tag(self._keys, number)])
        return protocol.Found(case_nos=tuple(case.case_no for case in found))


def _checked_purpose(purpose: str) -> None:
    if not limits.PURPOSE_CHARS_MIN <= len(purpose) <= limits.PURPOSE_CHARS_MAX:
        raise VaultRefused(
            f"name a purpose of {limits.PURPOSE_CHARS_MIN} to {limits.PURPOSE_CHARS_MAX} characters"
        )
    if has_hidden_signs(purpose):
        raise VaultRefused("a purpose must hold no control characters")


def _failed(envelope: StoredEnvelope, error: BianminError) -> protocol.Failed:
    """Answer why an envelope is buried, and what would make a new try worth while."""
    match error:
        case KeyMissing():
            return protocol.Failed(envelope.id, "unknown_key", error.code, "key")
        case CatalogueMissing() | NotPublished():
            is_damaged = isinstance(error, NotPublished)
            awaits = outcomes.AWAITS_BLOBS if is_damaged else f"catalogue:{envelope.catalogue}"
            return protocol.Failed(envelope.id, "unknown_catalogue", error.code, awaits)
        case CorrectedCaseMissing():
            return protocol.Failed(envelope.id, "unknown_case", error.code, str(error))
        case SealBroken() | WireError():
            return protocol.Failed(envelope.id, "broken_seal", error.code)
        case AnswersError():
            return protocol.Failed(envelope.id, "invalid_answers", error.code)
        case _:
            return protocol.Failed(envelope.id, "fault", error.code)
