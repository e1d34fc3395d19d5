"""The review of what a revoked kiosk sent: listed without content, decided on record."""

import re
from collections.abc import AsyncIterator

import pytest

from server import keys
from server.store import fleet, people, reviews
from tests.unit.server.staffed import Browser, Staffed, staffed
from tests.unit.server.world import HELPER_REQUEST, Kiosk

REASON = "slips were shown at the office"


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("aside") / "c") as running:
        yield running


@pytest.fixture
async def operator(centre: Staffed) -> Browser:
    return await centre.signed_in("zhouming", "operator")


@pytest.fixture
async def stolen(centre: Staffed) -> Kiosk:
    """A kiosk that was revoked, and what it sent then: numbers 1 to 3."""
    kiosk = centre.world.enrol("河口村便民点")
    centre.world.write(fleet.revoke, kiosk.keys.kiosk_id.hex())
    envelopes = [kiosk.confirm(centre.published, HELPER_REQUEST) for _ in range(3)]
    await centre.send(kiosk.request(envelopes))
    return kiosk


def page_of(kiosk: Kiosk) -> str:
    return f"/fleet/{kiosk.keys.kiosk_id.hex()}/quarantine"


async def envelopes(centre: Staffed, kiosk: Kiosk) -> list[tuple[int, str]]:
    """Id and fate of what the kiosk sent."""
    rows = await centre.app[keys.STORE].read(
        lambda conn: conn.execute(
            "SELECT id, fate FROM envelopes WHERE kiosk_id = ? ORDER BY id",
            (kiosk.keys.kiosk_id,),
        ).fetchall()
    )
    return [(row[0], row[1]) for row in rows]


async def states(centre: Staffed, kiosk: Kiosk) -> list[str]:
    return [fate for _, fate in await envelopes(centre, kiosk)]


async def test_row_42_list_shows_numbers_and_signs_and_nothing_of_the_content(
    operator: Browser, stolen: Kiosk
) -> None:
    status, text = await operator.get(page_of(stolen))

    assert status == 200
    assert "有 3 份等待决定" in text
    assert re.findall(r'<td class="n">(\d+)</td>', text) == ["1", "2", "3"]
    assert text.count("接在已到的一份后面") == 3
    assert "王秀英" not in text
    assert stolen.raw.hex() not in text


async def test_row_42_accepting_up_to_a_number_is_in_the_ledger_and_makes_cases(
    centre: Staffed, operator: Browser, stolen: Kiosk
) -> None:
    fields = [("upto", "2"), ("reason", REASON)]

    _, _, location = await centre.during(
        "cases", operator.post(f"{page_of(stolen)}/accept", fields)
    )
    _, text = await operator.get(location)

    assert await states(centre, stolen) == ["case", "case", "quarantined"]
    assert "已收下" in text
    assert "有 1 份等待决定" in text
    (entry,) = [
        found
        for found in await centre.app[keys.VAULT].ledger(9)
        if found.action == "accepted_quarantined"
    ]
    assert (entry.actor, entry.role, entry.purpose, entry.detail) == (
        "zhouming",
        "operator",
        REASON,
        f"{stolen.kiosk_no} 1-2",
    )
    event = (await centre.app[keys.STORE].read(people.staff_events, limit=1))[0]
    assert (event.action, event.subject, event.detail) == (
        "accepted_quarantined",
        str(stolen.kiosk_no),
        "2",
    )


async def test_row_42_refusing_needs_a_reason_keeps_the_envelope_and_can_be_changed(
    centre: Staffed, operator: Browser, stolen: Kiosk
) -> None:
    await operator.get(page_of(stolen))
    third = str((await envelopes(centre, stolen))[2][0])
    without = await operator.post(
        f"{page_of(stolen)}/refuse", [("letter", third), ("reason", " x ")]
    )
    before = await centre.app[keys.STORE].read(reviews.count, stolen.keys.kiosk_id)
    await operator.post(
        f"{page_of(stolen)}/refuse", [("letter", third), ("reason", "made after the theft")]
    )
    after = await centre.app[keys.STORE].read(reviews.count, stolen.keys.kiosk_id)
    _, text = await operator.get(page_of(stolen))
    await centre.during(
        "cases",
        operator.post(f"{page_of(stolen)}/accept", [("letter", third), ("reason", REASON)]),
    )

    assert without[0] == 422
    assert (before, after) == (3, 2)
    assert "zhouming 不收：made after the theft" in text
    assert (await states(centre, stolen))[2] == "case"


async def test_row_42_dead_letters_lead_to_the_review_and_replay_nothing_of_it(
    centre: Staffed, operator: Browser, stolen: Kiosk
) -> None:
    _, text = await operator.get("/letters")
    ids = [str(number) for number, _ in await envelopes(centre, stolen)]
    await operator.post("/letters/replay", [("letter", number) for number in ids])

    assert f'href="{page_of(stolen)}"' in text
    assert await states(centre, stolen) == ["quarantined"] * 3


@pytest.mark.parametrize(
    "fields",
    [
        [("reason", REASON)],
        [("upto", "0"), ("reason", REASON)],
        [("upto", "2"), ("letter", "1"), ("reason", REASON)],
        [("letter", "x"), ("reason", REASON)],
    ],
)
async def test_form_that_is_none_of_ours_decides_nothing(
    centre: Staffed, operator: Browser, stolen: Kiosk, fields: list[tuple[str, str]]
) -> None:
    await operator.get(page_of(stolen))

    status, _, _ = await operator.post(f"{page_of(stolen)}/accept", fields)

    assert status == 400
    assert await states(centre, stolen) == ["quarantined"] * 3


@pytest.mark.parametrize("role", ["clerk", "auditor", "admin"])
async def test_only_operators_decide(centre: Staffed, stolen: Kiosk, role: str) -> None:
    browser = await centre.signed_in(f"some-{role}", role)

    status, _, _ = await browser.post(
        f"{page_of(stolen)}/accept", [("upto", "3"), ("reason", REASON)]
    )

    assert status == 403
    assert await states(centre, stolen) == ["quarantined"] * 3
