"""Hours of the day: a dark screen that any touch wakes, and a voice that waits for a touch."""

from pathlib import Path

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk import views
from kiosk.main import build_app
from kiosk.rest import is_span, is_within
from kiosk.screens import Screen
from tests.unit.kiosk.parts import Visitor, wordings
from tests.unit.kiosk.stations import station

HOUR_MS = 3_600_000


@pytest.mark.parametrize("text", ["", "22:00-06:00", "00:00-23:59", "12:30-13:00"])
def test_span_is_taken(text: str) -> None:
    assert is_span(text)


@pytest.mark.parametrize("text", ["22-6", "24:00-06:00", "22:00-06:60", "07:00-07:00", "night"])
def test_what_is_no_span_is_refused(text: str) -> None:
    assert not is_span(text)


@pytest.mark.parametrize(
    ("hour", "is_dark"), [(21, False), (22, True), (0, True), (5, True), (6, False), (12, False)]
)
def test_night_goes_over_midnight(hour: int, is_dark: bool) -> None:
    assert is_within("22:00-06:00", hour * HOUR_MS, 0) == is_dark


def test_hours_are_those_of_the_place() -> None:
    fourteen_utc = 14 * HOUR_MS

    assert is_within("22:00-06:00", fourteen_utc, 480)
    assert not is_within("22:00-06:00", fourteen_utc, 0)


@given(st.integers(0, 2**45), st.integers(-720, 840))
def test_day_is_parted_into_a_span_and_its_rest(now_ms: int, offset_min: int) -> None:
    within = is_within("22:00-06:00", now_ms, offset_min)

    assert within != is_within("06:00-22:00", now_ms, offset_min)
    assert not is_within("", now_ms, offset_min)


async def test_page_is_told_the_night(tmp_path: Path) -> None:
    async with station(tmp_path) as kiosk:
        told = []
        for hours in ("", "00:00-23:59"):
            settings = msgspec.structs.replace(kiosk.parts.settings, screen_off=hours)
            object.__setattr__(kiosk.parts, "settings", settings)
            app = build_app(kiosk.stage, kiosk.parts)
            async with TestClient(TestServer(app)) as client:
                told.append((await (await client.get("/pulse")).json())["is_dark"])

    assert told == [False, True]


def quiet(visitor: Visitor, *, is_quiet: bool = True) -> Screen:
    world = replace(visitor.world, is_quiet=is_quiet)
    return views.screen(visitor.visit, world, wordings())


def test_home_that_nobody_touched_waits_before_it_speaks() -> None:
    screen = quiet(Visitor())

    assert screen.quiet == "silent"
    assert screen.silence == ((), ())
    # “Hear again” has something to say.
    assert screen.say


@pytest.mark.parametrize("action", ["matters", "help"])
def test_screen_that_a_touch_brought_is_spoken_lower(action: str) -> None:
    screen = quiet(Visitor().do(action))

    assert screen.quiet == "lower"
    assert all(screen.silence)


def test_by_day_nothing_is_hushed() -> None:
    assert quiet(Visitor(), is_quiet=False).quiet == ""
