"""A resident withdraws a matter: it ends once, and only while nobody has decided it."""

import sqlite3
from pathlib import Path

import pytest

from server.catalogue.shelf import Published, Shelf
from server.errors import TransitionRefused
from server.pipeline import settle
from server.store import cases, inbox, migrate
from server.store.rows import Decision
from server.vault import protocol
from sync.ids import case_number, uuid7
from sync.records import Notice, Transaction
from tests.unit.server.world import HELPER_REQUEST, Kiosk, World

CASE = case_number(9, 1)
#: One case of a centre before migration 23.
_OLDER = """
INSERT INTO kiosks (kiosk_id, kiosk_no, name, village_code, device_public, notice_public,
  fingerprint, enrolled_ms) VALUES (x'0102030405060708', 9, '石桥', '530121100201',
  zeroblob(32), zeroblob(32), x'', 1);
INSERT INTO envelopes (kiosk_id, seq, hash, prev, catalogue, received_ms, carrier, fate, raw)
  VALUES (x'0102030405060708', 1, zeroblob(8), zeroblob(8), 1, 1, 'exchange', 'case', x'00');
INSERT INTO cases (case_no, envelope_id, kiosk_id, service, department, village_code, language,
  state, received_ms, claimed_ms, due_on, due_is_about, updated_ms, attachments_expected,
  problems, rating) VALUES ('', 1, x'0102030405060708', 'proof_letter', '村委会', '530121100201',
  'zh-CN', 'accepted', 1, 1, '2026-12-01', 0, 1, 2, 0, 5);
"""


@pytest.fixture
def kiosk(world: World, published: Published) -> Kiosk:
    return world.enrol()


def sent(world: World, kiosk: Kiosk, *envelopes) -> None:  # type: ignore[no-untyped-def]
    world.exchange(kiosk, kiosk.request(envelopes))
    while waiting := inbox.waiting(world.conn, 50):
        routing = world.vault.answer(protocol.Route(ids=tuple(item.id for item in waiting)))
        assert isinstance(routing, protocol.Routing)
        world.write(settle, Shelf(), waiting, routing.items, world.clock.now_ms())


def notices(world: World, kiosk: Kiosk) -> list[Notice]:
    return kiosk.notices(world.exchange(kiosk, kiosk.request()))


def steps(world: World, case_no: str) -> list[tuple[str, str]]:
    return [(event.actor, event.action) for event in cases.events(world.conn, case_no)]


def state(world: World, case_no: str) -> str:
    found = cases.get(world.conn, case_no)
    assert found is not None
    return found.state


def opened(world: World, published: Published, kiosk: Kiosk) -> str:
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    return kiosk.case_no


@pytest.mark.parametrize("before", ["received", "accepted", "correction"])
def test_undecided_case_ends_and_the_kiosk_is_told(
    world: World, published: Published, kiosk: Kiosk, before: str
) -> None:
    case_no = opened(world, published, kiosk)
    decisions = {
        "accepted": Decision("accept"),
        "correction": Decision("correct", missing=("phone",)),
    }
    if before in decisions:
        world.write(
            cases.decide, case_no, decisions[before], actor="limin", now_ms=world.clock.now_ms()
        )
    assert state(world, case_no) == before
    notices(world, kiosk)

    sent(world, kiosk, kiosk.confirm(published, {}, corrects=case_no))

    assert state(world, case_no) == "withdrawn"
    assert steps(world, case_no)[-1] == ("resident", "withdrawn")
    told = [(notice.case_no, notice.kind) for notice in notices(world, kiosk)]
    assert told == [(case_no, "withdrawn"), (kiosk.case_no, "received")]


@pytest.mark.parametrize("action", ["complete", "refuse"])
def test_decided_case_stays_as_it_was_decided(
    world: World, published: Published, kiosk: Kiosk, action: str
) -> None:
    case_no = opened(world, published, kiosk)
    decision = Decision(action, reason_code="no_other" if action == "refuse" else "")  # type: ignore[arg-type]
    world.write(cases.decide, case_no, decision, actor="limin", now_ms=world.clock.now_ms())
    before = state(world, case_no)
    notices(world, kiosk)

    sent(world, kiosk, kiosk.confirm(published, {}, corrects=case_no))

    assert state(world, case_no) == before
    assert steps(world, case_no)[-1] == ("resident", "withdrawn_late")
    assert [notice.kind for notice in notices(world, kiosk)] == ["received"]


