"""Accounts: what is refused, and what a password must be."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.people.accounts import (
    Account,
    NewAccount,
    checked,
    common_passwords,
    one_time_password,
    password_problem,
)
from server.people.errors import AccountRefused
from server.people.permission import may_see_case
from sync.clock import SeededEntropy


def new(**given: object) -> NewAccount:
    plain = {"name": "limin", "shown_name": "李敏", "role": "clerk", "departments": ("民政局",)}
    return NewAccount(**(plain | given))  # type: ignore[arg-type]


def test_account_is_stored_in_its_plain_form() -> None:
    wanted = new(
        name=" LiMin ", departments=("民政局", " ", "民政局"), village_prefix=" 522326104 "
    )

    assert checked(wanted) == new(village_prefix="522326104")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name": ""}, "account_name"),
        ({"name": "李敏"}, "account_name"),
        ({"name": "x" * 41}, "account_name"),
        ({"role": "root"}, "account_role"),
        ({"role": "clerk admin"}, "account_role"),
        ({"departments": ()}, "account_department"),
        ({"village_prefix": "52232"}, "account_village"),
        ({"village_prefix": "52232610420x"}, "account_village"),
    ],
)
def test_account_that_does_not_fit_is_refused(given: dict[str, object], reason: str) -> None:
    with pytest.raises(AccountRefused) as refused:
        checked(new(**given))

    assert refused.value.reason == reason


def test_areas_are_kept_for_clerks_only() -> None:
    wanted = new(role="operator", village_prefix="522326104")

    assert checked(wanted) == new(role="operator", departments=(), village_prefix="")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("eleven char", "password_short"),
        ("x" * 129, "password_long"),
        ("Password1234", "password_common"),
        ("qwertyuiopas", "password_common"),
        ("zxcvbnmzxcvbnm", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("abcabcabcabca", "password_common"),
        ("098765432109", "password_common"),
        ("wangxiuying1", "password_is_name"),
        ("four quiet herons walk", None),
        ("水牛喜欢在河边慢慢地吃青草", None),
    ],
)
def test_password_is_judged_by_length_and_by_how_soon_it_is_guessed(
    password: str, reason: str | None
) -> None:
    assert password_problem(password, "wangxiuying") == reason


@given(st.text(max_size=11))
def test_no_short_password_is_taken(password: str) -> None:
    assert password_problem(password, "limin") == "password_short"


def test_every_common_password_on_the_list_would_be_long_enough() -> None:
    assert [word for word in common_passwords() if not 12 <= len(word) <= 128] == []
    assert all(word == word.casefold() for word in common_passwords())


@given(st.integers())
def test_one_time_password_has_80_bits_in_four_groups_and_passes_the_rules(seed: int) -> None:
    password = one_time_password(SeededEntropy(seed))

    assert re.fullmatch("(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", password)
    assert password_problem(password, "limin") is None


@pytest.mark.parametrize(
    ("department", "village", "may"),
    [
        ("民政局", "522326104205", True),
        ("民政局、残疾人联合会", "522326104205", True),
        ("县民政局", "522326104205", False),
        ("财政局", "522326104205", False),
        ("民政局", "522326105201", False),
        ("民政局", "", False),
    ],
)
def test_clerk_sees_cases_of_own_department_and_area_only(
    department: str, village: str, may: bool
) -> None:
    clerk = Account(1, "limin", "李敏", "clerk", ("民政局",), "522326104")

    assert may_see_case(clerk, department, village) is may


@pytest.mark.parametrize("role", ["operator", "admin", "auditor"])
def test_no_other_role_sees_a_case(role: str) -> None:
    other = Account(1, "limin", "李敏", role, ("民政局",), "")  # type: ignore[arg-type]

    assert not may_see_case(other, "民政局", "522326104205")
