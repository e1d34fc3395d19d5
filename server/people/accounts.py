"""Accounts and the rules that need no clock, disk or network."""

import re
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import msgspec

from server.people.errors import AccountRefused
from sync.clock import Entropy
from sync.limits import ACCOUNT_NAME_CHARS_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN

Role = Literal["operator", "clerk", "admin", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)

#: Crockford's alphabet: no I, L, O, U, so that a password read aloud is typed right.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_COMMON = Path(__file__).with_name("common_passwords.txt")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_VILLAGE_PREFIX = re.compile(r"(?:[0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})?")


class Account(msgspec.Struct, frozen=True):
    """One person's account; one role only, so that nobody both acts and erases the trace."""

    id: int
    #: Sign-in name, lower case; unique.
    name: str
    #: Name as colleagues say it, shown in the page's corner and in the audit feed.
    shown_name: str
    role: Role
    #: A clerk sees cases of these departments only; empty for other roles.
    departments: tuple[str, ...] = ()
    #: A clerk sees cases of villages whose 12-digit code begins so; "" = the whole county.
    village_prefix: str = ""
    #: The password was set by someone else and has to be replaced at the next sign-in.
    must_change: bool = False
    is_disabled: bool = False
    created_ms: int = 0
    #: Last sign-in, Unix ms; 0 = never.
    signed_in_ms: int = 0


class NewAccount(msgspec.Struct, frozen=True):
    """What an administrator fills in; `checked` answers it in its stored form."""

    name: str
    shown_name: str
    role: str
    departments: tuple[str, ...] = ()
    village_prefix: str = ""


@cache
def common_passwords() -> frozenset[str]:
    """Answer the shipped list of passwords that are guessed first, in lower case."""
    lines = _COMMON.read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def password_problem(password: str, name: str) -> str | None:
    """Answer why a password is refused, as a key of the texts; None when it is good.

    Length decides; composition rules and forced changes are left out, because they make people
    write passwords down (NIST SP 800-63B section 3.1.1). The list is offline: nothing about a
    password leaves the centre.
    """
    if len(password) < PASSWORD_CHARS_MIN:
        return "password_short"
    if len(password) > PASSWORD_CHARS_MAX:
        return "password_long"
    folded = password.casefold()
    if name.casefold() in folded and len(name) * 2 > len(folded):
        return "password_is_name"
    if folded in common_passwords() or _is_pattern(folded):
        return "password_common"
    return None


def checked(new: NewAccount) -> NewAccount:
    """Answer the account as it is stored, or say what is wrong.

    Raises:
        AccountRefused: The name, role, departments or village prefix does not fit.
    """
    name = new.name.strip().lower()
    if not _NAME.fullmatch(name) or len(name) > ACCOUNT_NAME_CHARS_MAX:
        raise AccountRefused("account_name")
    if new.role not in ROLES:
        raise AccountRefused("account_role")
    departments = tuple(dict.fromkeys(d.strip() for d in new.departments if d.strip()))
    if new.role == "clerk" and not departments:
        raise AccountRefused("account_department")
    if not _VILLAGE_PREFIX.fullmatch(new.village_prefix.strip()):
        raise AccountRefused("account_village")
    is_clerk = new.role == "clerk"
    return NewAccount(
        name=name,
        shown_name=new.shown_name.strip()[:ACCOUNT_NAME_CHARS_MAX] or name,
        role=new.role,
        # Areas mean something for clerks only; kept elsewhere they would look like a grant.
        departments=departments if is_clerk else (),
        village_prefix=new.village_prefix.strip() if is_clerk else "",
    )


def one_time_password(entropy: Entropy) -> str:
    """Make a first password of 80 bits in four groups; it must be replaced at sign-in.

    >>> from sync.clock import SeededEntropy
    >>> len(one_time_password(SeededEntropy(1)))
    19
    """
    bits = int.from_bytes(entropy.token_bytes(10), "big")
    letters = "".join(ALPHABET[bits >> shift & 31] for shift in range(0, 80, 5))
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def _is_pattern(folded: str) -> bool:
    """Answer whether it is one short piece repeated, or a run along the keyboard or the digits."""
    for size in range(1, len(folded) // 2 + 1):
        if (folded[:size] * (len(folded) // size + 1))[: len(folded)] == folded:
            return True
    return any(folded in run * 2 or folded in run[::-1] * 2 for run in _RUNS)


_RUNS = (
    "01234567890",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1q2w3e4r5t6y7u8i9o0p",
)
