"""The vault refuses what is not complete, records before it opens, and opens the right thing."""

import sqlite3

import msgspec
import pytest

from server.catalogue.shelf import Published, Shelf
from server.pipeline import settle
from server.store import cases, inbox
from server.vault import protocol
from server.vault.keys import index_tag
from server.vault.service import Vault
from sync import limits
from sync.records import Attachment
from tests.unit.server.world import HELPER_REQUEST, HOUR_MS, Kiosk, World

LOOK = protocol.Open(
    case_no="", actor="anna", role="clerk", purpose="check the form", fields=("name", "phone")
)


def settled(world: World) -> None:
    """Run the pipeline over what waits."""
    envelopes = inbox.waiting(world.conn, 50)
    routing = world.vault.answer(protocol.Route(ids=tuple(item.id for item in envelopes)))
    assert isinstance(routing, protocol.Routing)
    world.write(settle, Shelf(), envelopes, routing.items, world.clock.now_ms())


@pytest.fixture
def kiosk(world: World, published: Published) -> Kiosk:
    made = world.enrol()
    world.exchange(made, made.request([made.confirm(published, HELPER_REQUEST)]))
    settled(world)
    return made


def look(world: World, kiosk: Kiosk, **changes: object) -> protocol.Answer:
    request = msgspec.structs.replace(LOOK, case_no=kiosk.case_no)
    return world.vault.answer(msgspec.structs.replace(request, **changes))


def entries(world: World) -> list[tuple[str, str, str]]:
    world.vault  # noqa: B018 -- opens the ledger
    assert world.ledger is not None
    return [(e.actor, e.action, e.case_no) for e in world.ledger.entries(100)]


def test_look_answers_only_the_fields_that_were_asked_for(world: World, kiosk: Kiosk) -> None:
    opened = look(world, kiosk)

    assert isinstance(opened, protocol.Opened)
    assert opened.answers == {"name": "王秀英", "phone": "13812345678"}
    assert opened.calculated == {}


def test_look_is_recorded_with_its_purpose_and_fields(world: World, kiosk: Kiosk) -> None:
    opened = look(world, kiosk)

    assert isinstance(opened, protocol.Opened)
    assert world.ledger is not None
    entry = world.ledger.entries(1)[0]
    assert (entry.number, entry.actor, entry.role, entry.action) == (
        opened.entry,
        "anna",
        "clerk",
        "open",
    )
    assert (entry.purpose, entry.case_no, entry.service, entry.detail) == (
        "check the form",
        kiosk.case_no,
        "helper_request",
        "name phone",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": ""},
        {"actor": "  "},
        {"role": ""},
        {"role": "operator"},
        {"role": "admin"},
        {"purpose": ""},
        {"purpose": "   x   "},
        {"purpose": "check \x00 the form"},
        {"purpose": "check \u202e the form"},
        {"purpose": "x" * (limits.PURPOSE_CHARS_MAX + 1)},
        {"fields": ()},
        {"fields": ("name", "no_such_field")},
    ],
)
def test_incomplete_look_is_refused_and_opens_nothing(
    world: World, kiosk: Kiosk, changes: dict[str, object]
) -> None:
    before = entries(world)

    refusal = look(world, kiosk, **changes)

    assert isinstance(refusal, protocol.Refusal)
    assert refusal.code == "403.21"
    assert entries(world) == before


def test_unknown_case_is_refused(world: World, kiosk: Kiosk) -> None:
    refusal = look(world, kiosk, case_no="000100000211")

    assert isinstance(refusal, protocol.Refusal)
    assert refusal.code == "404.22"


def test_ledger_entry_is_on_disk_before_anything_is_opened(world: World, kiosk: Kiosk) -> None:
    seen: list[int] = []
    path = world.settings.vault_dir / "audit.db"

    class Watched(dict):
        """Sealing keys that note how long the ledger on disk is when one is taken."""

        def get(self, key: object, default: object = None) -> object:
            conn = sqlite3.connect(path)
            seen.append(conn.execute("SELECT count(*) FROM entries").fetchone()[0])
            conn.close()
            return super().get(key, default)

    before = len(entries(world))
    assert world.ledger is not None
    keys = msgspec.structs.replace(world.vault_keys, sealing=Watched(world.vault_keys.sealing))
    vault = Vault(keys, world.ledger, world.conn, world.clock)

    opened = vault.answer(msgspec.structs.replace(LOOK, case_no=kiosk.case_no))

    assert isinstance(opened, protocol.Opened)
    assert seen == [before + 1]


