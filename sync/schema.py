"""The tables of a kiosk's store; applied by `sync.database` alone."""

import functools

from sqlite_utils import Database as Tables
from sqlite_utils import Migrations

migrations = Migrations("sync")


@functools.cache
def names() -> tuple[str, ...]:
    """Answer the names of all migrations, in order."""
    nothing = Tables(memory=True, execute_plugins=False)
    try:
        return tuple(one.name for one in migrations.pending(nothing))
    finally:
        nothing.conn.close()


@migrations()
def m001_outbox(db: Tables) -> None:
    """What waits, what was answered, and where the chain stands."""
    for statement in _OUTBOX:
        db.execute(statement)


@migrations()
def m010_duty(db: Tables) -> None:
    """What the centre asks of this kiosk (`sync.duty`): outlives a restart without a link."""
    db.execute(
        "CREATE TABLE duty (id INTEGER PRIMARY KEY CHECK (id = 1),"
        " is_revoked INTEGER NOT NULL DEFAULT 0,"
        # Centre's time at which it first asked for a new enrolment; until when a revoked kiosk
        # offers no piece of an attachment.
        " reenrol_ms INTEGER NOT NULL DEFAULT 0,"
        " pieces_ms INTEGER NOT NULL DEFAULT 0)"
    )
    db.execute("INSERT INTO duty (id) VALUES (1)")


@migrations()
def m012_undelivered(db: Tables) -> None:
    """The oldest of a hundred thousand waiting, found without looking at each of them."""
    db.execute("CREATE INDEX receipt_undelivered ON receipt (confirmed_ms) WHERE is_delivered = 0")


@migrations()
def m013_fetching(db: Tables) -> None:
    """What has come of the catalogue that is being fetched (`sync.parts`)."""
    db.execute(
        "CREATE TABLE fetching (id INTEGER PRIMARY KEY CHECK (id = 1),"
        " manifest BLOB NOT NULL,"
        # The one blob under way, what it is a delta against, and what its pieces have in common.
        " name TEXT NOT NULL DEFAULT '',"
        " source TEXT NOT NULL DEFAULT '',"
        " tag BLOB NOT NULL DEFAULT x'',"
        " total INTEGER NOT NULL DEFAULT 0,"
        # The blob whose delta failed.
        " whole TEXT NOT NULL DEFAULT '')"
    )
    db.execute("CREATE TABLE blob_part (at INTEGER PRIMARY KEY, raw BLOB NOT NULL)")


_OUTBOX = (
    # One row: where this kiosk stands. `head_*` outlive pruned envelopes, `epoch` 0 means that
    # the centre has never answered.
    """
    CREATE TABLE standing (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        head_seq INTEGER NOT NULL DEFAULT 0,
        head_hash BLOB NOT NULL DEFAULT x'0000000000000000',
        counter INTEGER NOT NULL DEFAULT 0,
        epoch INTEGER NOT NULL DEFAULT 0,
        cursor INTEGER NOT NULL DEFAULT 0,
        mark_seq INTEGER NOT NULL DEFAULT 0,
        refilled_mark INTEGER NOT NULL DEFAULT -1,
        refilled_ms INTEGER NOT NULL DEFAULT 0,
        centre_ms INTEGER NOT NULL DEFAULT 0,
        clock_skew_ms INTEGER NOT NULL DEFAULT 0,
        certificate BLOB NOT NULL DEFAULT x'',
        batch_bytes INTEGER NOT NULL DEFAULT 2048, -- 1 s at 16 kbit/s
        catalogue INTEGER NOT NULL DEFAULT 0,
        notices_unreadable INTEGER NOT NULL DEFAULT 0,
        boots INTEGER NOT NULL DEFAULT 0,
        kiosk_id BLOB NOT NULL DEFAULT x''
    )
    """,
    "INSERT INTO standing (id) VALUES (1)",
    # What a resident was promised; outlives the envelope.
    """
    CREATE TABLE receipt (
        seq INTEGER PRIMARY KEY,
        transaction_id BLOB NOT NULL UNIQUE,
        case_no TEXT NOT NULL UNIQUE,
        service TEXT NOT NULL,
        confirmed_ms INTEGER NOT NULL,
        hash BLOB NOT NULL,
        is_delivered INTEGER NOT NULL DEFAULT 0
    )
    """,
    # The sealed envelope; `settled_ms` is the centre's time of the reply that settled it.
    """
    CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY REFERENCES receipt (seq),
        envelope BLOB NOT NULL,
        signature BLOB NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'settled', 'refused')),
        settled_ms INTEGER
    )
    """,
    "CREATE INDEX outbox_state ON outbox (state, seq)",
    """
    CREATE TABLE attachment (
        seq INTEGER NOT NULL REFERENCES receipt (seq),
        place INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        digest BLOB NOT NULL,
        received_bytes INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'settled')),
        settled_ms INTEGER,
        sealed BLOB NOT NULL,
        PRIMARY KEY (seq, place)
    )
    """,
    "CREATE INDEX attachment_state ON attachment (state, size_bytes)",
    # `digest` is of the notice without its number: a restored centre numbers anew.
    """
    CREATE TABLE notice (
        epoch INTEGER NOT NULL,
        number INTEGER NOT NULL,
        case_no TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        digest BLOB NOT NULL UNIQUE,
        raw BLOB NOT NULL,
        PRIMARY KEY (epoch, number)
    )
    """,
    "CREATE INDEX notice_case ON notice (case_no, at_ms)",
    # `tag` is a keyed hash made by the kiosk: who has matters here, without saying who.
    """
    CREATE TABLE person (
        tag BLOB NOT NULL,
        case_no TEXT NOT NULL,
        PRIMARY KEY (tag, case_no)
    ) WITHOUT ROWID
    """,
    # Damaged files that were read into this one, each once.
    "CREATE TABLE salvaged (name TEXT PRIMARY KEY)",
    "CREATE TABLE manifest (version INTEGER PRIMARY KEY, raw BLOB NOT NULL)",
    "CREATE TABLE blob (sha256 TEXT PRIMARY KEY, raw BLOB NOT NULL)",
)
