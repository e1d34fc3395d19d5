"""My matters: withdraw what is not decided, rate what is, see who looked."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.assisted.company import Helper
from kiosk.events import Committed, Failed, Found, Submit
from kiosk.places import (
    Agreeing,
    Asking,
    AtFault,
    AtLooks,
    AtMatter,
    AtThanks,
    Rating,
    Waiting,
    Withdrawing,
)
from kiosk.screens import Screen
from kiosk.visit import Matter
from sync.assistance import read
from sync.records import Notice, Transaction
from sync.withdrawal import is_withdrawal
from tests.unit.kiosk.companions import place_of
from tests.unit.kiosk.parts import Visitor, receipt, wordings
from tests.unit.kiosk.stations import station
from tests.unit.kiosk.visitors import CASE, CORRECTION, submitted

RECEIVED = Notice(
    number=1, case_no=CASE, kind="received", service="pension_auth", at_ms=1_795_500_000_000
)
COMPLETED = replace(RECEIVED, number=2, kind="completed")


def matter(*notices: Notice, **more: object) -> Matter:
    return Matter(CASE, "pension_auth", 1_795_500_000_000, True, notices, **more)  # type: ignore[arg-type]


def found(*notices: Notice, by: str = "id", **more: object) -> Visitor:
    """Somebody before their matter, found by ID card or by the number on the slip."""
    visitor = Visitor().do("matters").fill(find_by=by, case_no=CASE)
    return visitor.give(Found((matter(*notices, **more),)))


def shown(visitor: Visitor) -> Screen:
    return views.screen(visitor.visit, visitor.world, wordings())


def actions(visitor: Visitor) -> list[str]:
    return [tile.action for tile in shown(visitor).tiles]


# --- withdraw ---


def test_withdrawal_is_a_transaction_that_names_the_matter_and_answers_nothing() -> None:
    visitor = found(RECEIVED).do("withdraw", CASE)
    assert place_of(visitor) == Withdrawing(CASE)

    visitor.do("withdraw_yes")

    said = submitted(visitor)
    assert said == Transaction(
        id=b"0123456789abcdef",
        service="pension_auth",
        language="zh-CN",
        answers={},
        corrects=CASE,
    )
    assert is_withdrawal(said)


def test_withdrawal_ends_with_thanks_and_no_receipt_to_wait_for() -> None:
    visitor = found(RECEIVED).do("withdraw", CASE).do("withdraw_yes")

    visitor.give(Committed(receipt("pension_auth", 138)))

    assert place_of(visitor) == AtThanks("withdrawn")
    assert visitor.visit.receipt is None
    assert "撤回已收好" in shown(visitor).lines[0]


def test_one_may_think_better_of_it() -> None:
    visitor = found(RECEIVED).do("withdraw", CASE)

    visitor.do("withdraw_no")

    assert place_of(visitor) == AtMatter(CASE)
    assert visitor.effects == ()


def test_correction_that_was_begun_outlives_a_look_and_a_second_thought() -> None:
    visitor = found(replace(CORRECTION, missing=("phone", "living_place"))).do("correct", CASE)
    visitor.do("answer", "13800138001", "phone").do("back").do("back")
    begun = visitor.draft
    assert place_of(visitor) == AtMatter(CASE)

    visitor.do("withdraw", CASE).do("withdraw_no").do("looks", CASE).do("back")

    assert visitor.draft == begun
    assert begun.answers == {"phone": "13800138001"}


def test_number_alone_ends_nothing() -> None:
    visitor = found(RECEIVED, by="slip")

    visitor.do("withdraw", CASE)

    assert place_of(visitor) == Asking("id_number")
    assert visitor.draft.answers == {"find_by": "id"}


@pytest.mark.parametrize("kind", ["completed", "refused", "withdrawn"])
def test_ended_matter_cannot_be_withdrawn(kind: str) -> None:
    visitor = found(replace(RECEIVED, kind=kind))

    assert "withdraw" not in actions(visitor)
    assert visitor.do("withdraw", CASE).visit.place == AtMatter(CASE)


def test_withdrawal_under_way_is_said_and_not_offered_again() -> None:
    visitor = found(RECEIVED, is_withdrawing=True)

    assert shown(visitor).lines[0] == "撤回已收好，正在送去"
    assert "withdraw" not in actions(visitor)


def test_withdrawal_that_came_too_late_is_said() -> None:
    visitor = found(COMPLETED, is_withdrawing=True)

    assert "撤回晚了一步，事情已经办完。" in shown(visitor).lines


def test_centres_word_of_the_withdrawal_ends_the_road() -> None:
    screen = shown(found(RECEIVED, replace(RECEIVED, number=2, kind="withdrawn")))

    assert [item.label for item in screen.timeline] == ["交上来了", "县里收到了", "已撤回"]
    assert screen.lines[0] == "这件事已经撤回，不再办了。"


def test_disk_that_takes_no_withdrawal_can_be_asked_again() -> None:
    visitor = found(RECEIVED).do("withdraw", CASE).do("withdraw_yes").give(Failed("507"))
    assert place_of(visitor) == AtFault("507")
    first = visitor.draft.transaction_id

    visitor.do("retry")

    assert place_of(visitor) == Waiting("submit")
    assert submitted(visitor).id == first


def test_back_from_the_fault_is_the_matter() -> None:
    visitor = found(RECEIVED).do("withdraw", CASE).do("withdraw_yes").give(Failed("507"))

    visitor.do("back")

    assert place_of(visitor) == AtMatter(CASE)
    assert visitor.visit.draft is None


def test_helper_does_not_withdraw_for_somebody_who_does_not_agree() -> None:
    visitor = found(RECEIVED)
    visitor.visit = replace(visitor.visit, helper=Helper("12"))
    visitor.do("withdraw", CASE).do("withdraw_yes")
    assert place_of(visitor) == Agreeing()

    visitor.do("agree")

    assert read(submitted(visitor).helper) == read("12:touch")
    assert is_withdrawal(submitted(visitor))


def test_correction_is_no_withdrawal() -> None:
    visitor = found(CORRECTION).do("correct", CASE).fill().hand_in()

    assert not is_withdrawal(submitted(visitor))


async def test_withdrawal_is_kept_sealed_and_shown_until_the_centre_answers(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        assert kiosk.stage.loaded is not None
        said = Transaction(b"0123456789abcdef", "pension_auth", "zh-CN", {}, corrects=CASE)

        run = kiosk.parts.effects.run
        (first,) = await run([Submit(said)], kiosk.stage.loaded)
        (again,) = await run([Submit(said)], kiosk.stage.loaded)

        assert isinstance(first, Committed)
        assert first == again
        # A power cut now owes nobody a receipt.
        assert kiosk.parts.trail.owed() is None


# --- rate ---


def test_decided_matter_is_rated_from_my_matters() -> None:
    visitor = found(COMPLETED)
    assert "rate_matter" in actions(visitor)
    visitor.do("rate_matter", CASE)
    assert place_of(visitor) == Rating(CASE)

    visitor.do("rate", "satisfied")

    assert submitted(visitor).answers == {"case_no": CASE, "level": "satisfied"}
    visitor.give(Committed(receipt("rating", 139)))
    assert place_of(visitor) == AtThanks("rated")


def test_number_alone_rates_nothing() -> None:
    visitor = found(COMPLETED, by="slip").do("rate_matter", CASE)

    assert place_of(visitor) == Asking("id_number")


def test_bad_rating_of_a_matter_is_asked_why_and_back_is_its_faces() -> None:
    visitor = found(COMPLETED).do("rate_matter", CASE).do("rate", "dissatisfied")
    assert place_of(visitor) == Asking("why_bad")

    visitor.do("back")

    assert place_of(visitor) == Rating(CASE)


@pytest.mark.parametrize(("notice", "is_rated"), [(RECEIVED, False), (COMPLETED, True)])
def test_matter_is_rated_once_and_only_when_decided(notice: Notice, is_rated: bool) -> None:
    visitor = found(notice, is_rated=is_rated)

    assert "rate_matter" not in actions(visitor)
    assert visitor.do("rate_matter", CASE).visit.place == AtMatter(CASE)


def test_matter_is_not_rated_before_a_helpers_eyes() -> None:
    visitor = found(COMPLETED)
    visitor.visit = replace(visitor.visit, helper=Helper("12"))

    visitor.do("rate_matter", CASE)

    assert (place_of(visitor), visitor.visit.helper) == (Rating(CASE, is_helped=True), None)


# --- who looked ---


LOOK = replace(RECEIVED, number=3, kind="looked", words="民政局：核对材料")


def test_looks_are_listed_with_office_and_purpose() -> None:
    visitor = found(RECEIVED, looks=(LOOK,)).do("looks", CASE)

    assert place_of(visitor) == AtLooks(CASE)
    assert [row.value for row in shown(visitor).rows] == ["民政局：核对材料"]
    assert visitor.do("back").visit.place == AtMatter(CASE)


def test_nobody_looked_is_said() -> None:
    assert shown(found(RECEIVED).do("looks", CASE)).lines[0] == "还没有人看过"


def test_looks_are_not_shown_for_a_number_alone() -> None:
    visitor = found(RECEIVED, by="slip", looks=(LOOK,)).do("looks", CASE)

    assert place_of(visitor) == Asking("id_number")
