"""One sentence to be said on the next page, carried over a redirect in a cookie.

The cookie holds only a key of the texts, never words, so that a forged one can say nothing else.
"""

from aiohttp import web

from server.dashboard.words import Words

COOKIE = "note"
#: What may be said so; anything else in the cookie is ignored.
NOTES = frozenset(
    {
        "act.done_accept",
        "act.done_correct",
        "act.done_refuse",
        "act.done_complete",
        "act.no_longer",
        "kiosk.revoked",
        "letters.replayed",
        "letters.gone",
        "quarantine.accepted",
        "quarantine.refused",
        "quarantine.gone",
        "sticks.taken",
        "sticks.no_room",
        "sticks.none",
        "password.saved",
        "login.out",
        "login.out_everywhere",
    }
)


def leave(response: web.StreamResponse, key: str) -> None:
    """Leave a sentence for the next page."""
    if key not in NOTES:
        raise KeyError(key)
    response.set_cookie(COOKIE, key, max_age=60, httponly=True, samesite="Strict")


def take(request: web.Request, words: Words) -> str:
    """Answer the sentence left by the page before, "" when there is none."""
    key = request.cookies.get(COOKIE, "")
    return words(key) if key in NOTES else ""