def test_ledger_that_cannot_be_written_keeps_the_vault_shut(world: World, kiosk: Kiosk) -> None:
    world.vault  # noqa: B018 -- opens the ledger
    assert world.ledger is not None
    world.ledger.close()

    with pytest.raises(sqlite3.ProgrammingError):
        look(world, kiosk)


def test_actor_opens_no_more_cases_an_hour_than_a_person_can_read(
    world: World, published: Published, kiosk: Kiosk
) -> None:
    envelopes = [
        kiosk.confirm(published, HELPER_REQUEST) for _ in range(limits.VAULT_OPENINGS_PER_HOUR)
    ]
    world.exchange(kiosk, kiosk.request(envelopes))
    settled(world)
    settled(world)
    numbers = [row[0] for row in world.conn.execute("SELECT case_no FROM cases ORDER BY case_no")]
    assert len(numbers) == limits.VAULT_OPENINGS_PER_HOUR + 1

    answers = [look(world, kiosk, case_no=number) for number in numbers]

    assert all(isinstance(answer, protocol.Opened) for answer in answers[:-1])
    assert isinstance(answers[-1], protocol.Refusal)
    assert answers[-1].code == "429.21"
    # A case already open may be looked at again; another clerk is free; an hour later all is.
    assert isinstance(look(world, kiosk, case_no=numbers[0]), protocol.Opened)
    assert isinstance(look(world, kiosk, case_no=numbers[-1], actor="ben"), protocol.Opened)
    world.clock.ms += HOUR_MS + 1
    assert isinstance(look(world, kiosk, case_no=numbers[-1]), protocol.Opened)


def test_machine_routing_is_one_entry_for_a_batch(world: World, published: Published) -> None:
    kiosk = world.enrol()
    envelopes = [kiosk.confirm(published, HELPER_REQUEST) for _ in range(5)]
    world.exchange(kiosk, kiosk.request(envelopes))

    settled(world)

    assert entries(world) == [("pipeline", "route", "")]


def test_routing_facts_hold_no_answer_about_a_person(world: World, published: Published) -> None:
    kiosk = world.enrol()
    world.exchange(kiosk, kiosk.request([kiosk.confirm(published, HELPER_REQUEST)]))
    waiting = inbox.waiting(world.conn, 1)

    routing = world.vault.answer(protocol.Route(ids=(waiting[0].id,)))

    raw = protocol.encode(routing)
    assert HELPER_REQUEST["village_code"].encode() in raw
    for field in ("name", "phone"):
        assert HELPER_REQUEST[field].encode() not in raw


def test_attachment_is_opened_and_recorded(world: World, published: Published) -> None:
    kiosk = world.enrol()
    answers = {"topic": "road", "about_staff": "no", "text_or_voice": "1", "keep_name": "no"}
    envelope = kiosk.confirm(published, answers, "suggestion")
    voice = Attachment("text_or_voice", 0, "audio/webm", b"\x1aE\xdf\xa3" + bytes(3000))
    world.exchange(kiosk, kiosk.request([envelope], kiosk.chunks(kiosk.seq, voice)))
    settled(world)

    opened = look(world, kiosk, fields=("topic",))
    content = world.vault.answer(
        protocol.OpenAttachment(kiosk.case_no, 0, "anna", "clerk", "listen to it")
    )

    assert isinstance(opened, protocol.Opened)
    assert opened.attachments == (protocol.AttachmentPlace(0, "text_or_voice", True),)
    assert isinstance(content, protocol.OpenedAttachment)
    assert (content.media_type, content.content) == ("audio/webm", voice.content)
    assert entries(world)[0] == ("anna", "open_attachment", kiosk.case_no)


