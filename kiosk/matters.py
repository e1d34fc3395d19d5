"""Finding what became of a matter, in the store of this identity and of each former one."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlite_utils import Database as Tables

from kiosk.assisted.marks import withdrawal_mark
from kiosk.lookup import person_tag
from kiosk.visit import Matter
from sync import outbox
from sync.database import Database
from sync.limits import MATTERS_MAX
from sync.notices import notice_digest
from sync.records import Notice, Receipt

#: That their own rating has come, or that somebody looked, is no step of the matter; as the last
#: word it would hide what the office said, and the way to bring what is missing.
_ASIDE = frozenset({"rated", "looked"})


class Register(NamedTuple):
    """One store to look into, and the salt under which it knows people."""

    database: Database
    salt: bytes


class _Known(NamedTuple):
    """What one store knows of one case."""

    case_no: str
    receipt: Receipt | None
    is_delivered: bool
    notices: tuple[Notice, ...]
    #: A withdrawal of it was handed in here.
    is_withdrawing: bool = False


class Matters:
    """Looks through all stores of this machine.

    Args:
        registers: The present identity's first, then the former ones, the newest first.
    """

    def __init__(self, registers: Sequence[Register]) -> None:
        self._registers = tuple(registers)

    async def of_case(self, case_no: str) -> tuple[Matter, ...]:
        """Answer the matter of that number; () when no store knows it."""
        return await self._known((case_no,))

    async def of_cases(self, case_nos: Sequence[str], most: int) -> tuple[Matter, ...]:
        """Answer the matters of numbers in their order, at most so many."""
        return await self._known(case_nos, most)

    async def of_person(self, id_number: str, phone_tail: str) -> tuple[Matter, ...]:
        """Answer the matters of a person, the newest first (50 ms a store).

        Args:
            id_number: 18 characters, tidied.
            phone_tail: The last four digits of a phone they gave.
        """
        case_nos: list[str] = []
        for register in self._registers:
            tag = await asyncio.to_thread(person_tag, id_number, phone_tail, register.salt)
            case_nos += await register.database.run(outbox.cases_of_person, tag)
        return await self._known(case_nos)

    async def _known(self, case_nos: Sequence[str], most: int = MATTERS_MAX) -> tuple[Matter, ...]:
        asked = tuple(dict.fromkeys(case_nos))[:most]
        per_store = [
            await register.database.run(_known_of, asked, register.salt)
            for register in self._registers
        ]
        found = (put_together(parts) for parts in zip(*per_store, strict=True))
        return tuple(matter for matter in found if matter is not None)


def _known_of(db: Tables, case_nos: Sequence[str], salt: bytes) -> tuple[_Known, ...]:
    return tuple(
        _Known(
            case_no=case_no,
            receipt=outbox.receipt_of_case(db, case_no),
            is_delivered=outbox.is_delivered(db, case_no),
            notices=outbox.notices_of(db, case_no),
            is_withdrawing=bool(outbox.cases_of_person(db, withdrawal_mark(case_no, salt))),
        )
        for case_no in case_nos
    )


def put_together(parts: Sequence[_Known]) -> Matter | None:
    """Answer one matter from what each store knows of it; None when none knows anything.

    The centre tells former and present identity alike, so the same notice may lie in two
    stores: it is shown once. A case whose receipt burnt with another machine is known by its
    notices alone.
    """
    notices = _merged(notice for known in parts for notice in known.notices)
    receipt = next((known.receipt for known in parts if known.receipt is not None), None)
    told = tuple(notice for notice in notices if notice.kind not in _ASIDE)
    if receipt is None and not told:
        return None
    return Matter(
        case_no=parts[0].case_no,
        service=receipt.service if receipt is not None else notices[0].service,
        confirmed_ms=receipt.confirmed_ms if receipt is not None else 0,
        is_delivered=bool(notices) or any(known.is_delivered for known in parts),
        notices=told,
        is_rated=any(notice.kind == "rated" for notice in notices),
        is_withdrawing=any(known.is_withdrawing for known in parts),
        looks=tuple(notice for notice in notices if notice.kind == "looked"),
    )


def _merged(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    seen: dict[bytes, Notice] = {}
    for notice in notices:
        seen.setdefault(notice_digest(notice), notice)
    # Sorting is stable: within one store the centre's own order stays.
    return tuple(sorted(seen.values(), key=lambda notice: notice.at_ms))