def test_second_withdrawal_ends_nothing_twice(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    case_no = opened(world, published, kiosk)
    once = kiosk.confirm(published, {}, corrects=case_no)

    sent(world, kiosk, once)
    sent(world, kiosk, once)
    sent(world, kiosk, kiosk.confirm(published, {}, corrects=case_no))

    ends = [action for _, action in steps(world, case_no) if action.startswith("withdrawn")]
    assert ends == ["withdrawn", "withdrawn_late"]
    kinds = [notice.kind for notice in notices(world, kiosk) if notice.case_no == case_no]
    assert kinds == ["received", "withdrawn"]


def test_withdrawal_that_came_before_its_case_waits_for_it(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    matter = kiosk.confirm(published, HELPER_REQUEST)
    case_no = kiosk.case_no
    withdrawal = kiosk.confirm(published, {}, corrects=case_no)

    sent(world, kiosk, withdrawal)
    waiting = [(letter.reason, letter.seq) for letter in cases.dead_letters(world.conn)]
    sent(world, kiosk, matter)

    assert waiting == [("unknown_case", 2)]
    assert state(world, case_no) == "withdrawn"
    assert cases.dead_letters(world.conn) == []


def test_no_clerk_can_decide_what_was_withdrawn(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    case_no = opened(world, published, kiosk)
    sent(world, kiosk, kiosk.confirm(published, {}, corrects=case_no))

    with pytest.raises(TransitionRefused):
        world.write(cases.decide, case_no, Decision("accept"), actor="limin", now_ms=1)


# --- who helped ---


@pytest.mark.parametrize(
    ("helper", "step"),
    [
        ("12:touch", ("assisted_touch", "12")),
        ("12:sign", ("assisted_sign", "12")),
        ("12", ("assisted", "12")),
        ("张婷", ("assisted", "?")),
    ],
)
def test_help_is_a_step_of_the_case_by_number_and_never_by_name(
    world: World, published: Published, kiosk: Kiosk, helper: str, step: tuple[str, str]
) -> None:
    transaction = Transaction(
        id=uuid7(kiosk.now_ms, kiosk.entropy),
        service="helper_request",
        language="zh-CN",
        answers=HELPER_REQUEST,
        helper=helper,
    )

    sent(world, kiosk, kiosk.confirm_transaction(published, transaction))

    last = cases.events(world.conn, kiosk.case_no)[-1]
    assert (last.action, last.detail) == step


def test_matter_of_somebody_alone_tells_of_no_help(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    case_no = opened(world, published, kiosk)

    assert steps(world, case_no) == [("centre", "received")]


# --- the tables ---


def test_cases_of_an_older_centre_are_all_there_after_the_migration(tmp_path: Path) -> None:
    path = tmp_path / "centre.db"
    older = [script for script in migrate.scripts() if script[0] < 23]
    migrate.migrate(path, older)
    conn = sqlite3.connect(path)
    conn.executescript(_OLDER)
    conn.execute("UPDATE cases SET case_no = ?", (CASE,))
    conn.execute(
        "INSERT INTO case_events (case_no, at_ms, actor, action) VALUES (?, 1, 'centre', 'x')",
        (CASE,),
    )
    conn.commit()
    before = conn.execute("SELECT * FROM cases").fetchall()
    conn.close()

    migrate.migrate(path)

    conn = sqlite3.connect(path)
    conn.execute("PRAGMA foreign_keys=ON")
    assert conn.execute("SELECT * FROM cases").fetchall() == before
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    indexes = {row[1] for row in conn.execute("PRAGMA index_list('cases')")}
    assert {"cases_by_deadline", "cases_of_department"} <= indexes
    conn.execute("UPDATE cases SET state = 'withdrawn'")
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute(
            "INSERT INTO case_events (case_no, at_ms, actor, action) VALUES ('x', 1, '', '')"
        )
    conn.close()


def renumbered(conn: sqlite3.Connection, before: str, after: str) -> None:
    """Give a case the number that the second one of a copied kiosk gets."""
    conn.execute("PRAGMA defer_foreign_keys=ON")
    for table in ("cases", "case_events", "notices"):
        names = [row["name"] for row in conn.execute(f"PRAGMA table_info({table})")]
        if "case_no" in names:
            conn.execute(f"UPDATE {table} SET case_no = ? WHERE case_no = ?", (after, before))  # noqa: S608


def test_number_that_two_cases_bear_ends_neither(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    case_no = opened(world, published, kiosk)
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    world.write(renumbered, kiosk.case_no, f"{case_no}-2")
    notices(world, kiosk)

    sent(world, kiosk, kiosk.confirm(published, {}, corrects=case_no))

    assert (state(world, case_no), state(world, f"{case_no}-2")) == ("received", "received")
    assert steps(world, case_no)[-1] == ("resident", "withdrawn_shared")
    assert [notice.kind for notice in notices(world, kiosk)] == ["received"]