def test_attachment_of_a_forked_number_is_shown_with_its_own_case_only(
    world: World, published: Published
) -> None:
    """Two residents confirmed under one number: neither's photo may stand in the other's case."""
    kiosk = world.enrol()
    other = kiosk.copy(seed=9)
    answers = {"topic": "road", "about_staff": "no", "text_or_voice": "1", "keep_name": "no"}
    voices = [
        Attachment("text_or_voice", 0, "audio/webm", b"\x1aE\xdf\xa3" + octet * 300)
        for octet in (b"a", b"b")
    ]
    for machine, voice in zip((kiosk, other), voices, strict=True):
        envelope = machine.confirm(published, answers, "suggestion")
        chunks = machine.chunks(machine.seq, voice)
        world.exchange(machine, machine.request([envelope], chunks))
    settled(world)

    shown = [
        world.vault.answer(protocol.OpenAttachment(number, 0, "anna", "clerk", "listen to it"))
        for number in (kiosk.case_no, f"{kiosk.case_no}-2")
    ]

    assert [getattr(answer, "content", None) for answer in shown] == [v.content for v in voices]


@pytest.mark.parametrize("first", [0, 1])
def test_desk_counts_for_each_case_of_a_forked_number_its_own_attachments(
    world: World, published: Published, first: int
) -> None:
    kiosk = world.enrol()
    machines = (kiosk, kiosk.copy(seed=9))
    answers = {"topic": "road", "about_staff": "no", "text_or_voice": "1", "keep_name": "no"}
    voice = Attachment("text_or_voice", 0, "audio/webm", b"\x1aE\xdf\xa3" + bytes(300))
    for machine in machines:
        world.exchange(
            machine, machine.request([machine.confirm(published, answers, "suggestion")])
        )
    settled(world)
    numbers = [kiosk.case_no, f"{kiosk.case_no}-2"]

    counts = []
    for machine in (machines[first], machines[1 - first]):
        world.exchange(machine, machine.request((), machine.chunks(machine.seq, voice)))
        found = [cases.get(world.conn, number) for number in numbers]
        counts.append([case and case.attachments_received for case in found])

    assert counts == [[1, 0] if first == 0 else [0, 1], [1, 1]]


def test_attachment_that_has_not_arrived_is_refused(world: World, published: Published) -> None:
    kiosk = world.enrol()
    answers = {"topic": "road", "about_staff": "no", "text_or_voice": "1", "keep_name": "no"}
    world.exchange(kiosk, kiosk.request([kiosk.confirm(published, answers, "suggestion")]))
    settled(world)

    refusals = [
        world.vault.answer(
            protocol.OpenAttachment(kiosk.case_no, index, "anna", "clerk", "listen to it")
        )
        for index in (0, 8, 9, -1)
    ]

    assert [type(refusal) for refusal in refusals] == [protocol.Refusal] * 4


def test_person_is_found_by_exact_id_number_only(world: World, published: Published) -> None:
    kiosk = world.enrol()
    number = "11010519491231002X"
    answers = {
        "consent": "OK",
        "id_number": number,
        "name": "张桂英",
        "village_code": HELPER_REQUEST["village_code"],
    }
    world.exchange(kiosk, kiosk.request([kiosk.confirm(published, answers, "employment")]))
    settled(world)

    found = [
        world.vault.answer(protocol.Find(text, "anna", "clerk", "who is this"))
        for text in ("11010519491231002x", "530121194602050013")
    ]
    refusal = world.vault.answer(protocol.Find("1101", "anna", "clerk", "who is this"))

    assert found == [protocol.Found((kiosk.case_no,)), protocol.Found(())]
    assert isinstance(refusal, protocol.Refusal)
    assert entries(world)[:2] == [("anna", "find", ""), ("anna", "find", "")]


def test_blind_tag_needs_the_key(world: World) -> None:
    other = msgspec.structs.replace(world.vault_keys, index=bytes(32))

    tags = {
        index_tag(keys, text)
        for keys in (world.vault_keys, other)
        for text in ("11010519491231002X", "11010519491231002x", "530121194602050013")
    }

    assert len(tags) == 4
