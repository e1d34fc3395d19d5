"""Which roles a page is for: said at its handler, asked by the guard and by a test."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from server.people.accounts import ROLES, Account, Role

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_H = TypeVar("_H", bound=Handler)

#: For everyone, without signing in.
PUBLIC: frozenset[Role] = frozenset()

#: Machines prove themselves by signatures there; cookies and pages play no part.
MACHINE_PATHS = ("/sync/", "/healthz", "/metrics")


def require(*roles: Role) -> Callable[[_H], _H]:
    """Mark a handler as being for these roles.

    Raises:
        ValueError: No role, or one that does not exist; found when the module is loaded.
    """
    if not roles or not set(roles) <= set(ROLES):
        raise ValueError(roles)
    return _marked(frozenset(roles))


def everyone(handler: _H) -> _H:
    """Mark a handler as public."""
    return _marked(PUBLIC)(handler)


def signed_in(handler: _H) -> _H:
    """Mark a handler as being for every member of staff."""
    return _marked(frozenset(ROLES))(handler)


def takes_files(bytes_max: int) -> Callable[[_H], _H]:
    """Mark a handler whose form brings files: it reads them itself, piece by piece.

    Args:
        bytes_max: Longest body.
    """

    def mark(handler: _H) -> _H:
        handler._files_bytes_max = bytes_max  # type: ignore[attr-defined]  # noqa: SLF001 -- our own mark
        return handler

    return mark


def files_bytes_max(handler: object) -> int:
    """Answer how long the body of a form with files may be; 0 when the handler takes none."""
    bytes_max = getattr(handler, "_files_bytes_max", 0)
    return bytes_max if isinstance(bytes_max, int) else 0


def roles_of(handler: object) -> frozenset[Role] | None:
    """Answer the roles a handler is marked with; None = forgotten, so nobody may."""
    roles = getattr(handler, "_roles", None)
    return roles if isinstance(roles, frozenset) else None


def is_machine_path(path: str) -> bool:
    """Answer whether the path belongs to the interfaces of machines."""
    return path.startswith(MACHINE_PATHS)


def may_see_case(account: Account, department: str, village_code: str) -> bool:
    """Answer whether a case lies in the clerk's departments and area.

    A case of several departments ("民政局、残疾人联合会") belongs to each of them.
    """
    return (
        account.role == "clerk"
        and not frozenset(department.split("、")).isdisjoint(account.departments)
        and village_code.startswith(account.village_prefix)
    )


def _marked(roles: frozenset[Role]) -> Callable[[_H], _H]:
    def mark(handler: _H) -> _H:
        handler._roles = roles  # type: ignore[attr-defined]  # noqa: SLF001 -- our own mark
        return handler

    return mark
