"""Submitting and looking up against a real store: a receipt exists only for what is on the disk."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.events import Committed, Discard, Failed, Found, LookUp, Prepare, Ring, Submit, Wipe
from kiosk.places import AtFault, AtMatter, AtMatters, AtReceipt, Checking
from sync import outbox, standing
from sync.answers import decode_transaction
from sync.records import Notice, Transaction
from sync.sealing import open_attachment, open_sealed
from sync.wire import decode_courier, encode_header
from tests.unit.kiosk.parts import OLD_ID, PHONE, Visitor, catalogue
from tests.unit.kiosk.stations import Station, dictionary, station

JPEG = b"\xff\xd8\xff\xe0 a small picture"


def transaction(transaction_id: bytes = b"0123456789abcdef", **fitting: str) -> Transaction:
    visitor = Visitor().do("service", "pension_auth").fill(**fitting).hand_in()
    (submit,) = visitor.effects
    assert isinstance(submit, Submit)
    answers = submit.transaction.answers
    return Transaction(transaction_id, "pension_auth", "zh-CN", answers)


async def submitted(kiosk: Station, *transactions: Transaction) -> list[object]:
    assert kiosk.stage.loaded is not None
    kiosk.parts.drafts.put("face_photo", 0, "image/jpeg", JPEG)
    effects = [Submit(one) for one in transactions]
    return list(await kiosk.parts.effects.run(effects, kiosk.stage.loaded))


async def test_submit_seals_what_was_said_for_the_centre_alone(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        said = transaction()

        (event,) = await submitted(kiosk, said)

        assert isinstance(event, Committed)
        raw = await kiosk.parts.database.run(outbox.courier_of, event.receipt.seq)
        envelope, _ = decode_courier(raw)
        plain = open_sealed(
            kiosk.centre.sealing_private, encode_header(envelope.header), envelope.sealed
        )
        assert decode_transaction(catalogue(), dictionary(), plain) == said


async def test_nothing_readable_is_on_the_disk(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await submitted(kiosk, transaction())

        found = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())

        # Something could leak: the case number is there in the clear.
        assert b"004200000" in found
        for secret in (OLD_ID.encode(), PHONE.encode(), "王秀兰".encode(), JPEG):
            assert secret not in found


async def test_attachment_travels_sealed_with_its_transaction(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        (event,) = await submitted(kiosk, transaction())

        (row,) = kiosk.parts.database.conn.query(
            "SELECT envelope, place, sealed FROM attachment JOIN outbox USING (seq)"
        )
        assert isinstance(event, Committed)
        opened = open_attachment(
            kiosk.centre.sealing_private, row["envelope"], row["place"], row["sealed"]
        )
        assert (opened.question, opened.index, opened.content) == ("face_photo", 0, JPEG)


async def test_same_transaction_again_is_the_same_receipt(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        said = transaction()

        first, second = await submitted(kiosk, said, said)

        assert first == second
        assert (await kiosk.parts.database.run(outbox.waiting)).count == 1


async def test_full_disk_promises_nothing(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        assert kiosk.stage.loaded is not None
        kiosk.parts.drafts.put("face_photo", 0, "image/jpeg", JPEG + bytes(200_000))
        with full_disk(kiosk):
            (event,) = await kiosk.parts.effects.run([Submit(transaction())], kiosk.stage.loaded)

        assert event == Failed("507")
        assert (await kiosk.parts.database.run(outbox.waiting)).count == 0


async def test_store_without_ballast_takes_nothing_new(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        kiosk.parts.database.release_ballast()

        (event,) = await submitted(kiosk, transaction())

        assert event == Failed("507")


async def test_read_only_store_promises_nothing(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        kiosk.parts.database.conn.execute("PRAGMA query_only = ON")

        (event,) = await submitted(kiosk, transaction())

        assert event == Failed("500")


async def test_resident_sees_a_fault_screen_and_can_try_again(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await walk_to_check(kiosk)
        kiosk.parts.database.conn.execute("PRAGMA query_only = ON")
        await kiosk.touch("submit")
        faulty = kiosk.stage.visit.place
        kiosk.parts.database.conn.execute("PRAGMA query_only = OFF")

        await kiosk.touch("retry")
        checking = kiosk.stage.visit.place
        await hand_in(kiosk)

        assert faulty == AtFault("500")
        assert checking == Checking()
        assert kiosk.stage.visit.place == AtReceipt()
        assert (await kiosk.parts.database.run(outbox.waiting)).count == 1


async def test_matter_is_found_by_its_number(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        (event,) = await submitted(kiosk, transaction())
        assert isinstance(event, Committed)

        found = await looked_up(kiosk, LookUp(case_no=event.receipt.case_no))

        assert [matter.case_no for matter in found.matters] == [event.receipt.case_no]
        assert found.matters[0].confirmed_ms == event.receipt.confirmed_ms


async def test_matter_is_found_by_card_and_phone(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        first, second = await submitted(
            kiosk, transaction(), transaction(b"another sixteen!", phone="13900009999")
        )
        assert isinstance(first, Committed)
        assert isinstance(second, Committed)

        found = await looked_up(kiosk, LookUp(id_number=OLD_ID, phone_tail=PHONE[-4:]))

        assert [matter.case_no for matter in found.matters] == [first.receipt.case_no]


@pytest.mark.parametrize("tail", ["0000", "4321"])
async def test_matter_is_not_found_with_another_phone(tmp_path: Path, tail: str) -> None:
    async with station(tmp_path) as kiosk:
        await submitted(kiosk, transaction())

        found = await looked_up(kiosk, LookUp(id_number=OLD_ID, phone_tail=tail))

        assert found == Found(())


async def test_number_from_elsewhere_is_not_found(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        assert await looked_up(kiosk, LookUp(case_no="004200013768")) == Found(())


async def test_wipe_and_discard_forget_attachments(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        assert kiosk.stage.loaded is not None
        drafts = kiosk.parts.drafts
        drafts.put("face_photo", 0, "image/jpeg", JPEG)
        drafts.put("signature", 0, "image/png", JPEG)

        await kiosk.parts.effects.run([Discard("face_photo")], kiosk.stage.loaded)
        is_one_left = not drafts.is_empty
        await kiosk.parts.effects.run([Wipe()], kiosk.stage.loaded)

        assert is_one_left
        assert drafts.is_empty


async def test_slow_tags_are_begun_on_the_check_page_and_forgotten_with_the_visit(
    tmp_path: Path,
) -> None:
    async with station(tmp_path) as kiosk:
        assert kiosk.stage.loaded is not None
        effects, said = kiosk.parts.effects, transaction()

        await effects.run([Prepare(said)], kiosk.stage.loaded)
        is_begun = effects.is_preparing
        (event,) = await submitted(kiosk, said)
        found = await looked_up(kiosk, LookUp(id_number=OLD_ID, phone_tail=PHONE[-4:]))
        await effects.run([Wipe()], kiosk.stage.loaded)

        assert is_begun
        assert isinstance(event, Committed)
        assert [matter.case_no for matter in found.matters] == [event.receipt.case_no]
        assert not effects.is_preparing


async def test_call_for_the_helper_is_told_for_ten_minutes(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        assert kiosk.stage.loaded is not None
        effects = kiosk.parts.effects

        await effects.run([Ring()], kiosk.stage.loaded)
        is_told = effects.is_helper_called
        kiosk.clock.pass_ms(10 * 60 * 1000)

        assert is_told
        assert not effects.is_helper_called


async def test_correction_of_two_answers_is_sealed_alone(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        fixing = Transaction(
            b"0123456789abcdef",
            "pension_auth",
            "zh-CN",
            {"phone": PHONE, "face_photo": "1"},
            corrects="004200013768",
        )

        (event,) = await submitted(kiosk, fixing)

        assert isinstance(event, Committed)
        raw = await kiosk.parts.database.run(outbox.courier_of, event.receipt.seq)
        envelope, _ = decode_courier(raw)
        plain = open_sealed(
            kiosk.centre.sealing_private, encode_header(envelope.header), envelope.sealed
        )
        assert decode_transaction(catalogue(), dictionary(), plain) == fixing


async def test_delivered_matter_with_notices_is_told(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await walk_to_check(kiosk)
        await hand_in(kiosk)
        receipt = kiosk.stage.visit.receipt
        assert receipt is not None
        await kiosk.exchange()

        found = await looked_up(kiosk, LookUp(case_no=receipt.case_no))

        assert found.matters[0].is_delivered


async def test_word_that_a_rating_has_come_hides_no_other_word(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        (event,) = await submitted(kiosk, transaction())
        assert isinstance(event, Committed)
        case_no = event.receipt.case_no
        for number, kind in enumerate(("received", "correction", "rated"), 1):
            told = Notice(number, case_no, kind, "pension_auth", at_ms=1_795_500_000_000)
            await kiosk.parts.database.write(standing._store_notice, 1, told)

        found = await looked_up(kiosk, LookUp(case_no=case_no))

        assert [told.kind for told in found.matters[0].notices] == ["received", "correction"]


async def test_unknown_number_leads_to_words(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        await kiosk.touch("matters")
        await kiosk.touch("answer", "slip", "find_by")
        await kiosk.touch("answer", "004200013768", "case_no")

        assert kiosk.stage.visit.place == AtMatters()


async def test_own_number_leads_to_the_matter(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        (event,) = await submitted(kiosk, transaction())
        assert isinstance(event, Committed)

        await kiosk.touch("matters")
        await kiosk.touch("answer", "slip", "find_by")
        await kiosk.touch("answer", event.receipt.case_no, "case_no")

        assert kiosk.stage.visit.place == AtMatter(event.receipt.case_no)


async def looked_up(kiosk: Station, effect: LookUp) -> Found:
    assert kiosk.stage.loaded is not None
    (event,) = await kiosk.parts.effects.run([effect], kiosk.stage.loaded)
    assert isinstance(event, Found)
    return event


async def walk_to_check(kiosk: Station) -> None:
    """Answer a suggestion without a photo."""
    await kiosk.touch("service", "suggestion")
    for question, value in (
        ("topic", "road"),
        ("about_staff", "no"),
        ("text_or_voice", "=桥头的灯坏了"),
    ):
        await kiosk.touch("answer", value, question)
    await kiosk.touch("skip", "", "pic")
    await kiosk.touch("answer", "no", "keep_name")
    assert kiosk.stage.visit.place == Checking()


async def hand_in(kiosk: Station) -> None:
    await kiosk.touch("more", "2")
    await kiosk.touch("submit")


@contextlib.contextmanager
def full_disk(kiosk: Station) -> Iterator[None]:
    """Let SQLite itself refuse another page, as it does when the card is full."""
    conn = kiosk.parts.database.conn
    (pages,) = conn.execute("PRAGMA page_count").fetchone()
    conn.execute(f"PRAGMA max_page_count = {pages}")
    yield
    conn.execute("PRAGMA max_page_count = 1000000")
