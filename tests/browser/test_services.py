"""Six services, both languages, as people do them: by touch, on a kiosk that really runs.

Every screen on the way is looked at (nothing cut, nothing to scroll, no word of the other
language) and listened to (its first sentence sounds); at the end the centre holds what was
confirmed and nothing else. Pictures of every screen stay in .build/services/.
"""

import re
from collections.abc import AsyncIterator

import msgspec
import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Page, Request

from bianmin.browser import KIOSK_FLAGS
from bianmin.village import Village
from sync.answers import decode_transaction
from sync.dictionary import build_dictionary
from sync.ids import is_case_number
from sync.records import Envelope, Transaction
from sync.sealing import open_attachment, open_sealed
from sync.wire import courier_raw, decode_courier, encode_header, envelope_bytes
from tests.browser.stage import running_browser
from tests.browser.visitor import Resident, Seen
from tests.browser.visits import Run, other_runs, quick_runs
from tests.conftest import ROOT, VOICE_DIR
from tests.generator import shipped_catalogue
from tests.integration.delivery import local_today, settled, until
from tests.village import centre_rows
from voice_prompts.cache import read_index
from voice_prompts.wording import Wording

pytestmark = pytest.mark.timeout(300)

PICTURES = ROOT / ".build" / "services"
#: Characters that no English screen shows, and words that no Chinese one does.
_FOREIGN = {"en": re.compile("[\u2e80-\u9fff\uff00-\uffef]"), "zh-CN": re.compile("[A-Za-z]{3,}")}
#: In these the first question with tiles is heard out: it takes as long as it takes.
_LISTENED = {"pension_auth", "medical_registration"}
#: A visit with a photo; the others take longer and are in the deep suite.
_QUICK = {"suggestion"}
_KEPT = {"photo": b"\xff\xd8", "signature": b"<svg", "voice_note": b"\x1a\x45\xdf\xa3"}


class Done(msgspec.Struct, frozen=True):
    """A visit that ended with a receipt."""

    run: Run
    case_no: str
    #: What the QR on the screen carries.
    envelope: Envelope


class Street(msgspec.Struct):
    """The kiosk of the village, the display that hangs on it, and who was there."""

    village: Village
    browser: Browser
    width_px: int = 0
    done: list[Done] = []

    async def page(self, run: Run) -> Page:
        """Open the screen of a visit; another display means another start of the kiosk."""
        profile = run.profile
        if self.width_px != profile.width_px:
            assert self.village.kiosk is not None
            await self.village.kiosk.stop()
            self.village.environment["BIANMIN_KIOSK_WIDTH_PX"] = str(profile.width_px)
            self.village.environment["BIANMIN_KIOSK_HEIGHT_PX"] = str(profile.height_px)
            await self.village.start_kiosk()
            self.width_px = profile.width_px
        context = await self.browser.new_context(
            viewport={"width": profile.width_px, "height": profile.height_px},
            has_touch=True,
            reduced_motion="reduce",
            permissions=["camera", "microphone"],
            locale="zh-CN",
        )
        return await context.new_page()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """As the shared one, and with a made-up camera and microphone."""
    async with running_browser(*KIOSK_FLAGS) as browser:
        yield browser


@pytest.fixture(scope="module")
async def street(village: Village, browser: Browser) -> Street:
    return Street(village, browser, done=[])


@pytest.mark.parametrize(
    "run",
    [
        *(
            pytest.param(run, id=run.name, marks=() if run.service in _QUICK else pytest.mark.deep)
            for run in quick_runs(local_today())
        ),
        *(
            pytest.param(run, id=run.name, marks=pytest.mark.deep)
            for run in other_runs(local_today())
        ),
    ],
)
async def test_service_from_home_to_thanks_by_touch(street: Street, run: Run) -> None:
    page = await street.page(run)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.extend(_failed(request)))
    resident = Resident(
        page,
        street.village.kiosk_url,
        run.language,
        run.profile.px_per_mm,
        PICTURES / run.name,
    )
    await resident.arrive()

    if run.service == "progress_query":
        await _enquires(resident, run, street.done)
    else:
        street.done.append(await _applies(resident, run))

    await page.context.close()
    assert all(seen.played for seen in resident.seen[:-1]), [s.name for s in resident.seen]
    faults += [fault for seen in resident.seen for fault in _faults(seen, run.language)]
    assert faults == []


