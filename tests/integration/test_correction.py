"""The clerk asks for what is missing; the resident brings it at the kiosk; the case goes on.

Both sides are the real programs in this process, with real HTTP, sealing and stores between them.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from kiosk.events import Action, Touch
from kiosk.lifecycle import Stage
from kiosk.main import put_together
from kiosk.opening import Opened
from kiosk.parts import Parts
from kiosk.places import AtMatter
from kiosk.screens import Screen
from kiosk.settings import Settings
from server import enrolment, keys
from server.store import cases
from server.store.rows import Decision
from sync.clock import SeededEntropy
from sync.database import open_database
from sync.device import load_keys
from sync.enrolling import enrol
from sync.records import Attachment
from sync.transports.http import HttpLink
from tests.generator import shipped_catalogue, transactions
from tests.unit.server.staffed import Staffed, staffed
from tests.unit.server.world import VILLAGE

STEPS_MAX = 60
NEW_PHONE = "13900005678"
JPEG = b"\xff\xd8\xff\xe0 made up, and sharper than the first"


class Resident:
    """Somebody at the kiosk, who touches its stage."""

    def __init__(self, stage: Stage, parts: Parts) -> None:
        self._stage = stage
        self._parts = parts
        self.asked: list[str] = []

    async def touch(self, action: Action, value: str = "", question: str = "") -> Screen:
        visit = self._stage.visit
        await self._stage.touch(visit.id, visit.rev, Touch(action, value, question))
        return await self.screen()

    async def screen(self) -> Screen:
        shown, _, _ = await self._stage.screen()
        return shown

    async def fill(
        self, answers: Mapping[str, str], attachments: Sequence[Attachment] = ()
    ) -> Screen:
        """Answer what is asked until the check page or a look-up's end."""
        for _ in range(STEPS_MAX):
            screen = await self.screen()
            if screen.kind in ("materials", "warning"):
                await self.touch("continue")
            elif screen.entry is None:
                return screen
            else:
                await self._answer(screen.entry.question, answers, attachments)
        raise AssertionError("no end of questions")

    async def _answer(
        self, question: str, answers: Mapping[str, str], attachments: Sequence[Attachment]
    ) -> None:
        self.asked.append(question)
        mine = [item for item in attachments if item.question == question]
        for index, item in enumerate(mine):
            await self._stage.attach(
                self._stage.visit.id, question, index, item.media_type, item.content
            )
        value = answers.get(question, "")
        await self.touch("answer" if value else "skip", value, question)

    async def hand_in(self) -> str:
        """Turn the check pages, submit, and read the number on the receipt."""
        assert (await self.screen()).kind == "check"
        while (screen := await self.screen()).next_action == "more":
            await self.touch("more", screen.next_value)
        await self.touch("submit")
        assert (await self.screen()).kind == "receipt"
        assert self._stage.visit.receipt is not None
        return self._stage.visit.receipt.case_no

    async def look_up(self, case_no: str) -> Screen:
        await self.touch("home")
        await self.touch("matters")
        screen = await self.fill({"find_by": "slip", "case_no": case_no})
        assert self._stage.visit.place == AtMatter(case_no)
        return screen

    async def exchange(self) -> None:
        """Let the kiosk carry all that it has, and take all that there is."""
        for _ in range(9):
            outcome = await self._parts.agent.exchange_once()
            assert not outcome.error, outcome
            if not outcome.is_more:
                return


@contextlib.asynccontextmanager
async def at_a_kiosk(centre: Staffed, directory: Path) -> AsyncIterator[Resident]:
    """Enrol a kiosk at the centre with a code, open it, fetch the services."""
    code = centre.world.write(
        enrolment.new_code,
        name="石桥村便民服务点",
        village_code=VILLAGE,
        entropy=centre.world.entropy,
        now_ms=centre.clock.now_ms(),
    )
    settings = Settings(data_dir=directory, voice_dir=directory / "no-voice")
    async with HttpLink(centre.base) as link:
        identity = await enrol(link, directory, code, entropy=SeededEntropy(3))
        device = load_keys(directory)
        database = open_database(settings.database, device_public=device.sign_public)
        try:
            stage, parts = put_together(
                settings,
                Opened(identity, device, database),
                link=link,
                clock=centre.clock,
                entropy=SeededEntropy(5),
                speaker=None,
            )
            resident = Resident(stage, parts)
            await resident.exchange()
            await stage.start()
            yield resident
        finally:
            database.close()


@pytest.fixture
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("c")) as centre:
        yield centre


async def test_what_the_clerk_misses_is_brought_at_the_kiosk(
    centre: Staffed, tmp_path: Path
) -> None:
    transaction, attachments = next(
        transactions(shipped_catalogue(), 7, villages=(VILLAGE,), service="pension_auth")
    )
    async with at_a_kiosk(centre, tmp_path) as resident:
        await resident.touch("service", "pension_auth")
        await resident.fill(transaction.answers, attachments)
        case_no = await resident.hand_in()
        await centre.during("cases", resident.exchange())
        await asks_for(centre, case_no, "phone", "face_photo")
        await resident.exchange()

        told = await resident.look_up(case_no)
        resident.asked.clear()
        await resident.touch("correct", case_no)
        photo = Attachment("face_photo", 0, "image/jpeg", JPEG)
        await resident.fill({"phone": NEW_PHONE, "face_photo": "1"}, [photo])
        await resident.hand_in()
        await centre.during("cases", resident.exchange())
        await resident.exchange()
        after = await resident.look_up(case_no)

    assert (told.next_action, told.next_value) == ("correct", case_no)
    assert "联系电话、本人正面照片" in told.lines[0]
    assert resident.asked[:2] == ["phone", "face_photo"]
    assert resident.asked[2:] == ["find_by", "case_no"]
    assert after.next_action == "home"
    assert [item.label for item in after.timeline if item.is_now] == ["已受理"]
    await assert_case_goes_on(centre, case_no, photo)


async def asks_for(centre: Staffed, case_no: str, *missing: str) -> None:
    """Decide as the desk does."""
    decision = Decision(
        action="correct",
        reason_code="fix_photo",
        words="电话打不通",
        missing=missing,
        correct_by="",
    )
    await centre.app[keys.STORE].write(
        cases.decide, case_no, decision, actor="clerk", now_ms=centre.clock.now_ms()
    )


async def assert_case_goes_on(centre: Staffed, case_no: str, photo: Attachment) -> None:
    """The case is accepted again, and its clerk sees the new answers beside the old."""
    store, vault = centre.app[keys.STORE], centre.app[keys.VAULT]
    case = await store.read(cases.get, case_no)
    assert case is not None
    assert (case.state, case.problems) == ("accepted", 0)
    assert case.attachments_received == case.attachments_expected
    steps = [event.action for event in await store.read(cases.events, case_no)]
    assert steps[-2:] == ["correct", "corrected"]
    assert await store.read(cases.dead_letters) == []
    by = {"actor": "clerk", "role": "clerk", "purpose": "test of the correction"}
    opened = await vault.open(case_no, fields=("phone", "applicant_kind"), **by)
    assert opened.answers["phone"] == NEW_PHONE
    assert opened.answers["applicant_kind"]
    newest = [place for place in opened.attachments if place.question == "face_photo"][-1]
    assert await vault.open_attachment(case_no, newest.index, **by) == (
        photo.media_type,
        photo.content,
    )
