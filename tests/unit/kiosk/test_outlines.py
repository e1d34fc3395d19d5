"""What the voice outlines while it speaks stands on the drawn page."""

import re

import pytest

from kiosk import views
from kiosk.events import Failed, Found
from kiosk.playlist import Playlist
from kiosk.visit import Matter, Visit
from kiosk.web.presentation import ScreenProfile, Tokens, render
from kiosk.world import World
from sync.records import Notice
from tests.unit.kiosk.parts import Visitor, catalogue, receipt, wordings
from voice_prompts.wording import LANGUAGES

PROFILE = ScreenProfile(width_px=1024, height_px=600, diagonal_in=10.1)
CASE = receipt("pension_auth").case_no
ID = re.compile(r'\sid="([^"]+)"')


def lost_outlines(visit: Visit, world: World) -> set[str]:
    """The ids that the screen's voice outlines and its page does not have."""
    screen = views.screen(visit, world, wordings())
    page = render(screen, Playlist(say=()), PROFILE, Tokens(visit="v", rev=1))
    spoken = [*screen.say, *(utterance for row in screen.silence for utterance in row)]
    return {utterance.highlight for utterance in spoken} - {""} - set(ID.findall(page))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", [service.id for service in catalogue().services])
def test_what_a_visit_outlines_is_on_its_pages(service: str, language: str) -> None:
    visitor = Visitor(language).do("service", service).fill()
    if catalogue().service(service).case_kind == "query":
        notice = Notice(
            number=1,
            case_no=CASE,
            kind="correction",
            service="pension_auth",
            at_ms=1_795_500_000_000,
            missing=("face_photo",),
            correct_by="2026-12-01",
            reason_code="photo_unclear",
            words="请在窗边重拍",
        )
        matters = tuple(
            Matter(receipt("pension_auth", seq).case_no, "pension_auth", 1_795_500_000_000, True)
            for seq in (138, 139)
        )
        told = Matter(CASE, "pension_auth", 1_795_500_000_000, True, (notice,))
        visitor.give(Found((told, *matters))).do("matter", CASE)
    else:
        visitor.hand_in().give(Failed("507")).do("retry").hand_in().commit()
        visitor.do("continue")

    lost = [
        (visit.place, visit.overlay, ids)
        for visit in visitor.seen
        if (ids := lost_outlines(visit, visitor.world))
    ]

    assert lost == []
