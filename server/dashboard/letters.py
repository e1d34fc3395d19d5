"""Dead letters: what could not go on, why, and putting it back."""

import sqlite3

import msgspec
from aiohttp import web

from server.dashboard.pages import now_ms, page, see, words_for
from server.dashboard.words import Words
from server.errors import LetterUnknown
from server.keys import BROADCAST, PIPELINE, STORE
from server.people.guard import account_of
from server.people.permission import require
from server.store import cases, people
from server.store.rows import DeadLetter


class Letter(msgspec.Struct, frozen=True):
    """A dead letter with its reason in plain words."""

    letter: DeadLetter
    reason: str


def routes() -> list[web.AbstractRouteDef]:
    """Answer the routes of this page."""
    return [web.get("/letters", letters_page), web.post("/letters/replay", replay)]


@require("operator")
async def letters_page(request: web.Request) -> web.StreamResponse:
    """Show what waits for an operator, oldest first."""
    found = await request.app[STORE].read(cases.dead_letters)
    words = words_for(request)
    letters = [Letter(letter, reason_of(letter, words)) for letter in found]
    return page(request, "letters.html", letters=letters)


@require("operator")
async def replay(request: web.Request) -> web.StreamResponse:
    """Put the ticked letters back; those that went on meanwhile are passed over.

    Raises:
        web.HTTPBadRequest: The form is none of ours.
    """
    form = await request.post()
    texts = [str(value) for value in form.getall("letter", [])]
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in texts):
        raise web.HTTPBadRequest
    actor, at_ms = account_of(request).name, now_ms(request)
    ids = [int(text) for text in texts]
    count = await request.app[STORE].write(replay_all, ids, actor=actor, now_ms=at_ms)
    request.app[PIPELINE].poke()
    request.app[BROADCAST].publish("letters")
    return see("/letters", "letters.replayed" if count else "letters.gone")


def replay_all(
    conn: sqlite3.Connection, envelope_ids: list[int], *, actor: str, now_ms: int
) -> int:
    """Put letters back and record it; answer how many there were."""
    done = []
    for envelope_id in envelope_ids:
        try:
            cases.replay(conn, envelope_id)
        except LetterUnknown:
            continue
        done.append(str(envelope_id))
    if done:
        subject = " ".join(done[:20])
        people.record(
            conn,
            actor=actor,
            action="replayed",
            subject=subject,
            detail=str(len(done)),
            now_ms=now_ms,
        )
    return len(done)


def reason_of(letter: DeadLetter, words: Words) -> str:
    """Answer why a letter stopped and what to do."""
    key = f"reason.{letter.reason}"
    return words(key) if key in words else words("reason.other", reason=letter.reason)
