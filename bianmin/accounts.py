"""The demo's accounts: made once, with passwords of this machine alone."""

import os
import secrets
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from bianmin.village import Village, departments
from bianmin.words import Words, words

#: Role → the page of the centre where its work is.
START_PATHS: Final = {
    "clerk": "/desk",
    "operator": "/fleet",
    "auditor": "/audit",
    "admin": "/people",
}
# No letters or digits that look alike: people type these from a screen.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_CHARS: Final = 12  # 59 bits


class Account(msgspec.Struct, frozen=True):
    """One demo account as the page shows it."""

    name: str  #: to log in with
    role: str  #: a key of `START_PATHS`
    password: str

    @property
    def title(self) -> Words:
        """Answer what the role is called."""
        return words(f"role_{self.role}")

    @property
    def path(self) -> str:
        """Answer where this role begins its work."""
        return START_PATHS[self.role]


async def ensure_accounts(village: Village) -> tuple[Account, ...]:
    """Answer the demo's accounts; the first time, make them at the centre.

    The passwords are on disk (mode 600) before the centre knows them, so that a stop between
    the two never leaves an account whose password nobody has.

    Raises:
        ProgramFailed: The centre refused an account.
    """
    path = village.directory / "accounts.toml"
    accounts = _load(path) if path.exists() else _make(path)
    listed = await village.run("centre", "account", "list")
    known = {line.split()[0] for line in listed.splitlines() if line.strip()}
    for account in accounts:
        if account.name not in known:
            await village.run(
                *("centre", "account", "add", account.name, "--role", account.role),
                *_area(account.role),
                "--password-stdin",
                words=account.password + "\n",
            )
    return accounts


def _area(role: str) -> list[str]:
    # The demo's one clerk serves every department; a real one serves one or two.
    if role != "clerk":
        return []
    return [part for name in departments() for part in ("--department", name)]


def _make(path: Path) -> tuple[Account, ...]:
    accounts = tuple(Account(role, role, _password()) for role in START_PATHS)
    lines = ["# The demo's accounts at the centre; of no use anywhere else."]
    for account in accounts:
        lines += [f"[{account.name}]", f'role = "{account.role}"']
        lines += [f'password = "{account.password}"', ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 -- the mode must hold from the first byte
        file.write("\n".join(lines))
    return accounts


def _load(path: Path) -> tuple[Account, ...]:
    table = tomllib.loads(path.read_text("utf-8"))
    return tuple(
        Account(name, str(row["role"]), str(row["password"])) for name, row in table.items()
    )


def _password() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_PASSWORD_CHARS))
    return "-".join(letters[i : i + 4] for i in range(0, _PASSWORD_CHARS, 4))
