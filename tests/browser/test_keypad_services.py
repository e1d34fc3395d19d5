"""Whole services by keypad alone, to the receipt, in both languages.

Nothing is touched and nothing is looked for with the eyes: the arrows go through each screen in
the order in which it is spoken, OK does the rest. What is spoken is compared with what stands on
the screen.
"""

import pytest
from playwright.async_api import Browser

from bianmin.village import Village
from tests.browser.presser import Presser
from tests.browser.stage import LANDSCAPE
from tests.browser.test_services import PICTURES, Street, _applies, _faults, browser  # noqa: F401
from tests.browser.visits import Run, runs
from tests.integration.delivery import local_today

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]

#: Between them: pads, card numbers, dates, names in both scripts, several choices, photos, a
#: fingerprint, villages, consents.
SERVICES = [("zh-CN", "senior_allowance"), ("en", "medical_registration"), ("zh-CN", "suggestion")]


@pytest.fixture(scope="module")
async def street(village: Village, browser: Browser) -> Street:  # noqa: F811 -- the fixture
    return Street(village, browser, done=[])


@pytest.mark.parametrize(("language", "service"), SERVICES)
async def test_service_is_done_to_its_receipt_by_keypad_alone(
    street: Street, language: str, service: str
) -> None:
    run: Run = runs(language, LANDSCAPE, local_today())[service]
    page = await street.page(run)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.add_init_script(
        "for (const kind of ['pointerdown', 'touchstart', 'mousedown'])"
        " addEventListener(kind, () => { throw new Error(`${kind}: no finger here`); }, true);"
    )
    presser = Presser(
        page,
        street.village.kiosk_url,
        language,
        run.profile.px_per_mm,
        PICTURES / f"keypad-{run.name}",
    )
    # By arrows alone in one language; with the digits of a number pad in the other.
    presser.has_digits = language != "en"
    await presser.arrive()

    done = await _applies(presser, run)

    await page.context.close()
    assert done.case_no
    faults = [fault for seen in presser.seen for fault in _faults(seen, language)]
    for seen in presser.seen:
        if seen.error:
            continue
        said = list(dict.fromkeys(name for name in seen.said if name.startswith("tile-")))
        shown = [name for name in seen.tiles if name.startswith("tile-")]
        if said != shown:
            faults.append(f"{seen.name} shows {shown} and says {said}")
    assert errors + faults == []
