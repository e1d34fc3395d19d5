"""Screens of a found matter's further ways: withdraw it, see who looked. Pure."""

from kiosk.paging import row_page, row_pages
from kiosk.phrases import day, day_of
from kiosk.places import AtLooks, Withdrawing
from kiosk.screens import Row, Screen
from kiosk.views.frame import Frame, Option, repeats, tiles, voices, worded
from kiosk.visit import Matter
from kiosk.withdrawing import matter_of, may_rate, may_withdraw
from sync.ids import spaced
from sync.limits import LOOKS_MAX
from voice_prompts.compose import Spoken


def further(frame: Frame, matter: Matter) -> list[Option]:
    """Answer what else can be done with a matter, beside hearing how far it is."""
    options = []
    if may_withdraw(matter, frame.world):
        options.append(worded(frame, "withdraw", "withdraw.open", "bin", value=matter.case_no))
    if may_rate(frame.visit, matter, frame.world):
        options.append(worded(frame, "rate_matter", "matter.rate", "face4", value=matter.case_no))
    if matter.notices and not frame.visit.lesson:
        options.append(worded(frame, "looks", "matter.looks", "eye", value=matter.case_no))
    return options


def withdraw(frame: Frame, place: Withdrawing) -> Screen:
    """Ask once before a matter is withdrawn: it cannot be taken back."""
    matter = matter_of(frame.visit, place.case_no)
    service = frame.world.catalogue.find(matter.service) if matter else None
    options = [
        worded(frame, "withdraw_no", "withdraw.no", "check"),
        worded(frame, "withdraw_yes", "withdraw.yes", "bin"),
    ]
    title = frame.say("withdraw.title")
    return Screen(
        kind="agree",
        language=frame.language,
        title=frame.text("withdraw.title"),
        lines=(
            frame.words(service.plain_name) if service else spaced(place.case_no),
            frame.text("withdraw.line"),
        ),
        tiles=tiles(options),
        service_name=spaced(place.case_no),
        can_back=True,
        say=(*title, *frame.say("withdraw.line", "line-1"), *voices(options)),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=frame.world.idle_s,
    )


def looks(frame: Frame, place: AtLooks) -> Screen:
    """List who looked at the matter's data, and what for, as the centre last told."""
    matter = matter_of(frame.visit, place.case_no)
    found = tuple(reversed(matter.looks))[:LOOKS_MAX] if matter else ()
    title = frame.say("looks.title")
    rows = tuple(
        Row(
            question="",
            label=day(day_of(look.at_ms, frame.world.utc_offset_min), frame.wording),
            value=look.words,
            icon="eye",
            can_change=False,
            dom_id=f"row-{index}",
        )
        for index, look in enumerate(row_page(found, place.page), 1)
    )
    pages = row_pages(len(found))
    is_last = place.page >= pages
    key = "looks.count" if found else "looks.none"
    count = str(len(found))
    as_of = day(day_of(frame.world.last_ok_ms, frame.world.utc_offset_min), frame.wording)
    age = (frame.text("matter.as_of", date=as_of),) if frame.world.last_ok_ms else ()
    return Screen(
        kind="list",
        language=frame.language,
        title=frame.text("looks.title"),
        lines=(frame.text(key, count=count), *age),
        rows=rows,
        page=place.page,
        pages=pages,
        service_name=spaced(place.case_no),
        can_back=True,
        next_action="back" if is_last else "more",
        next_value="" if is_last else str(place.page + 1),
        next_label=frame.text("common.back" if is_last else "check.more"),
        say=(*title, *frame.say(key, "line-0", count=Spoken("count", count))),
        silence=repeats(frame, title, "silence.next"),
        timeout_s=frame.world.idle_s,
    )
