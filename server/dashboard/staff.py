"""Accounts of staff: made, closed and given new passwords by the administrator."""

from typing import Any

import msgspec
from aiohttp import web
from multidict import MultiDictProxy

from server.dashboard.audit import staff_events_page
from server.dashboard.naming import departments
from server.dashboard.pages import catalogue_of, now_ms, page, words_for
from server.dashboard.sign_in import PASSWORDS
from server.keys import ENTROPY, STORE
from server.people.accounts import Account, NewAccount, checked, one_time_password
from server.people.errors import AccountRefused
from server.people.guard import account_of
from server.people.permission import require
from server.store import people as store

#: What an administrator may open. Auditors watch the administrator, so their accounts are made
#: on the machine itself (`bianmin centre account`).
OPENED_HERE = ("clerk", "operator", "admin")


class Handed(msgspec.Struct, frozen=True):
    """A password to be handed over, shown once."""

    name: str
    password: str
    #: Key of the sentence above it.
    note: str


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [
        web.get("/people", people_page),
        web.post("/people", add),
        web.post("/people/{name}/{act:disable|enable|reset}", change),
        web.get("/people/events", events_page),
    ]


@require("admin")
async def people_page(request: web.Request) -> web.StreamResponse:
    """Show all accounts."""
    return await _draw(request)


@require("admin")
async def events_page(request: web.Request) -> web.StreamResponse:
    """Show what was done to accounts."""
    return await staff_events_page(request)


@require("admin")
async def add(request: web.Request) -> web.StreamResponse:
    """Make an account with a password for one sign-in, shown once."""
    new = read(await request.post())
    password = one_time_password(request.app[ENTROPY])
    try:
        fit = checked(new)
        if fit.role not in OPENED_HERE:
            raise AccountRefused("account_auditor")
        made = await request.app[STORE].write(
            store.add_account,
            fit,
            password_hash=await request.app[PASSWORDS].hashed(password),
            actor=account_of(request).name,
            now_ms=now_ms(request),
        )
    except AccountRefused as error:
        return await _draw(request, problem=error.reason, draft=new)
    return await _draw(request, handed=Handed(made.shown_name, password, "people.made"))


@require("admin")
async def change(request: web.Request) -> web.StreamResponse:
    """Disable, enable or reset an account, after it was confirmed.

    Raises:
        web.HTTPNotFound: There is no such account.
    """
    act, admin = request.match_info["act"], account_of(request)
    form = await request.post()
    found = await request.app[STORE].read(store.account_of_name, request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    subject = found[0]
    if subject.id == admin.id:
        return await _draw(request, problem="account_self")
    if subject.role not in OPENED_HERE:
        return await _draw(request, problem="account_auditor")
    if act != "enable" and "confirmed" not in form:
        return page(request, "people_confirm.html", subject=subject, act=act)
    return await _changed(request, subject, act, admin)


def read(form: MultiDictProxy[Any]) -> NewAccount:
    """Read what the administrator filled in."""
    return NewAccount(
        name=str(form.get("name", "")),
        shown_name=str(form.get("shown", "")),
        role=str(form.get("role", "")),
        departments=tuple(str(value) for value in form.getall("department", [])),
        village_prefix=str(form.get("prefix", "")),
    )


async def _changed(
    request: web.Request, subject: Account, act: str, admin: Account
) -> web.Response:
    db, at_ms, words = request.app[STORE], now_ms(request), words_for(request)
    if act == "reset":
        password = one_time_password(request.app[ENTROPY])
        hashed = await request.app[PASSWORDS].hashed(password)
        await db.write(
            store.set_password,
            subject.name,
            hashed,
            actor=admin.name,
            now_ms=at_ms,
            must_change=True,
        )
        handed = Handed(subject.shown_name, password, "people.reset_done")
        return await _draw(request, handed=handed)
    is_disabled = act == "disable"
    await db.write(
        store.set_disabled,
        subject.name,
        is_disabled=is_disabled,
        actor=admin.name,
        now_ms=at_ms,
    )
    key = "people.disabled_done" if is_disabled else "people.enabled_done"
    return await _draw(request, note=words(key, name=subject.shown_name))


async def _draw(
    request: web.Request,
    *,
    problem: str = "",
    note: str = "",
    handed: Handed | None = None,
    draft: NewAccount | None = None,
) -> web.Response:
    accounts = await request.app[STORE].read(store.accounts)
    published = await catalogue_of(request)
    words = words_for(request)
    return page(
        request,
        "people.html",
        status=422 if problem else 200,
        accounts=accounts,
        departments=departments(published),
        roles=OPENED_HERE,
        problem=words(f"problem.{problem}") if problem else "",
        note=note,
        handed=handed,
        draft=draft or NewAccount("", "", "clerk"),
        admin=account_of(request),
    )
