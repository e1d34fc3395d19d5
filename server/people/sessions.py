"""Sessions: an opaque token in the cookie, only its hash at the centre."""

import hashlib
import hmac

import msgspec

from server.people.accounts import Account
from sync.clock import Entropy
from sync.limits import SESSION_IDLE_MS, SESSION_LIFE_MS, SESSION_TOUCH_MS


class Session(msgspec.Struct, frozen=True):
    """One signed-in browser."""

    #: SHA-256 of the token; what is stored. A copy of the database opens no session.
    token_hash: bytes
    #: Against forged requests; stands in every form of this session.
    csrf: str
    started_ms: int
    #: Last request that counted as use.
    seen_ms: int
    account: Account


def new_token(entropy: Entropy) -> str:
    """Mint a token of 256 bits in hex."""
    return entropy.token_bytes(32).hex()


def token_hash(token: str) -> bytes:
    """Answer what is stored of a token. It has full entropy, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def is_alive(session: Session, now_ms: int) -> bool:
    """Answer whether the session is still good: 15 min without use, 8 h at most.

    A clock that was set back also ends it: its age could not be known.
    """
    idle, age = now_ms - session.seen_ms, now_ms - session.started_ms
    if session.account.is_disabled:
        return False
    return (
        -SESSION_TOUCH_MS <= idle < SESSION_IDLE_MS and -SESSION_TOUCH_MS <= age < SESSION_LIFE_MS
    )


def is_touch_due(session: Session, now_ms: int) -> bool:
    """Answer whether the last use should be written again; not at every click."""
    return now_ms - session.seen_ms >= SESSION_TOUCH_MS


def is_own_form(session: Session, csrf: str) -> bool:
    """Answer whether the form was made for this session."""
    return hmac.compare_digest(session.csrf.encode(), csrf.encode("utf-8", "replace"))


def is_same_origin(fetch_site: str | None, origin: str | None, host: str) -> bool:
    """Answer whether a browser says that our own page sent this request.

    Args:
        fetch_site: Header Sec-Fetch-Site; browsers send it to https and localhost only.
        origin: Header Origin, asked when the former is absent.
        host: The host and port that the request was sent to.
    """
    if fetch_site is not None:
        return fetch_site == "same-origin"
    return origin is not None and origin.partition("://")[2] == host
