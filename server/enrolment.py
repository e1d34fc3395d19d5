"""Codes for installers, and the taking in of a kiosk that shows one."""

import hashlib
import sqlite3

import msgspec

from server.errors import CodeRefused
from server.identity import CentreKeys
from server.store import catalogues, centre, fleet
from server.store.fleet import CodeRow
from sync import limits
from sync.clock import Entropy
from sync.enrolment import (
    Enrolment,
    EnrolmentRefused,
    EnrolRequest,
    code_key,
    encode_enrol_reply,
    locator_of,
    verify_enrol_request,
)
from sync.enrolment import new_code as draw_code
from sync.signing import kiosk_id

_TRIES_TO_DRAW = 20


class Drawn(msgspec.Struct, frozen=True):
    """A fresh code and what of it is stored."""

    #: "XXXX-XXXX-XXXX", shown once.
    code: str
    locator: str
    key: bytes


def draw(entropy: Entropy) -> Drawn:
    """Draw a code and stretch its secret (about 50 ms of one core)."""
    code = draw_code(entropy)
    return Drawn(code=code, locator=locator_of(code), key=code_key(code))


def usable(row: CodeRow | None, now_ms: int) -> CodeRow:
    """Answer the code when it can still be used.

    Raises:
        CodeRefused: It is unknown, expired or spent by wrong tries. All are told alike, so that
            nobody learns which codes exist.
    """
    is_usable = row is not None and now_ms < row.expires_ms and row.tries < limits.ENROL_TRIES_MAX
    if row is None or not is_usable:
        raise CodeRefused("this code is not valid (any more); ask the centre for a new one")
    return row


def enrol(
    conn: sqlite3.Connection,
    keys: CentreKeys,
    public_url: str,
    raw: bytes,
    locator: str,
    now_ms: int,
) -> bytes | None:
    """Take a kiosk in; answer the reply's bytes, None when the code's secret was wrong.

    The same request again (its reply was lost) gets the same reply, for ever. A wrong secret is
    counted here, which is why it is no exception: the count has to be committed.

    Raises:
        CodeRefused: The code cannot be used, or another kiosk used it.
    """
    row, request_hash = fleet.code(conn, locator), hashlib.sha256(raw).digest()
    if row is not None and row.reply is not None and row.request_hash == request_hash:
        # The answer was lost on the way; the kiosk may come for it after the code's own day.
        return row.reply
    row = usable(row, now_ms)
    try:
        request = verify_enrol_request(raw, row.key)
    except EnrolmentRefused:
        fleet.count_try(conn, locator)
        return None
    if row.used_ms is not None:
        raise CodeRefused("this code was used; ask the centre for a new one")
    reply = encode_enrol_reply(
        _taken_in(conn, keys, public_url, request, row, now_ms), request_raw=raw, key=row.key
    )
    fleet.use_code(conn, locator, request_hash=request_hash, reply=reply, now_ms=now_ms)
    return reply


def _taken_in(
    conn: sqlite3.Connection,
    keys: CentreKeys,
    public_url: str,
    request: EnrolRequest,
    row: CodeRow,
    now_ms: int,
) -> Enrolment:
    identity = kiosk_id(request.device_public)
    if fleet.identity(conn, identity) is not None:
        raise CodeRefused("this kiosk's keys are enrolled already; make new ones")
    number = fleet.next_kiosk_no(conn)
    fleet.add_kiosk(
        conn,
        kiosk_id=identity,
        kiosk_no=number,
        name=row.name,
        village_code=row.village_code,
        device_public=request.device_public,
        notice_public=request.notice_public,
        fingerprint=request.fingerprint,
        replaces=row.replaces,
        now_ms=now_ms,
    )
    published = catalogues.latest(conn)
    return Enrolment(
        kiosk_no=number,
        name=row.name,
        village_code=row.village_code,
        root_public=keys.root_public,
        certificate=keys.certificate,
        epoch=centre.epoch(conn),
        public_url=public_url,
        manifest=b"" if published is None else published.manifest,
    )


def new_code(
    conn: sqlite3.Connection,
    *,
    name: str,
    village_code: str,
    entropy: Entropy,
    now_ms: int,
    replaces: int | None = None,
) -> str:
    """Make and keep a code for one kiosk; answer it as it is read to the installer.

    Args:
        conn: Connection.
        name: What the kiosk is called, e.g. "石桥村便民服务点".
        village_code: 12 digits.
        entropy: Source of the code.
        now_ms: The code lives `ENROL_CODE_MS` from here.
        replaces: Number of the kiosk whose notices go to the new one as well.
    """
    last: sqlite3.IntegrityError | None = None
    for _ in range(_TRIES_TO_DRAW):
        drawn = draw(entropy)
        try:
            fleet.add_code(
                conn,
                locator=drawn.locator,
                key=drawn.key,
                name=name,
                village_code=village_code,
                now_ms=now_ms,
                replaces=replaces,
            )
        except sqlite3.IntegrityError as error:
            last = error
            continue
        return drawn.code
    raise CodeRefused("too many codes are out; wait until some expire") from last
