"""Numbers and PINs of helpers: made, checked slowly, taken back; wrong ones wait."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.assisted.cli import helper
from kiosk.assisted.company import Helper
from kiosk.assisted.roster import FILE_NAME, HelperRefused, Roster
from kiosk.assisted.tries import Tries, wait_after_s
from kiosk.events import (
    CheckHelper,
    CountUnmet,
    DayListed,
    HelperKnown,
    ListDay,
    Submit,
    Tallied,
    Tally,
)
from kiosk.events import HelperRefused as Refused
from sync.clock import SeededEntropy
from sync.limits import HELPER_WAIT_S_MAX
from sync.records import Transaction
from tests.unit.kiosk.parts import PHONE
from tests.unit.kiosk.stations import Station, station

NOW_MS = 1_795_500_000_000


def roster(folder: Path) -> Roster:
    return Roster(folder)


def test_helper_signs_in_with_the_pin_that_was_drawn(tmp_path: Path) -> None:
    account, pin = roster(tmp_path).add("张婷", "", NOW_MS, SeededEntropy(1))

    assert (account.number, len(pin)) == ("1", 6)
    assert roster(tmp_path).check("1", pin) == Helper("1", "张婷")


def test_wrong_pin_and_unknown_number_are_nobody(tmp_path: Path) -> None:
    _, pin = roster(tmp_path).add("张婷", "12", NOW_MS, SeededEntropy(1))
    wrong = f"{(int(pin) + 1) % 10**6:06d}"

    assert roster(tmp_path).check("12", wrong) is None
    assert roster(tmp_path).check("13", pin) is None


def test_pin_is_not_in_the_file(tmp_path: Path) -> None:
    _, pin = roster(tmp_path).add("张婷", "12", NOW_MS, SeededEntropy(1))

    raw = (tmp_path / FILE_NAME).read_bytes()

    assert "张婷".encode() in raw
    assert pin.encode() not in raw
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_revoked_helper_does_not_come_in_and_the_number_is_not_given_again(tmp_path: Path) -> None:
    _, pin = roster(tmp_path).add("张婷", "12", NOW_MS, SeededEntropy(1))
    roster(tmp_path).revoke("12")

    assert roster(tmp_path).check("12", pin) is None
    with pytest.raises(HelperRefused):
        roster(tmp_path).add("李明", "12", NOW_MS, SeededEntropy(2))


def test_revoked_helper_cannot_use_an_empty_hash(tmp_path: Path) -> None:
    roster(tmp_path).add("张婷", "12", NOW_MS, SeededEntropy(1))
    roster(tmp_path).revoke("12")

    assert roster(tmp_path).check("12", "") is None


def test_another_pin_replaces_the_first(tmp_path: Path) -> None:
    _, first = roster(tmp_path).add("张婷", "12", NOW_MS, SeededEntropy(1))

    second = roster(tmp_path).renew("12", SeededEntropy(2))

    assert roster(tmp_path).check("12", first) is None
    assert roster(tmp_path).check("12", second) == Helper("12", "张婷")


def test_damaged_file_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{", "utf-8")

    with pytest.raises(HelperRefused, match="damaged"):
        roster(tmp_path).accounts()

    assert (tmp_path / FILE_NAME).read_text("utf-8") == "{"


# --- wrong tries ---


def test_five_typing_errors_cost_nothing_and_then_waits_double() -> None:
    waits = [wait_after_s(count) for count in range(11)]

    assert waits == [0, 0, 0, 0, 0, 60, 120, 240, 480, 900, 900]


def failed_often(folder: Path, count: int) -> Tries:
    tries = Tries(folder)
    for _ in range(count):
        tries.failed(NOW_MS)
    return tries


def test_restart_does_not_shorten_the_wait(tmp_path: Path) -> None:
    failed_often(tmp_path, 6)

    assert Tries(tmp_path).wait_s(NOW_MS + 20_000) == 100


def test_right_pin_forgets_the_wrong_ones(tmp_path: Path) -> None:
    failed_often(tmp_path, 4).passed()

    again = failed_often(tmp_path, 4)

    assert again.wait_s(NOW_MS) == 0


def test_clock_that_was_set_back_by_years_locks_nobody_out(tmp_path: Path) -> None:
    tries = failed_often(tmp_path, 9)

    back_ms = NOW_MS - 10 * 365 * 86_400_000
    assert tries.wait_s(back_ms) == HELPER_WAIT_S_MAX
    assert tries.wait_s(back_ms + 60_000) == HELPER_WAIT_S_MAX - 60
    assert Tries(tmp_path).wait_s(back_ms + HELPER_WAIT_S_MAX * 1000) == 0


# --- at the kiosk ---


async def done(kiosk: Station, *effects: object) -> list[object]:
    assert kiosk.stage.loaded is not None
    return list(await kiosk.parts.effects.run(effects, kiosk.stage.loaded))  # type: ignore[arg-type]


async def test_kiosk_knows_its_helper_without_a_link(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        _, pin = roster(tmp_path).add("张婷", "12", NOW_MS, SeededEntropy(1))

        events = await done(kiosk, CheckHelper("12", "000000"), CheckHelper("12", pin))

        assert events == [Refused(0), HelperKnown(Helper("12", "张婷"))]


async def test_too_many_wrong_pins_stop_even_the_right_one(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        _, pin = roster(tmp_path).add("张婷", "12", NOW_MS, SeededEntropy(1))
        failed_often(tmp_path, 0)
        for _ in range(5):
            await done(kiosk, CheckHelper("12", "000000"))

        (stopped,) = await done(kiosk, CheckHelper("12", pin))

        assert stopped == Refused(60)


def handed_in(transaction_id: bytes, helper: str) -> Submit:
    answers = {
        "consent": "OK",
        "name": "王秀兰",
        "phone": PHONE,
        "village_code": "530121100201",
        "need": "phone",
        "come_to_home": "yes",
        "when_free": "morning",
    }
    return Submit(Transaction(transaction_id, "helper_request", "zh-CN", answers, helper=helper))


async def test_day_list_has_the_helpers_own_cases_of_today(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        mine, other, alone = await done(
            kiosk,
            handed_in(b"a" * 16, "12:touch"),
            handed_in(b"b" * 16, "7:touch"),
            handed_in(b"c" * 16, ""),
        )

        (listed,) = await done(kiosk, ListDay("12"))

        assert isinstance(listed, DayListed)
        assert [one.case_no for one in listed.matters] == [mine.receipt.case_no]  # type: ignore[attr-defined]
        assert other != alone


async def test_yesterdays_cases_are_not_todays(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await done(kiosk, handed_in(b"a" * 16, "12:touch"))
        await kiosk.clock.sleep(86_400.0)

        (listed,) = await done(kiosk, ListDay("12"))

        assert listed == DayListed(())


async def test_who_helped_is_not_readable_on_the_disk(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await done(kiosk, handed_in(b"a" * 16, "47118053:touch"))

        found = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())

        assert b"004200000" in found
        assert b"47118053" not in found


async def test_unmet_needs_are_counted_by_day_and_nothing_else(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await done(kiosk, CountUnmet(), CountUnmet())
        await kiosk.clock.sleep(86_400.0)
        await done(kiosk, CountUnmet())

        assert list(kiosk.parts.effects.unmet.values()) == [2, 1]


async def test_touch_of_what_is_not_found_is_counted(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await kiosk.touch("other")

        assert list(kiosk.parts.effects.unmet.values()) == [1]


async def test_board_counts_what_was_handed_in_here(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await done(kiosk, handed_in(b"a" * 16, ""), handed_in(b"b" * 16, ""))

        assert await done(kiosk, Tally()) == [Tallied(2, 0)]


# --- the command ---


def test_command_adds_lists_and_revokes(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(helper, [*arguments, "--data", str(tmp_path)])
        assert result.exit_code == 0, result.output
        return result.output

    badge = tmp_path / "badge.svg"
    added = run("add", "张婷", "--number", "12", "--badge", str(badge))
    run("revoke", "12")

    assert "number 12 and PIN " in added
    assert run("list") == "12    张婷  revoked\n"
    assert badge.read_text("utf-8").startswith("<svg")
