"""Practice mode: the real screens with somebody made up, and nothing that happens is real. Pure.

What a practised visit asks of the shell ends here: of all effects only those that forget go on.
So no practised answer comes near the outbox, and no number of a real series is given.
"""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from kiosk import filling, leaving
from kiosk.assisted.company import Person
from kiosk.events import Discard, Effect, Touch, Wipe
from kiosk.leaving import Step
from kiosk.places import (
    AtHome,
    AtLesson,
    AtLessons,
    AtMatter,
    AtMatters,
    InCategory,
    Place,
    Practised,
    Waiting,
)
from kiosk.visit import Matter, Visit
from kiosk.world import World
from sync.records import Notice

_FILE = Path(__file__).with_name("lessons.toml")


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The made-up matter that a practised look-up finds."""

    service: str
    #: Questions that its correction notice asks for.
    missing: tuple[str, ...]


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One lesson; its words are under `lesson.<id>` in the texts."""

    id: str
    service: str
    #: How many sentences its beginning has: `lesson.<id>.step1` and so on.
    steps: int
    person: Person
    found: Found | None = None


@functools.cache
def lessons() -> tuple[Lesson, ...]:
    """Answer all lessons in their order."""
    raw = tomllib.loads(_FILE.read_text("utf-8"))
    return msgspec.convert(raw["lesson"], tuple[Lesson, ...])


def find(lesson_id: str) -> Lesson | None:
    """Answer a lesson, None when there is none of that id."""
    return next((lesson for lesson in lessons() if lesson.id == lesson_id), None)


def known_lessons(world: World) -> tuple[Lesson, ...]:
    """Answer the lessons whose services this kiosk has."""
    names = {service.id for service in world.catalogue.services}
    return tuple(lesson for lesson in lessons() if lesson.service in names)


def show_all(visit: Visit, _: Touch, __: World) -> Step:
    """List the lessons; only a helper comes here."""
    if visit.helper is None:
        return visit, ()
    return replace(visit, overlay="", place=AtLessons(), matters=(), lesson=""), ()


def show_one(visit: Visit, touch: Touch, world: World) -> Step:
    """Tell what a lesson is about."""
    if touch.value not in {lesson.id for lesson in known_lessons(world)}:
        return visit, ()
    return replace(visit, place=AtLesson(touch.value)), ()


def begin(visit: Visit, _: Touch, world: World) -> Step:
    """Begin to practise."""
    place = visit.place
    lesson = find(place.lesson) if isinstance(place, AtLesson | Practised) else None
    service = world.catalogue.find(lesson.service) if lesson else None
    if lesson is None or service is None or visit.helper is None:
        return visit, ()
    fresh, forgotten = leaving.wiped(visit, world, visit.language)
    practised = replace(fresh, lesson=lesson.id, known=(lesson.person,))
    begun, effects = filling.started(practised, service, world)
    return begun, (*forgotten, *effects)


def rehearsed(visit: Visit, effects: tuple[Effect, ...]) -> Step:
    """Answer what a step of a practised visit comes to; others stay as they are."""
    if not visit.lesson:
        return visit, effects
    if visit.draft is None and isinstance(visit.place, AtHome | InCategory):
        # They went back out of the form: practice is over, and whoever comes next is real.
        ended = replace(visit, place=AtLesson(visit.lesson), lesson="", known=(), matters=())
        return ended, _forgetting(effects)
    match visit.place:
        case Waiting("submit"):
            ended = replace(visit, place=Practised(visit.lesson), draft=None, receipt=None)
            # Another beginning of it is a visit of its own.
            return replace(ended, known=(), matters=()), (Wipe(),)
        case Waiting("lookup"):
            found = _made_up(visit.lesson)
            place: Place = AtMatter(found.case_no) if found else AtMatters()
            return replace(visit, place=place, matters=(found,) if found else ()), ()
        case _:
            return visit, _forgetting(effects)


def _forgetting(effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    return tuple(one for one in effects if isinstance(one, Wipe | Discard))


def _made_up(lesson_id: str) -> Matter | None:
    lesson = find(lesson_id)
    if lesson is None or lesson.found is None:
        return None
    told = Notice(
        number=1,
        case_no=lesson.person.case_no,
        kind="correction",
        service=lesson.found.service,
        at_ms=0,
        missing=lesson.found.missing,
    )
    return Matter(
        lesson.person.case_no, lesson.found.service, 0, is_delivered=True, notices=(told,)
    )


def texts_of(lesson: Lesson) -> Mapping[str, tuple[str, ...]]:
    """Answer the keys of a lesson's words: its title, its steps, what to remember."""
    base = f"lesson.{lesson.id}"
    return {
        "title": (f"{base}.title",),
        "steps": tuple(f"{base}.step{number}" for number in range(1, lesson.steps + 1)),
        "learnt": (f"{base}.learnt",),
    }