async def _listens_at_home(resident: Resident) -> None:
    """The first sentence is heard to its end, and then tile after tile is outlined."""
    assert await resident.hears("bianmin.played.some((p) => p.highlight === 'title' && p.whole)")
    assert await resident.hears("document.querySelector('.tile.said')")
    await resident.picture("said")


async def _applies(resident: Resident, run: Run) -> Done:
    """Do a matter whole; answer what the receipt says."""
    await _finds(resident, run)
    is_listened = run.service not in _LISTENED
    while resident.now.kind in ("materials", "question", "warning"):
        if resident.now.entry == "choice" and not is_listened:
            is_listened = await resident.hears("document.querySelector('.tile.said')")
            assert is_listened, f"no tile of {resident.now.name} is outlined"
        await resident.go_on(run.answers)
    assert resident.now.kind == "check", resident.now.name

    await resident.change(*run.changed)
    assert resident.now.kind == "check", resident.now.name
    await resident.submit()

    assert resident.now.kind == "receipt", resident.now.name
    done = await _reads_receipt(resident, run)
    await resident.go("#next")
    await _rates(resident, run)
    return done


async def _finds(resident: Resident, run: Run) -> None:
    """Touch the category, then the service where there are several."""
    category = f'.tile[data-action=open][data-value="{run.category}"]'
    if not await resident.is_there(category):
        await resident.go(".tile[data-action=more]")
        await resident.picture()
        assert await resident.is_there("#back"), "no way back to the first page"
    await resident.go(category)
    if resident.now.kind == "category":
        await resident.picture()
        await resident.go(f'.tile[data-action=service][data-value="{run.service}"]')


async def _reads_receipt(resident: Resident, run: Run) -> Done:
    picture = await resident.picture()
    case_no = re.sub(r"\D", "", await resident.page.inner_text("#receipt-no dd"))
    [code] = zxingcpp.read_barcodes(Image.open(picture))
    assert is_case_number(case_no), case_no
    assert code.text.startswith("HTTP://"), code.text
    envelope, _ = decode_courier(courier_raw(code.text.rsplit("/", 1)[1]))
    return Done(run, case_no, envelope)


async def _rates(resident: Resident, run: Run) -> None:
    assert resident.now.kind == "rating", resident.now.name
    await resident.picture()
    await resident.go(f'.tile[data-action=rate][data-value="{run.level}"]')
    await resident.fill(run.why)
    assert resident.now.kind == "thanks", resident.now.name
    await resident.picture()
    await resident.go("#next")
    assert resident.now.kind == "home", resident.now.name


async def _enquires(resident: Resident, run: Run, done: list[Done]) -> None:
    """Look up the newest matter that a visit before this one left."""
    assert done, "an enquiry needs a matter: run it together with the other services"
    # Hearing a screen out takes as long as it takes, so it is done in the shortest visit.
    await _listens_at_home(resident)
    answers = dict(run.answers)
    if answers["find_by"] == "slip":
        matter = done[-1]
        answers["case_no"] = matter.case_no
        await resident.go("[data-action=matters]")
    else:
        matter = next(d for d in reversed(done) if d.run.said.keys() >= {"id_number", "phone"})
        answers["id_number"] = matter.run.said["id_number"]
        answers["phone_tail"] = matter.run.said["phone"][-4:]
        await _finds(resident, run)

    await resident.fill(answers)

    assert resident.now.kind == "matter", (resident.now.name, resident.now.words)
    service = shipped_catalogue().service(matter.run.service)
    assert resident.now.title == service.plain_name[run.language]
    told = Wording.load(run.language).screen("matter.received")
    assert told in resident.now.words
    assert matter.case_no in re.sub(r"\s", "", " ".join(resident.now.words))
    await resident.picture()
    await resident.go("#next")
    assert resident.now.kind == "home", resident.now.name


