"""Every screen has its mandatory speech: entry, two silences, two mistakes, a way back."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from kiosk import views
from kiosk.events import Failed, Found
from kiosk.places import Asking, AtFault, AtHome, AtThanks, InCategory, Waiting
from kiosk.screens import Screen, Utterance
from kiosk.visit import Matter, Visit
from tests.unit.kiosk.parts import Visitor, catalogue, receipt, wordings
from voice_prompts.compose import pieces
from voice_prompts.wording import LANGUAGES

OVERLAYS = ("", "help", "leave", "idle", "stick", "seeing", "hearing")
KINDS = {
    *("home", "category", "materials", "question", "check", "receipt", "rating", "thanks"),
    *("matters", "matter", "stick", "comfort", "help", "leave", "idle", "fault", "busy"),
}


def visits(language: str) -> Iterator[tuple[Visitor, Visit]]:
    """Every screen that a walk through each service meets, and those it ends in."""
    met: set[tuple[type, str, str]] = set()
    for service in catalogue().services:
        visitor = Visitor(language).do("service", service.id).fill()
        if service.case_kind == "query":
            one = Matter(receipt("pension_auth").case_no, "pension_auth", 1, is_delivered=True)
            two = Matter(receipt("pension_auth", 138).case_no, "suggestion", 1, is_delivered=False)
            visitor.give(Found((one, two))).do("matter", one.case_no)
        else:
            visitor.hand_in().give(Failed("507")).do("retry").hand_in().commit()
            visitor.do("continue").do("rate_skip")
        for visit in visitor.seen:
            place = visit.place
            asked = service.question(place.question).type if isinstance(place, Asking) else ""
            # Another question of the same type is the same screen with other words.
            if (type(place), asked, service.case_kind) not in met:
                met.add((type(place), asked, service.case_kind))
                yield visitor, visit
    first = Visitor(language)
    for place in (
        AtHome(),
        AtFault("500"),
        Waiting("submit"),
        Waiting("lookup"),
        AtThanks(),
        InCategory("money"),
    ):
        yield first, Visit(id="x", language=language, place=place)
    for overlay in OVERLAYS:
        covered = Visit(id="x", language=language, overlay=overlay)  # type: ignore[arg-type]
        yield first, covered


def heard(screen: Screen, utterances: tuple[Utterance, ...]) -> list[str]:
    """What is really played of some utterances."""
    return [
        piece.text
        for utterance in utterances
        for piece in pieces(screen.language, utterance.template, utterance.slots)
        if piece.text
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_has_its_entry_its_two_silences_and_a_way_out(language: str) -> None:
    kinds, faults = set(), set()
    for visitor, visit in visits(language):
        screen = views.screen(visit, visitor.world, wordings())
        kinds.add(screen.kind)
        where = f"{screen.kind} {type(visit.place).__name__} {visit.overlay}"
        if not heard(screen, screen.say):
            faults.add(f"{where}: says nothing on entry")
        if len(screen.silence) != 2 or not all(heard(screen, some) for some in screen.silence):
            faults.add(f"{where}: is silent after silence")
        elif heard(screen, screen.silence[0]) == heard(screen, screen.silence[1]):
            faults.add(f"{where}: says the same twice")
        is_start = isinstance(visit.place, AtHome) and not visit.overlay
        is_asking = screen.kind in ("idle", "leave", "help", "busy")
        if not (screen.can_back or screen.can_home or screen.next_action or is_start or is_asking):
            faults.add(f"{where}: has no way out")
        # Of these any touch, or none at all, is awaited.
        if screen.can_comfort != (screen.kind not in ("idle", "stick")):
            faults.add(f"{where}: is not one touch away from 看·听")
        counted = [left for left, some in screen.countdown if heard(screen, some)]
        if counted != ([30, 15, 5] if screen.kind == "idle" else []):
            faults.add(f"{where}: counts down at {counted}")
        if not heard(screen, screen.more):
            faults.add(f"{where}: does not say that there is more")

    assert faults == set()
    assert kinds >= KINDS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_says_what_was_wrong_then_more_then_offers_help(language: str) -> None:
    faults, met = set(), set()
    for service in catalogue().services:
        visitor = Visitor(language).do("service", service.id).fill()
        for visit in visitor.seen:
            if not isinstance(visit.place, Asking) or visit.draft is None:
                continue
            question = service.question(visit.place.question)
            if question.type in met:
                continue
            met.add(question.type)
            told = []
            for tries in (1, 2, 3):
                place = replace(visit.place, error=question.type, tries=tries)
                screen = views.screen(replace(visit, place=place), visitor.world, wordings())
                told.append(heard(screen, screen.say))
                if not screen.error or not told[-1] or screen.tries != tries:
                    faults.add(f"{question.type}: says nothing at the mistake number {tries}")
            if told[2] == told[0]:
                faults.add(f"{question.type}: offers no help after three mistakes")

    assert faults == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_second_mistake_shows_where_it_stands_and_the_third_offers_to_skip(language: str) -> None:
    visitor = Visitor(language).do("service", "pension_auth").do("continue")
    drawn, said = [], []
    for question, tries in (("id_number", 1), ("id_number", 2), ("id_number", 3), ("phone", 3)):
        place = Asking(question, error=question, tries=tries)
        screen = views.screen(replace(visitor.visit, place=place), visitor.world, wordings())
        drawn.append(screen.example)
        said.append([utterance.highlight for utterance in screen.say if utterance.highlight])

    assert drawn == ["", "example_id_number", "example_id_number", "example_phone"]
    assert said[:3] == [["error"], ["error", "error"], ["error", "helper"]]
    # A telephone may be left out.
    assert said[3] == ["error", "helper", "skip"]
