"""Sums in capital figures: each sum has one writing, and the writing gives the sum back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.entry.money import capital

DIGITS = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
PLACES = {"拾": 10, "佰": 100, "仟": 1000}


def read_back(written: str) -> int:
    """Read capital figures as a bank clerk does; answers fen."""
    rest = written.removesuffix("整")
    fen = 0
    if "元" in rest:
        whole, rest = rest.split("元")
        for size, group in ((10**8, "亿"), (10**4, "万")):
            if group in whole:
                part, whole = whole.split(group)
                fen += _group(part) * size
        fen = (fen + _group(whole)) * 100
    digit = 0
    for character in rest:
        digit = DIGITS.get(character, digit)
        fen += {"角": 10, "分": 1}.get(character, 0) * digit
    return fen


def _group(written: str) -> int:
    total = digit = 0
    for character in written:
        if character in PLACES:
            total += digit * PLACES[character]
            digit = 0
        else:
            digit = DIGITS[character]
    return total + digit


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        # The examples of the rule's annex.
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("10", "壹拾元整"),
        ("100", "壹佰元整"),
        ("20300004000", "贰佰零叁亿零肆仟元整"),
        ("0.5", "伍角整"),
        ("0.05", "伍分"),
        ("12.", "壹拾贰元整"),
    ],
)
def test_sum_is_written_as_the_rule_says(amount: str, written: str) -> None:
    assert capital(amount) == written


@pytest.mark.parametrize("amount", ["", "0", "0.00", "-5", "1.234", "1,000", "１", "1234567890123"])
def test_what_is_no_sum_has_no_writing(amount: str) -> None:
    assert capital(amount) == ""


@given(st.integers(1, 10**14 - 1))
def test_writing_gives_the_sum_back_and_never_doubles_a_zero(fen: int) -> None:
    written = capital(f"{fen // 100}.{fen % 100:02d}")

    assert read_back(written) == fen
    assert "零零" not in written
    assert not written.startswith("零")
    assert "零元" not in written
    assert "零万" not in written
    assert "零亿" not in written


@given(st.integers(1, 10**14 - 1), st.integers(1, 10**14 - 1))
def test_two_sums_are_never_written_alike(one: int, two: int) -> None:
    amounts = [f"{fen // 100}.{fen % 100:02d}" for fen in (one, two)]

    assert (capital(amounts[0]) == capital(amounts[1])) is (one == two)
