"""Screens of practice mode: the lessons, one lesson's beginning, its end. Pure."""

from kiosk.assisted.lessons import Lesson, find, known_lessons
from kiosk.places import AtLesson, Practised
from kiosk.screens import Screen
from kiosk.views.frame import Frame, Option, repeats, tiles, voices, worded
from sync.limits import HELPER_IDLE_S


def overview(frame: Frame) -> Screen:
    """List the lessons."""
    options = [_option(frame, lesson) for lesson in known_lessons(frame.world)]
    title = frame.say("lesson.title")
    return Screen(
        kind="choices",
        language=frame.language,
        title=frame.text("lesson.title"),
        lines=(frame.text("lesson.line"),),
        tiles=tiles(options),
        can_back=True,
        say=(*title, *frame.say("lesson.line", "line-0"), *voices(options)),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=HELPER_IDLE_S,
    )


def _option(frame: Frame, lesson: Lesson) -> Option:
    key = f"lesson.{lesson.id}.title"
    return worded(frame, "lesson", key, "school", value=lesson.id)


def lesson(frame: Frame, place: AtLesson) -> Screen:
    """Tell the steps of one lesson."""
    found = find(place.lesson)
    steps = range(1, found.steps + 1) if found else ()
    keys = [f"lesson.{place.lesson}.step{number}" for number in steps]
    title = frame.say(f"lesson.{place.lesson}.title")
    return Screen(
        kind="lesson",
        language=frame.language,
        title=frame.text(f"lesson.{place.lesson}.title"),
        lines=tuple(frame.text(key) for key in keys),
        can_back=True,
        next_action="practise",
        next_label=frame.text("lesson.begin"),
        say=(
            *title,
            *(u for index, key in enumerate(keys) for u in frame.say(key, f"line-{index}")),
            *frame.say("lesson.begin", "next"),
        ),
        silence=repeats(frame, title, "silence.next"),
        timeout_s=HELPER_IDLE_S,
    )


def practised(frame: Frame, place: Practised) -> Screen:
    """Say that it was practice: nothing was handed in, and there is no number."""
    options = [
        worded(frame, "practise", "lesson.again", "turtle"),
        worded(frame, "lessons", "lesson.others", "school"),
        worded(frame, "home", "lesson.enough", "house"),
    ]
    title = frame.say("lesson.done")
    learnt = f"lesson.{place.lesson}.learnt"
    return Screen(
        kind="choices",
        language=frame.language,
        title=frame.text("lesson.done"),
        lines=(frame.text("lesson.nothing"), frame.text(learnt)),
        tiles=tiles(options),
        can_back=True,
        can_home=False,
        say=(
            *title,
            *frame.say("lesson.nothing", "line-0"),
            *frame.say(learnt, "line-1"),
            *voices(options),
        ),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=HELPER_IDLE_S,
    )
