"""Every service, touched from the first screen to the receipt, becomes a case at the centre."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bianmin.village import Village
from sync.forms import Service
from tests.generator import shipped_catalogue, shipped_villages, transactions
from tests.integration.delivery import local_today, settled, until
from tests.village import centre_rows, running_village
from tests.visitor import Visitor

pytestmark = pytest.mark.timeout(300)

#: Those about a case need one that exists.
SERVICES = [
    service
    for service in shipped_catalogue().services
    if all(question.type != "case_no" for question in service.questions)
]


@pytest.fixture(scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Village]:
    async with running_village(tmp_path_factory.mktemp("village")) as village:
        await settled(village)
        yield village


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.id)
async def test_service_from_first_touch_to_case(village: Village, service: Service) -> None:
    made = transactions(
        shipped_catalogue(), 7, today=local_today(), villages=shipped_villages(), service=service.id
    )
    transaction, attachments = next(made)
    async with ClientSession() as session:
        visitor = await Visitor.arrive(session, village.kiosk_url)

        case_no = await visitor.apply(service, transaction.answers, attachments)

        await until(
            lambda: centre_rows(village, "SELECT 1 FROM cases WHERE case_no = ?", case_no) != [],
            f"case of {service.id}",
        )
    query = "SELECT service, attachments_expected, problems FROM cases WHERE case_no = ?"
    assert centre_rows(village, query, case_no) == [(service.id, len(attachments), 0)]
