import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import identity

stems = st.builds(
    lambda region, born, order: f"{region}{born:%Y%m%d}{order:03d}",
    st.integers(100_000, 999_999),
    st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)),
    st.integers(0, 999),
)


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",
        "530121194602050013",
        "530121194611240011",
        "530121194611250017",
        "530121194611230016",
    ],
)
def test_id_number_with_its_check_digit_is_one(number: str) -> None:
    assert identity.is_id_number(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "110105194912310021",  # check digit
        "11010519491231002x",  # not normalised
        "110105491231002",  # 15 digits: void since 2013
        "11010519490230002X",  # no such day
        "01010519491231002X",  # no region begins with 0
        "１１０１０５１９４９１２３１００２X",
        "11010519491231002X\n",
    ],
)
def test_id_number_with_a_fault_is_none(number: str) -> None:
    assert not identity.is_id_number(number)


@given(stems)
def test_id_number_carries_birth_date_and_sex(stem: str) -> None:
    number = stem + identity.id_check_digit(stem)

    born = dt.date(int(stem[6:10]), int(stem[10:12]), int(stem[12:14]))
    assert identity.birth_date(number) == born
    assert identity.sex(number) == ("male" if int(stem[16]) % 2 else "female")


@given(stems, st.integers(0, 16), st.integers(1, 9))
def test_id_number_finds_every_single_wrong_digit(stem: str, place: int, shift: int) -> None:
    number = stem + identity.id_check_digit(stem)
    wrong = f"{number[:place]}{(int(number[place]) + shift) % 10}{number[place + 1 :]}"

    assert not identity.is_id_number(wrong)


@given(stems, st.integers(0, 15))
def test_id_number_finds_every_swap_of_neighbours(stem: str, place: int) -> None:
    number = stem + identity.id_check_digit(stem)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]

    assert identity.is_id_number(swapped) == (swapped == number)


def test_what_is_no_id_number_has_neither_birth_date_nor_sex() -> None:
    assert identity.birth_date("110105194912310021") is None
    assert identity.sex("110105194912310021") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13812345678", True),
        ("0871-6512345", True),
        ("087165123456", True),
        ("12812345678", False),
        ("1381234567", False),
        ("12345", False),
        ("１３８12345678", False),
    ],
)
def test_phone_is_a_mobile_or_a_landline_with_area(text: str, expected: bool) -> None:
    assert identity.is_phone(text) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [("6222021234567890128", True), ("6222021234567890127", False), ("", False), ("0000", False)],
)
def test_luhn(number: str, expected: bool) -> None:
    assert identity.passes_luhn(number) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("91350100M000100Y43", True),
        ("91350100M000100Y44", False),
        ("91350100I000100Y43", False),
        ("91350100M000100Y4", False),
    ],
)
def test_unified_social_credit_code(code: str, expected: bool) -> None:
    assert identity.is_credit_code(code) is expected


@pytest.mark.parametrize(
    "name",
    [
        "王",
        "王小明",
        "欧阳翠芬",
        "阿卜杜拉·买买提",
        "𬍡某",  # extension block C
        "张\ue123",  # a card reader's private glyph
        "好" * 50,
        "Ann Lee",
        "昆明市第一人民医院（北院）",
        "YT1804-20260311",
    ],
)
def test_name_of_any_people_can_stand(name: str) -> None:
    assert identity.is_person_name(name)


@pytest.mark.parametrize(
    "name", ["", " ", "王 ", "好" * 51, "王\n明", "···", "王<b>", "\ud800", "A  B", "王\u202e明"]
)
def test_name_with_what_no_name_has_cannot(name: str) -> None:
    assert not identity.is_person_name(name)


def test_id_number_is_stored_in_ascii_and_upper_case() -> None:
    assert identity.normalise_id_number(" １１０１０５ 19491231 002ｘ") == "11010519491231002X"


@pytest.mark.parametrize("dot", "·・•․‧")
def test_name_is_stored_with_one_kind_of_dot_and_no_spaces(dot: str) -> None:
    assert identity.normalise_name(f" 阿卜杜拉 {dot} 买买提 ") == "阿卜杜拉·买买提"


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    for normalise in (
        identity.normalise_digits,
        identity.normalise_id_number,
        identity.normalise_name,
    ):
        once = normalise(text)
        assert normalise(once) == once


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("id_card", "530121194602050013", "530121********0013"),
        ("phone", "13812341234", "138****1234"),
        ("bank_card", "6222021234567890128", "**** 0128"),
        ("name", "王小明", "王*明"),
        ("name", "王明", "王*"),
        ("name", "阿卜杜拉·买买提", "阿***"),
        ("", "530121", "530121"),
        ("name", "", ""),
        ("id_card", "", ""),
    ],
)
def test_mask(kind: str, value: str, expected: str) -> None:
    assert identity.mask(kind, value) == expected


@given(
    st.sampled_from(["id_card", "phone", "bank_card", "name"]),
    st.text("0123456789王", min_size=1, max_size=20),
)
def test_mask_never_shows_the_whole_however_short(kind: str, value: str) -> None:
    assert value not in identity.mask(kind, value)


def test_misspelt_mask_does_not_show_everything() -> None:
    with pytest.raises(ValueError, match="id_crad"):
        identity.mask("id_crad", "530121194602050013")
