"""What a step and a screen need to know, gathered from the store, the agent and the settings."""

import sqlite3

import msgspec
from sqlite_utils import Database as Tables

from kiosk.carry import Carry
from kiosk.parts import Parts
from kiosk.phrases import day_of
from kiosk.rest import is_within
from kiosk.visit import DEFAULT_LANGUAGE, Visit
from kiosk.world import DEFAULT_HOTLINE, StickView, World
from sync import outbox
from sync.catalogues import Loaded
from sync.database import StorageFailed
from sync.forms import Catalogue
from sync.ids import uuid7
from sync.records import Receipt
from sync.wire import CourierTooLong, carry_url, courier_url

_TOKEN_BYTES = 16
_NOTHING = Catalogue(
    schema="",
    version="",
    default_language=DEFAULT_LANGUAGE,
    languages=(DEFAULT_LANGUAGE, "en"),
    types={},
    categories=(),
    shared_choice_lists={},
    system_variables=(),
    services=(),
)


class Facts(msgspec.Struct, frozen=True):
    """What a step needs from the store."""

    pending: int = 0
    carried: int = 0
    is_delivered: bool = False
    courier: bytes = b""
    due_on: str = ""
    due_is_about: bool = False


async def world_now(
    parts: Parts, loaded: Loaded | None, visit: Visit, stick: StickView | None
) -> World:
    """Answer the world at this moment.

    Args:
        parts: Store, agent, clock, settings.
        loaded: The visit's catalogue; None before the first has come.
        visit: Whose screen is to be shown.
        stick: What happens to a stick that is in.
    """
    state = parts.agent.state
    now_ms = parts.clock.now_ms()
    facts = await _facts(parts, visit)
    return World(
        catalogue=loaded.catalogue if loaded else _NOTHING,
        today=day_of(now_ms, parts.settings.utc_offset_min),
        fresh_id=uuid7(now_ms, parts.entropy),
        fresh_token=fresh_token(parts),
        villages=loaded.villages if loaded else (),
        village_code=parts.identity.village_code,
        kiosk_no=parts.identity.kiosk_no,
        reasons=loaded.reasons if loaded else {},
        hotline=loaded.hotline if loaded else DEFAULT_HOTLINE,
        pending=facts.pending,
        carried=facts.carried,
        carry_url=carry_url(parts.identity.public_url),
        stick=stick,
        dialects=parts.library.dialects(),
        is_reachable=state.is_reachable,
        last_ok_ms=state.last_ok_ms or 0,
        utc_offset_min=parts.settings.utc_offset_min,
        is_quiet=is_within(parts.settings.quiet_hours, now_ms, parts.settings.utc_offset_min),
        printer=parts.devices.printing.view,
        card_reader=parts.devices.reading.view,
        scanner=parts.devices.scanner.view,
        has_handwriting=parts.hand.is_offered,
        is_delivered=facts.is_delivered,
        courier_url=_courier_url(parts, facts.courier),
        due_on=facts.due_on,
        due_is_about=facts.due_is_about,
        idle_s=parts.settings.idle_s,
    )


def fresh_token(parts: Parts) -> str:
    """Answer an unguessable id of a visit."""
    return parts.entropy.token_bytes(_TOKEN_BYTES).hex()


async def _facts(parts: Parts, visit: Visit) -> Facts:
    try:
        return await parts.database.run(_facts_of, visit.receipt, parts.carry)
    except (StorageFailed, sqlite3.Error, OSError):
        # A screen is shown even while the store is not readable.
        return Facts()


def _courier_url(parts: Parts, raw: bytes) -> str:
    if not raw or not parts.identity.public_url:
        return ""
    try:
        return courier_url(parts.identity.public_url, raw)
    except (CourierTooLong, ValueError):
        return ""


def _facts_of(db: Tables, receipt: Receipt | None, carry: Carry) -> Facts:
    pending, carried = outbox.waiting(db).count, carry.count(db)
    if receipt is None:
        return Facts(pending=pending, carried=carried)
    try:
        courier = outbox.courier_of(db, receipt.seq)
    except outbox.OutboxEmpty:
        courier = b""
    due = next((n for n in reversed(outbox.notices_of(db, receipt.case_no)) if n.due_on), None)
    return Facts(
        pending=pending,
        carried=carried,
        is_delivered=outbox.is_delivered(db, receipt.case_no),
        courier=courier,
        due_on=due.due_on if due else "",
        due_is_about=due.is_about if due else False,
    )
