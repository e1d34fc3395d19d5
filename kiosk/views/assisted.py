"""Screens of helpers: signing in, what may be done beside a resident, the day's list. Pure."""

from msgspec.structs import replace

from kiosk.assisted.signing_in import is_between
from kiosk.leaving import may_carry
from kiosk.paging import row_page, row_pages
from kiosk.places import AtDayList, SigningIn
from kiosk.screens import Band, Entry, Row, Screen, Utterance
from kiosk.views import mine
from kiosk.views.frame import Frame, Option, repeats, tiles, voices, worded
from sync.ids import spaced
from sync.limits import HELPER_IDLE_S, HELPER_NUMBER_DIGITS_MAX, HELPER_PIN_DIGITS, RECEIPT_S
from voice_prompts.compose import Spoken

_MINUTE_S = 60


def band(frame: Frame) -> Band:
    """Answer what stands on every screen while it is not a resident alone with the kiosk."""
    visit = frame.visit
    if visit.lesson:
        return Band(frame.text("band.practice"), "practice")
    if visit.helper is not None:
        key = "band.waiting" if visit.line.waiting else "band.helper"
        count = str(visit.line.waiting)
        name = f" {visit.helper.name}" if visit.helper.name else ""
        text = frame.text(key, number=visit.helper.number, name=name, count=count)
        return Band(text, "helper")
    if visit.carries:
        return Band(frame.text(f"band.{visit.carries}"))
    return Band()


def sign_in(frame: Frame, place: SigningIn) -> Screen:
    """Ask for the number, then for the PIN, which nobody beside can read or hear."""
    part = "pin" if place.number else "number"
    title = frame.say(f"signin.{part}")
    error, said_error = _sign_in_error(frame, place)
    entry = Entry(
        kind="digits4",
        question=f"helper_{part}",
        chars_max=HELPER_PIN_DIGITS if place.number else HELPER_NUMBER_DIGITS_MAX,
        is_hidden=bool(place.number),
    )
    return Screen(
        kind="sign_in",
        language=frame.language,
        title=frame.text(f"signin.{part}"),
        lines=(frame.text("signin.badge"),) if not place.number else (),
        entry=entry,
        error=error,
        can_back=True,
        next_action=f"helper_{part}",
        next_label=frame.text("question.next"),
        say=(*said_error, *title),
        silence=repeats(frame, title, "silence.pad"),
        timeout_s=frame.world.idle_s,
    )


def _sign_in_error(frame: Frame, place: SigningIn) -> tuple[str, tuple[Utterance, ...]]:
    if place.wait_s:
        minutes = str(-(-place.wait_s // _MINUTE_S))
        key = "signin.wait"
        spoken = frame.say(key, "error", minutes=Spoken("number", minutes))
        return frame.text(key, minutes=minutes), spoken
    if not place.is_wrong:
        return "", ()
    key = "signin.wrong_pin" if place.number else "signin.wrong"
    return frame.text(key), frame.say(key, "error")


def desk(frame: Frame) -> Screen:
    """Show what a helper may do at this moment; it lies where residents find help."""
    visit = frame.visit
    options = [worded(frame, "help_close", "desk.close", "check")]
    if is_between(visit):
        options.append(worded(frame, "helper_next", "desk.next", "hand"))
    line = worded(frame, "helper_line", "desk.line", "plus")
    count = str(visit.line.waiting)
    options.append(
        replace(line, note=frame.text("desk.waiting", count=count, number=str(visit.line.issued)))
    )
    if is_between(visit):
        options.append(worded(frame, "helper_day", "desk.day", "inbox"))
        # Where there is no way to the centre, a phone that takes along is what a helper is for.
        is_carried = may_carry(visit, frame.world)
        carry = worded(frame, "carry", "help.carry", "phone")
        lessons = worded(frame, "lessons", "desk.lessons", "school")
        options.append(carry if is_carried else lessons)
    else:
        options.append(worded(frame, "home", "help.start_again", "house"))
    options.append(worded(frame, "helper_done", "desk.done", "lock", style="helper"))
    title = frame.say("desk.title")
    return Screen(
        kind="help",
        language=frame.language,
        title=frame.text("desk.title"),
        tiles=tiles(options),
        can_back=True,
        can_home=False,
        can_help=False,
        say=(*title, *voices(options)),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=frame.world.idle_s,
    )


def after(frame: Frame) -> Screen:
    """Show who or what comes after a receipt that a helper worked for."""
    again = worded(frame, "helper_again", "next.again", "handshake")
    count = frame.visit.line.waiting
    options = [
        replace(again, note=frame.text("next.waiting", count=str(count))) if count else again,
        worded(frame, "helper_next", "next.other", "house"),
        *family_options(frame),
        worded(frame, "continue", "next.rate", "face4"),
        worded(frame, "helper_done", "desk.done", "lock", style="helper"),
    ]
    title = frame.say("next.title")
    return Screen(
        kind="choices",
        language=frame.language,
        title=frame.text("next.title"),
        tiles=tiles(options),
        can_back=True,
        say=(*title, *voices(options)),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=RECEIPT_S,
    )


def family_options(frame: Frame) -> list[Option]:
    """Answer the ways to another matter without saying again who one is; [] after none."""
    if not frame.visit.known or frame.visit.lesson:
        return []
    return [
        worded(frame, "same_person", "next.same", "person", style="quiet"),
        worded(frame, "family", "next.family", "siblings", style="quiet"),
    ]


def day_list(frame: Frame, place: AtDayList) -> Screen:
    """List what this helper handed in today: numbers, services, states; nobody's name."""
    found = frame.visit.matters
    title = frame.say("day.title")
    rows = tuple(
        Row(
            question="",
            label=spaced(matter.case_no),
            value=frame.text("day.row", service=_service(frame, matter.service), state=state),
            can_change=False,
            dom_id=f"row-{index}",
        )
        for index, matter in enumerate(row_page(found, place.page), 1)
        for state in (mine.state_of(frame, matter),)
    )
    pages, page = row_pages(len(found)), place.page
    is_last = page >= pages
    count = str(len(found))
    told = frame.say("day.count", "line-0", count=Spoken("count", count)) if found else ()
    return Screen(
        kind="list",
        language=frame.language,
        title=frame.text("day.title"),
        lines=(frame.text("day.count", count=count) if found else frame.text("day.none"),),
        rows=rows,
        page=page,
        pages=pages,
        can_back=True,
        next_action="home" if is_last else "more",
        next_value="" if is_last else str(page + 1),
        next_label=frame.text("thanks.home" if is_last else "check.more"),
        say=(*title, *(told or frame.say("day.none", "line-0"))),
        silence=repeats(frame, title, "silence.next"),
        timeout_s=HELPER_IDLE_S,
    )


def _service(frame: Frame, service_id: str) -> str:
    service = frame.world.catalogue.find(service_id)
    return frame.words(service.plain_name) if service else ""
