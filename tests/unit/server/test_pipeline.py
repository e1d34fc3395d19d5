"""Every envelope finds exactly one fate; what fails waits with its reason and can be replayed."""

import sqlite3
from collections.abc import Sequence

import msgspec
import pytest

from server.catalogue.shelf import Published, Shelf
from server.errors import LetterUnknown, VaultUnavailable
from server.live import Broadcast
from server.pipeline import Pipeline, settle
from server.store import cases, fleet, inbox, outcomes, reviews
from server.store.catalogues import CatalogueRow, add_version, latest
from server.store.rows import CaseRow, Decision, StoredEnvelope
from server.store.sqlite import Store
from server.vault import protocol
from sync import limits
from sync.ids import uuid7
from sync.records import Answers, Notice
from tests.unit.server.world import DAY_MS, HELPER_REQUEST, NOW_MS, Kiosk, World


def settled(world: World) -> None:
    """Run the pipeline until nothing waits."""
    while envelopes := inbox.waiting(world.conn, 50):
        routing = world.vault.answer(protocol.Route(ids=tuple(item.id for item in envelopes)))
        assert isinstance(routing, protocol.Routing)
        world.write(settle, Shelf(), envelopes, routing.items, world.clock.now_ms())


def sent(world: World, kiosk: Kiosk, *envelopes) -> None:  # type: ignore[no-untyped-def]
    world.exchange(kiosk, kiosk.request(envelopes))
    settled(world)


def case_of(world: World, case_no: str) -> CaseRow:
    found = cases.get(world.conn, case_no)
    assert found is not None
    return found


def fates(world: World) -> list[str]:
    return [row[0] for row in world.conn.execute("SELECT fate FROM envelopes ORDER BY id")]


def letters(world: World) -> list[tuple[str, int]]:
    return [(letter.reason, letter.tries) for letter in cases.dead_letters(world.conn)]


def notices(world: World, kiosk: Kiosk) -> list[Notice]:
    return kiosk.notices(world.exchange(kiosk, kiosk.request()))


def rating(case_no: str, level: str, **more: str) -> Answers:
    answers = {"case_no": case_no, "level": level, **more}
    return answers | ({"call_back": "no"} if "dissatisfied" in level else {})


@pytest.fixture
def kiosk(world: World, published: Published) -> Kiosk:
    return world.enrol()


# --- cases ---


def test_new_matter_becomes_a_case_with_its_deadline(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))

    case = case_of(world, kiosk.case_no)
    assert (case.state, case.department, case.service, case.village_code) == (
        "received",
        "村民委员会",
        "helper_request",
        HELPER_REQUEST["village_code"],
    )
    # Received on Tuesday 24 November 2026; one working day is promised.
    assert (case.due_on, case.due_is_about, case.problems) == ("2026-11-25", False, 0)
    assert [event.action for event in cases.events(world.conn, kiosk.case_no)] == ["received"]
    assert fates(world) == ["case"]


def test_resident_is_told_that_the_case_was_received(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))

    (notice,) = notices(world, kiosk)

    assert notice == Notice(
        number=1,
        case_no=kiosk.case_no,
        kind="received",
        service="helper_request",
        at_ms=NOW_MS,
        due_on="2026-11-25",
    )


def test_deadline_over_the_new_year_is_about(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    world.clock.ms = NOW_MS + 37 * DAY_MS  # 31 December 2026

    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))

    assert case_of(world, kiosk.case_no).due_is_about is True
    assert notices(world, kiosk)[0].is_about is True


