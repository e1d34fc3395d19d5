"""Ask the vault from the centre's process."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from server.errors import (
    CaseUnknown,
    VaultCannotOpen,
    VaultLimit,
    VaultRefused,
    VaultUnavailable,
)
from server.store.rows import LedgerEntry, StoredEnvelope
from server.vault import protocol
from server.vault.ledger import LedgerState
from server.vault.protocol import Failed, Opened, Routed
from sync import limits
from sync.errors import MALFORMED, BianminError

A = TypeVar("A", bound=protocol.Message)
_REFUSALS: dict[str, type[BianminError]] = {
    kind.code: kind for kind in (VaultRefused, VaultLimit, VaultCannotOpen, CaseUnknown)
}
_DECODER: msgspec.msgpack.Decoder[protocol.Answer] = msgspec.msgpack.Decoder(protocol.Answer)


class VaultClient:
    """One connection a question, so that a question given up never spoils the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def route(self, envelopes: Sequence[StoredEnvelope]) -> list[Routed | Failed]:
        """Open envelopes by machine; answer what decides their way.

        Raises:
            VaultUnavailable: The vault does not answer.
        """
        request = protocol.Route(ids=tuple(item.id for item in envelopes))
        return list((await self._ask(request, protocol.Routing)).items)

    async def open(
        self, case_no: str, *, actor: str, role: str, purpose: str, fields: Sequence[str]
    ) -> Opened:
        """Open some fields of a case; the look is in the ledger before the answer exists.

        Args:
            case_no: The case.
            actor: Account's name.
            role: "clerk" or "auditor".
            purpose: Why, in the clerk's words (`PURPOSE_CHARS_MIN` to `PURPOSE_CHARS_MAX`).
            fields: Question or calculate ids of the case's form, at least one.

        Raises:
            VaultRefused: Actor, role, purpose or fields are missing or not allowed.
            VaultLimit: The actor opened too many cases within the hour.
            CaseUnknown: No case has that number.
            VaultCannotOpen: Its envelope does not open.
            VaultUnavailable: The vault does not answer.
        """
        request = protocol.Open(
            case_no=case_no, actor=actor, role=role, purpose=purpose, fields=tuple(fields)
        )
        return await self._ask(request, protocol.Opened)

    async def open_attachment(
        self, case_no: str, index: int, *, actor: str, role: str, purpose: str
    ) -> tuple[str, bytes]:
        """Answer media type and content of one attachment; recorded like `open`, same errors.

        Args:
            case_no: The case.
            index: `AttachmentPlace.index`, as `open` answered it.
            actor: Account's name.
            role: "clerk" or "auditor".
            purpose: Why.
        """
        request = protocol.OpenAttachment(
            case_no=case_no, index=index, actor=actor, role=role, purpose=purpose
        )
        opened = await self._ask(request, protocol.OpenedAttachment)
        return opened.media_type, opened.content

    async def find(self, id_number: str, *, actor: str, role: str, purpose: str) -> list[str]:
        """Answer the case numbers of the person with exactly this ID number; recorded."""
        request = protocol.Find(id_number=id_number, actor=actor, role=role, purpose=purpose)
        return list((await self._ask(request, protocol.Found)).case_nos)

    async def record(self, action: str, *, actor: str, role: str, purpose: str, detail: str) -> int:
        """Write what an operator decides into the ledger; answer the entry's number.

        Args:
            action: "accepted_quarantined" or "refused_quarantined".
            actor: Account's name.
            role: "operator".
            purpose: Why, in the operator's words (`PURPOSE_CHARS_MIN` to `PURPOSE_CHARS_MAX`).
            detail: Numbers and codes, no words about anybody.

        Raises:
            VaultRefused: It is no such decision, or it has no reason.
            VaultUnavailable: The vault does not answer.
        """
        request = protocol.Record(
            action=action, actor=actor, role=role, purpose=purpose, detail=detail
        )
        return (await self._ask(request, protocol.Recorded)).entry

    async def ledger(
        self, limit: int = 100, before: int | None = None, *, case_no: str = ""
    ) -> list[LedgerEntry]:
        """Answer entries of the ledger, newest first, optionally of one case."""
        request = protocol.ReadLedger(limit=limit, before=before, case_no=case_no)
        return list((await self._ask(request, protocol.Entries)).entries)

    async def ledger_state(self, *, is_checked: bool = False) -> LedgerState:
        """Answer the ledger's size and Merkle root; `is_checked` computes it all again."""
        request = protocol.CheckLedger(is_checked=is_checked)
        return (await self._ask(request, protocol.Head)).state

    async def is_up(self) -> bool:
        """Answer whether the vault answers within `VAULT_UP_S`."""
        try:
            async with asyncio.timeout(limits.VAULT_UP_S):
                await self.ledger_state()
        except (BianminError, TimeoutError):
            return False
        return True

    async def _ask(self, request: protocol.Request, kind: type[A]) -> A:
        try:
            async with asyncio.timeout(limits.VAULT_TIMEOUT_S):
                answer = await self._exchange(request)
        except (OSError, TimeoutError, *MALFORMED) as error:
            raise VaultUnavailable("the vault does not answer; try again in a minute") from error
        if isinstance(answer, protocol.Refusal):
            raise _REFUSALS.get(answer.code, VaultUnavailable)(answer.message)
        if not isinstance(answer, kind):
            raise VaultUnavailable("the vault answered something else")
        return answer

    async def _exchange(self, request: protocol.Request) -> protocol.Answer:
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(protocol.encode(request))
            await writer.drain()
            return _DECODER.decode(await protocol.read_frame(reader))
        finally:
            writer.close()
