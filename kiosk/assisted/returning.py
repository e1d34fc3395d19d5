"""Going back, and turning pages, on the screens of helpers, lessons and found matters. Pure."""

from msgspec.structs import replace

from kiosk.assisted import agreeing, lessons
from kiosk.events import Touch
from kiosk.leaving import Step
from kiosk.paging import row_pages
from kiosk.places import (
    Agreeing,
    AtBoard,
    AtDayList,
    AtHome,
    AtLesson,
    AtLessons,
    AtLooks,
    AtMatter,
    AtNext,
    AtReceipt,
    Practised,
    Rating,
    SigningIn,
    Withdrawing,
)
from kiosk.visit import Visit
from kiosk.world import World
from sync.forms import Service


def back(visit: Visit, touch: Touch, world: World) -> Step | None:  # noqa: PLR0911 -- one a case
    """Answer the visit one step back from these screens; None = it is on another one."""
    match visit.place:
        case SigningIn(number=told):
            return replace(visit, place=SigningIn() if told else AtHome()), ()
        case AtLessons():
            return replace(visit, place=AtHome()), ()
        case AtLesson() | Practised():
            return lessons.show_all(visit, touch, world)
        case Agreeing():
            return agreeing.disagree(visit, touch, world)
        case AtNext():
            return replace(visit, place=AtReceipt()), ()
        case AtDayList() | AtBoard():
            return replace(visit, place=AtHome(), matters=(), tally=None), ()
        case Withdrawing(case_no=case_no) | AtLooks(case_no=case_no):
            # A correction that was begun goes on.
            return replace(visit, place=AtMatter(case_no)), ()
        case Rating(case_no=case_no) if case_no:
            return replace(visit, place=AtMatter(case_no), draft=None), ()
        case _:
            return None


def page_count(visit: Visit, world: World) -> int:
    """Answer how many pages the present one of these places has; 1 for all other places."""
    match visit.place:
        case AtDayList():
            return row_pages(len(visit.matters))
        case AtBoard():
            return row_pages(len(promised_services(world)))
        case AtLooks(case_no=case_no):
            found = [matter for matter in visit.matters if matter.case_no == case_no]
            return row_pages(len(found[0].looks)) if found else 1
        case _:
            return 1


def promised_services(world: World) -> tuple[Service, ...]:
    """Answer the services that the board lists: those that promise an answer."""
    return tuple(s for s in world.catalogue.services if s.promised_working_days)