async def test_centre_holds_what_was_confirmed_and_nothing_else(street: Street) -> None:
    village, done = street.village, street.done
    assert done, "run it together with the services"
    await settled(village)
    await until(
        lambda: not centre_rows(village, "SELECT 1 FROM envelopes WHERE fate = 'waiting'"),
        "every envelope opened",
    )

    cases = centre_rows(
        village,
        "SELECT case_no, service, language, raw FROM cases c JOIN envelopes e"
        " ON e.id = c.envelope_id ORDER BY case_no",
    )
    assert cases == [
        (each.case_no, each.run.service, each.run.language, envelope_bytes(each.envelope))
        for each in done
    ]
    fates = centre_rows(village, "SELECT DISTINCT fate FROM envelopes ORDER BY fate")
    assert fates == [("case",), ("rating",)]
    levels = centre_rows(village, "SELECT rating FROM cases ORDER BY case_no")
    assert levels == [(_STARS[each.run.level],) for each in done]


async def test_vault_reads_what_was_touched(street: Street) -> None:
    """Opened with the vault's own key: the answers, and photos that are photos."""
    key = (street.village.directory / "centre" / "vault" / "sealing-0001.key").read_bytes()
    catalogue = shipped_catalogue()
    dictionary = build_dictionary(catalogue)
    await settled(street.village)
    for each in street.done:
        raw = open_sealed(key, encode_header(each.envelope.header), each.envelope.sealed)
        said: Transaction = decode_transaction(catalogue, dictionary, raw)

        assert (said.service, said.language) == (each.run.service, each.run.language)
        assert dict(said.answers) == each.run.said
        kinds = {q.id: q.type for q in catalogue.service(said.service).questions}
        rows = centre_rows(
            street.village,
            "SELECT idx, sealed FROM attachments WHERE seq = ? ORDER BY idx",
            each.envelope.header.seq,
        )
        kept = [open_attachment(key, envelope_bytes(each.envelope), *_place(row)) for row in rows]
        assert [(a.question, a.content[:4][: len(_KEPT[kinds[a.question]])]) for a in kept] == [
            (question, _KEPT[kinds[question]])
            for question, value in said.answers.items()
            if kinds[question] in _KEPT and value.isdecimal()
            for _ in range(int(value))
        ]


_STARS = {"very_satisfied": 5, "dissatisfied": 2}


def _place(row: tuple[object, ...]) -> tuple[int, bytes]:
    index, sealed = row
    assert isinstance(index, int)
    assert isinstance(sealed, bytes)
    return index, sealed


def _failed(request: Request) -> list[str]:
    # A touch breaks off what is still being fetched for this screen's voice.
    is_broken_off = request.failure == "net::ERR_ABORTED"
    return [] if is_broken_off else [f"{request.url}: {request.failure}"]


def _faults(seen: Seen, language: str) -> list[str]:
    """Answer what a screen does wrong, in words."""
    told = [*seen.faults]
    if seen.language != language:
        told.append(f"{seen.name} is in {seen.language}")
    foreign = [words for words in seen.words if _FOREIGN[language].search(words)]
    if foreign:
        told.append(f"{seen.name} shows {foreign}")
    if seen.first_sound_ms is None:
        told.append(f"{seen.name} is silent")
    if seen.played and not seen.played[0][0]:
        told.append(f"{seen.name}: what is said first is no heading")
    unsaid = {tile for tile in seen.tiles if tile.startswith("tile")} - set(seen.said)
    if unsaid and seen.entry != "multi_choice":
        told.append(f"{seen.name} does not say {sorted(unsaid)}")
    clips = {url.removeprefix("/voice/") for url in seen.clips if not url.startswith("/voice/live")}
    foreign_clips = clips - set(read_index(VOICE_DIR).clips[language].values())
    if foreign_clips:
        told.append(f"{seen.name} is said in another language")
    return told