def test_broken_rules_are_flagged_and_the_case_stands(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    answers = {**HELPER_REQUEST, "phone": "12345"}
    del answers["name"]

    sent(world, kiosk, kiosk.confirm(published, answers))

    assert case_of(world, kiosk.case_no).problems == 2
    (event,) = cases.events(world.conn, kiosk.case_no)
    assert event.detail == "name:required phone:phone"


def test_query_that_was_sent_is_answered_without_a_case(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    answers = {"find_by": "slip", "case_no": "000100000114"}

    sent(world, kiosk, kiosk.confirm(published, answers, "progress_query"))

    assert fates(world) == ["query"]
    assert cases.queue(world.conn) == []
    assert [notice.kind for notice in notices(world, kiosk)] == ["completed"]


def test_second_history_of_a_forked_kiosk_keeps_its_case_apart(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    other = kiosk.copy(seed=9)
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    sent(world, other, other.confirm(published, {**HELPER_REQUEST, "name": "李桂兰"}))

    numbers = [case.case_no for case in cases.queue(world.conn)]

    assert numbers == [kiosk.case_no, f"{kiosk.case_no}-2"]
    # The other slip has the same number: its holder must not see this one's matter.
    assert [notice.case_no for notice in notices(world, kiosk)] == [kiosk.case_no]


def test_same_transaction_twice_is_one_case(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    identifier = uuid7(NOW_MS, world.entropy)
    twice = [kiosk.confirm(published, HELPER_REQUEST, transaction_id=identifier) for _ in range(2)]

    sent(world, kiosk, *twice)

    assert fates(world) == ["case", "duplicate"]
    assert len(cases.queue(world.conn)) == 1


def test_settling_a_batch_twice_changes_nothing(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    world.exchange(kiosk, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))
    envelopes = inbox.waiting(world.conn, 50)
    routing = world.vault.answer(protocol.Route(ids=(envelopes[0].id,)))
    assert isinstance(routing, protocol.Routing)

    def settle_it() -> int:
        done: int = world.write(settle, Shelf(), envelopes, routing.items, NOW_MS)
        return done

    first, before, second = settle_it(), world.dump(), settle_it()

    assert (first, second) == (1, 0)
    assert world.dump() == before


# --- ratings ---


def test_rating_is_attached_to_its_case(world: World, published: Published, kiosk: Kiosk) -> None:
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    rated = kiosk.case_no
    sent(world, kiosk, kiosk.confirm(published, rating(rated, "satisfied"), "rating"))

    assert case_of(world, rated).rating == 4
    assert fates(world) == ["case", "rating"]
    assert cases.follow_ups(world.conn) == []
    assert [(n.kind, n.case_no) for n in notices(world, kiosk)] == [
        ("received", rated),
        ("rated", rated),
        ("completed", kiosk.case_no),
    ]


@pytest.mark.parametrize(("level", "number"), [("dissatisfied", 2), ("very_dissatisfied", 1)])
def test_bad_rating_opens_a_follow_up_with_a_deadline(
    world: World, published: Published, kiosk: Kiosk, level: str, number: int
) -> None:
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    rated = kiosk.case_no
    sent(world, kiosk, kiosk.confirm(published, rating(rated, level), "rating"))

    (follow_up,) = cases.follow_ups(world.conn)

    assert (follow_up.case_no, follow_up.level, follow_up.due_on) == (rated, number, "2026-12-01")
    world.write(cases.close_follow_up, follow_up.id, actor="anna", now_ms=NOW_MS)
    assert cases.follow_ups(world.conn) == []


def test_only_the_first_rating_counts_and_the_others_are_kept(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    rated = kiosk.case_no
    for level in ("satisfied", "very_satisfied"):
        sent(world, kiosk, kiosk.confirm(published, rating(rated, level), "rating"))

    assert case_of(world, rated).rating == 4
    assert [e.action for e in cases.events(world.conn, rated)] == [
        "received",
        "rated",
        "rated_again",
    ]


def test_rating_that_comes_before_its_case_waits_for_it(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    matter = kiosk.confirm(published, HELPER_REQUEST)
    rated = kiosk.case_no
    word = kiosk.confirm(published, rating(rated, "satisfied"), "rating")

    sent(world, kiosk, word)
    before = letters(world)
    sent(world, kiosk, matter)

    assert before == [("unknown_case", 1)]
    assert letters(world) == []
    assert case_of(world, rated).rating == 4


# --- corrections ---


def corrected(world: World, published: Published, kiosk: Kiosk) -> str:
    """A case that waits for a correction of its phone number."""
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    decision = Decision("correct", reason_code="fix_phone", missing=("phone",))
    world.write(cases.decide, kiosk.case_no, decision, actor="anna", now_ms=world.clock.now_ms())
    return kiosk.case_no


def test_correction_goes_to_its_case_and_the_clock_goes_on(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    case_no = corrected(world, published, kiosk)
    world.clock.ms += 7 * DAY_MS
    sent(world, kiosk, kiosk.confirm(published, {"phone": "13987654321"}, corrects=case_no))

    case = case_of(world, case_no)
    # One working day was left when the clock was stopped.
    assert (case.state, case.due_on, case.problems) == ("accepted", "2026-12-02", 0)
    assert fates(world) == ["case", "correction"]
    opened = world.vault.answer(
        protocol.Open(case_no, "anna", "clerk", "call back", ("name", "phone"))
    )
    assert isinstance(opened, protocol.Opened)
    assert opened.answers == {"name": HELPER_REQUEST["name"], "phone": "13987654321"}


def test_correction_of_a_closed_case_is_kept_and_changes_no_state(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    case_no = kiosk.case_no
    world.write(cases.decide, case_no, Decision("complete"), actor="anna", now_ms=NOW_MS)
    sent(world, kiosk, kiosk.confirm(published, {"phone": "13987654321"}, corrects=case_no))

    assert case_of(world, case_no).state == "completed"
    assert [e.action for e in cases.events(world.conn, case_no)] == [
        "received",
        "complete",
        "added",
    ]


def test_correction_of_an_unknown_case_waits(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.confirm(published, {"phone": "13987654321"}, corrects="000900000118"))

    assert letters(world) == [("unknown_case", 1)]


def test_correction_with_another_service_is_a_dead_letter(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    case_no = corrected(world, published, kiosk)
    sent(world, kiosk, kiosk.confirm(published, {"topic": "road"}, "suggestion", corrects=case_no))

    assert letters(world) == [("invalid_answers", 1)]
    assert case_of(world, case_no).state == "correction"


def test_correction_by_another_person_is_flagged(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.confirm(published, {"id_number": "11010519491231002X"}, "employment"))
    case_no = kiosk.case_no
    answers = {"id_number": "530121194602050013"}
    sent(world, kiosk, kiosk.confirm(published, answers, "employment", corrects=case_no))

    assert "id_number:other_person" in cases.events(world.conn, case_no)[-1].detail


# --- dead letters ---


class FragileVault:
    """A real vault that dies whenever a certain envelope is in the batch."""

    def __init__(self, world: World, poison: int) -> None:
        self._world = world
        self._poison = poison

    async def is_up(self) -> bool:
        return True

    async def route(
        self, envelopes: Sequence[StoredEnvelope]
    ) -> list[protocol.Routed | protocol.Failed]:
        ids = tuple(item.id for item in envelopes)
        if self._poison in ids:
            raise VaultUnavailable("the vault died")
        routing = self._world.vault.answer(protocol.Route(ids=ids))
        assert isinstance(routing, protocol.Routing)
        return list(routing.items)


async def test_envelope_that_kills_the_vault_is_found_and_buried(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    envelopes = [kiosk.confirm(published, HELPER_REQUEST) for _ in range(4)]
    world.exchange(kiosk, kiosk.request(envelopes))
    store = Store.open(world.settings.database)
    pipeline = Pipeline(store, FragileVault(world, 2), Shelf(), Broadcast(), world.clock)

    deaths = 0
    while inbox.waiting(world.conn, 1):
        try:
            await pipeline.step()
        except VaultUnavailable:
            deaths += 1
    store.close()

    assert fates(world) == ["case", "dead", "case", "case"]
    assert letters(world) == [("fault", 1)]
    # Once with the others, then alone until its tries are spent.
    assert deaths == limits.PIPELINE_TRIES_MAX


def test_broken_seal_is_a_dead_letter_and_those_behind_it_go_on(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    broken = kiosk.confirm(published, HELPER_REQUEST)
    sealed = broken.sealed[:-1] + bytes([broken.sealed[-1] ^ 1])
    good = kiosk.confirm(published, HELPER_REQUEST)

    sent(world, kiosk, msgspec.structs.replace(broken, sealed=sealed), good)

    assert letters(world) == [("broken_seal", 1)]
    assert fates(world) == ["dead", "case"]


def test_sealed_body_under_another_kiosks_header_does_not_open(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    thief = world.enrol()
    stolen = kiosk.confirm(published, HELPER_REQUEST)
    header = msgspec.structs.replace(stolen.header, kiosk_id=thief.keys.kiosk_id)
    thief.seq, thief.prev = 1, stolen.header.prev

    sent(world, thief, msgspec.structs.replace(stolen, header=header))

    assert letters(world) == [("broken_seal", 1)]


def test_unknown_key_waits_for_the_key(world: World, published: Published, kiosk: Kiosk) -> None:
    sent(world, kiosk, kiosk.seal(bytes(32), key_id=7))

    assert letters(world) == [("unknown_key", 1)]
    assert world.write(outcomes.release, "key") == 1


def test_nonsense_under_a_good_seal_is_a_dead_letter(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.seal(b"\xff" * 64))

    assert letters(world) == [("invalid_answers", 1)]


def test_unknown_catalogue_is_retried_when_it_appears(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    future = msgspec.structs.replace(published, version=2)
    sent(world, kiosk, kiosk.confirm(future, HELPER_REQUEST))
    before = letters(world)

    def publish_the_same_as_2(conn: sqlite3.Connection) -> None:
        row = latest(conn)
        assert isinstance(row, CatalogueRow)
        add_version(conn, msgspec.structs.replace(row, version=2))

    world.write(publish_the_same_as_2)
    assert outcomes.has_published(world.conn)
    world.write(outcomes.release_published)
    settled(world)

    assert before == [("unknown_catalogue", 1)]
    assert letters(world) == []
    assert fates(world) == ["case"]


def test_replay_counts_tries_and_keeps_the_first_date(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.seal(b"\xff" * 64))
    (letter,) = cases.dead_letters(world.conn)
    world.clock.ms += DAY_MS

    world.write(cases.replay, letter.envelope_id)
    settled(world)

    (again,) = cases.dead_letters(world.conn)
    assert (again.tries, again.first_ms, again.last_ms) == (2, NOW_MS, NOW_MS + DAY_MS)


def test_replay_of_what_is_no_dead_letter_is_refused(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))

    with pytest.raises(LetterUnknown):
        world.write(cases.replay, 1)


def test_quarantined_envelope_becomes_a_case_when_it_is_released(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    world.write(fleet.revoke, kiosk.keys.kiosk_id.hex())
    sent(world, kiosk, kiosk.confirm(published, HELPER_REQUEST))
    before = (fates(world), letters(world))

    with pytest.raises(LetterUnknown):
        world.write(cases.replay, 1)
    reviewed = {"reason": "slip was shown", "actor": "zhouming", "now_ms": NOW_MS}
    world.write(reviews.decide, kiosk.keys.kiosk_id, [1], "accepted", **reviewed)
    settled(world)

    assert before == (["quarantined"], [("quarantined", 0)])
    assert (fates(world), letters(world)) == (["case"], [])
