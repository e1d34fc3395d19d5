"""A card laid on the reader answers the question that waits for it, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.card import is_awaited
from kiosk.devices.card_reader import CardSeen
from kiosk.devices.reading import Reading
from kiosk.events import CardCame
from kiosk.places import Asking
from kiosk.screens import Screen
from tests.unit.kiosk.devices.nothing import without_devices
from tests.unit.kiosk.devices.test_card_reader import CARD
from tests.unit.kiosk.parts import FITTING, OLD_ID, Visitor, catalogue, wordings
from tests.unit.kiosk.stations import Station, station
from tests.unit.kiosk.test_views import assert_complete
from tests.unit.kiosk.visitors import asking
from tests.unit.sync.worlds import JumpingClock
from voice_prompts.wording import LANGUAGES

NAME = "王秀兰"
READ = CardCame(OLD_ID, NAME)


def at(service: str, question: str, language: str = "zh-CN") -> Visitor:
    visitor = asking(service, question, language)
    visitor.world = replace(visitor.world, card_reader="ready")
    return visitor


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def test_card_fills_in_number_and_name_and_the_resident_goes_on() -> None:
    visitor = at("senior_allowance", "id_number").give(READ)

    assert visitor.draft.answers["id_number"] == OLD_ID
    assert visitor.draft.answers["name"] == NAME
    assert visitor.visit.place == Asking("id_number", is_read=True)
    visitor.do("answer", OLD_ID, "id_number")
    assert visitor.visit.place != Asking("id_number")


def test_card_answers_the_name_too() -> None:
    visitor = at("senior_allowance", "name")
    visitor.visit = replace(
        visitor.visit, draft=replace(visitor.draft, answers={"applicant_kind": "self"})
    )

    visitor.give(READ)

    assert visitor.draft.answers["name"] == NAME
    assert visitor.draft.answers["id_number"] == OLD_ID


def test_card_never_overwrites_what_was_typed_for_another_question() -> None:
    visitor = at("senior_allowance", "name").give(CardCame(OLD_ID, "李建国"))

    assert visitor.draft.answers["id_number"] == FITTING["id_number"]


def test_mothers_card_answers_for_the_mother_alone() -> None:
    visitor = at("newborn", "mother_id").give(READ)
    names = {key: value for key, value in visitor.draft.answers.items() if value == NAME}

    assert visitor.draft.answers["mother_id"] == OLD_ID
    assert "mother_name" not in names


@pytest.mark.parametrize(
    ("service", "question"),
    [("newborn", "baby_name"), ("proof_letter", "to_whom"), ("senior_allowance", "phone")],
)
def test_no_card_is_asked_for_what_no_card_tells(service: str, question: str) -> None:
    visitor = at(service, question)
    before = visitor.visit

    assert not is_awaited(before, catalogue())
    assert visitor.give(READ).visit is before
    assert not shown(visitor).is_live


def test_new_card_is_another_transaction() -> None:
    visitor = at("senior_allowance", "id_number")
    visitor.visit = replace(visitor.visit, draft=replace(visitor.draft, transaction_id=b"x" * 16))

    assert visitor.give(READ).draft.transaction_id == b""


@pytest.mark.parametrize("language", LANGUAGES)
def test_card_is_offered_in_sight_and_in_sound(language: str) -> None:
    visitor = at("senior_allowance", "id_number", language)
    screen, put = shown(visitor), wordings()[language].screen("card.put")

    assert put in screen.lines
    assert put in [one.template for one in screen.say]
    assert screen.is_live
    assert_complete(visitor.visit, visitor.world)


@pytest.mark.parametrize("reader", ["", "gone"])
def test_card_is_not_offered_without_a_reader(reader: str) -> None:
    visitor = at("senior_allowance", "id_number")
    visitor.world = replace(visitor.world, card_reader=reader)
    screen = shown(visitor)

    assert wordings()["zh-CN"].screen("card.put") not in screen.lines
    assert not screen.is_live


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_read_is_shown_to_be_looked_at_and_not_spoken(language: str) -> None:
    visitor = at("senior_allowance", "id_number", language).give(READ)
    screen = shown(visitor)

    assert screen.entry is not None
    assert screen.entry.value == OLD_ID
    assert screen.entry.echo
    assert [one.template for one in screen.say] == [wordings()[language].screen("card.read")]
    assert_complete(visitor.visit, visitor.world)


@pytest.mark.parametrize("language", LANGUAGES)
def test_card_that_was_not_read_is_told_with_what_to_do_and_loses_nothing(language: str) -> None:
    visitor = at("senior_allowance", "id_number", language)
    answers = visitor.draft.answers
    visitor.give(CardCame()).give(CardCame())
    screen = shown(visitor)

    assert screen.error.startswith(wordings()[language].screen("error.card"))
    assert visitor.draft.answers == answers
    assert isinstance(visitor.visit.place, Asking)
    assert visitor.visit.place.tries == 2
    assert_complete(visitor.visit, visitor.world)


def test_card_that_comes_late_or_under_an_overlay_changes_nothing() -> None:
    home = Visitor(card_reader="ready")
    covered = at("senior_allowance", "id_number").do("help")
    before = (home.visit, covered.visit)

    assert (home.give(READ).visit, covered.give(READ).visit) == before


# --- a whole kiosk with a reader ---


class Pad:
    """A reader on which a test lays cards."""

    def __init__(self) -> None:
        self.seen = CardSeen("none")
        self.looks = 0

    def is_there(self) -> bool:
        return self.seen.kind != "gone"

    def look(self) -> CardSeen:
        self.looks += 1
        return self.seen


@asynccontextmanager
async def kiosk_with(pad: Pad, directory: Path) -> AsyncIterator[tuple[Station, Reading]]:
    reading = Reading(pad, JumpingClock())
    async with station(directory, devices=without_devices(reading=reading)) as kiosk:
        yield kiosk, reading
        await kiosk.parts.devices.close()


async def to_number(kiosk: Station) -> None:
    await kiosk.touch("service", "pension_auth")
    for _ in range(12):
        screen, _, _ = await kiosk.stage.screen()
        if screen.entry is None:
            await kiosk.touch(screen.next_action)
        elif screen.entry.kind == "id_number":
            return
        else:
            value = "OK" if screen.entry.kind == "consent" else screen.tiles[0].value
            await kiosk.touch("answer", value, screen.entry.question)
    raise AssertionError("never asks for the number")


async def test_kiosk_reads_a_card_only_when_asked_and_goes_on(tmp_path: Path) -> None:
    pad = Pad()
    async with kiosk_with(pad, tmp_path) as (kiosk, reading):
        pad.seen = CardSeen("read", CARD)
        await reading.look()
        await reading.look()
        unasked = pad.looks
        await to_number(kiosk)
        await reading.look()
        screen, _, visit = await kiosk.stage.screen()

    assert unasked == 0
    assert screen.entry is not None
    assert screen.entry.value == OLD_ID
    assert visit.draft is not None
    assert visit.draft.answers["name"] == NAME


async def test_reader_that_is_pulled_out_in_the_middle_leaves_the_keys(tmp_path: Path) -> None:
    pad = Pad()
    async with kiosk_with(pad, tmp_path) as (kiosk, reading):
        await reading.look()
        await to_number(kiosk)
        pad.seen = CardSeen("gone")
        await reading.look()
        screen, _, _ = await kiosk.stage.screen()
        await kiosk.touch("answer", OLD_ID, "id_number")
        onward, _, _ = await kiosk.stage.screen()

    assert not screen.is_live
    assert onward.entry is not None
    assert onward.entry.question != "id_number"
