"""Who looked at a resident's data is told where they ask: the office and the purpose."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.server.staffed import DEPARTMENT, Staffed, staffed
from tests.unit.server.world import HELPER_REQUEST

FIELDS = [("field", "name"), ("field", "phone")]


@pytest.fixture(scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Staffed]:
    async with staffed(tmp_path_factory.mktemp("looks") / "c") as centre:
        yield centre


async def test_look_of_a_clerk_reaches_the_kiosk_with_its_purpose_and_without_a_name(
    centre: Staffed,
) -> None:
    kiosk = centre.world.enrol("石门村便民点")
    clerk = await centre.signed_in("limin", shown_name="李敏")
    case_no = await centre.confirm(kiosk)
    kiosk.notices(centre.world.exchange(kiosk, kiosk.request()))

    status, _, _ = await clerk.post(f"/desk/{case_no}/reveal", [("purpose", "call"), *FIELDS])

    told = kiosk.notices(centre.world.exchange(kiosk, kiosk.request()))
    assert status == 200
    assert [(one.case_no, one.kind) for one in told] == [(case_no, "looked")]
    assert told[0].words == f"{DEPARTMENT}：联系居民核实"
    assert HELPER_REQUEST["name"] not in repr(told)


async def test_look_that_was_refused_is_not_told(centre: Staffed) -> None:
    kiosk = centre.world.enrol("清水村便民点")
    clerk = await centre.signed_in("zhaolei", shown_name="赵磊")
    case_no = await centre.confirm(kiosk)
    kiosk.notices(centre.world.exchange(kiosk, kiosk.request()))

    status, _, _ = await clerk.post(f"/desk/{case_no}/reveal", FIELDS)

    assert status == 422
    assert kiosk.notices(centre.world.exchange(kiosk, kiosk.request())) == []
