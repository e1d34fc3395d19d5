"""The public board: services, promised days, how this village's matters stand. Pure."""

from kiosk.assisted.returning import promised_services
from kiosk.paging import row_page, row_pages
from kiosk.places import AtBoard
from kiosk.screens import Row, Screen
from kiosk.views.choosing import promised
from kiosk.views.frame import Frame, repeats
from voice_prompts.compose import Spoken


def board(frame: Frame, place: AtBoard) -> Screen:
    """List what can be done and within how many days, four lines a page; no matter of anybody."""
    services = promised_services(frame.world)
    pages = row_pages(len(services))
    is_last = place.page >= pages
    rows = tuple(
        Row(
            question="",
            label=frame.words(service.plain_name),
            value=promised(frame, service),
            can_change=False,
            dom_id=f"row-{index}",
        )
        for index, service in enumerate(row_page(services, place.page), 1)
    )
    handed_in, decided = frame.visit.tally or (0, 0)
    title = frame.say("board.title")
    told = frame.say(
        "board.count",
        "line-0",
        count=Spoken("number", str(handed_in)),
        decided=Spoken("number", str(decided)),
    )
    return Screen(
        kind="list",
        language=frame.language,
        title=frame.text("board.title"),
        lines=(frame.text("board.count", count=str(handed_in), decided=str(decided)),),
        rows=rows,
        page=place.page,
        pages=pages,
        can_back=True,
        next_action="home" if is_last else "more",
        next_value="" if is_last else str(place.page + 1),
        next_label=frame.text("thanks.home" if is_last else "check.more"),
        say=(*title, *told),
        silence=repeats(frame, title, "silence.next"),
        timeout_s=frame.world.idle_s,
    )
