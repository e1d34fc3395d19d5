"""Turning pages and going back; back never loses an answer. Pure."""

from msgspec.structs import replace

from kiosk import errand, leaving, walk
from kiosk.assisted import returning
from kiosk.events import Touch
from kiosk.leaving import Step
from kiosk.paging import row_pages, tile_pages
from kiosk.places import (
    Asking,
    AtBoard,
    AtCarry,
    AtDayList,
    AtFault,
    AtHome,
    AtLooks,
    AtMaterials,
    AtMatter,
    AtMatters,
    AtOther,
    AtReceipt,
    Checking,
    InCategory,
    Offered,
    Place,
    Rating,
    Warned,
)
from kiosk.visit import Draft, Visit
from kiosk.world import World, service_of
from sync.forms import UNANSWERED_TYPES

_Paged = AtHome | InCategory | Asking | Checking | AtMatters | AtDayList | AtBoard | AtLooks


def more(visit: Visit, touch: Touch, world: World) -> Step:
    """Turn to a page."""
    if not (touch.value.isascii() and touch.value.isdigit() and len(touch.value) <= 4):
        return visit, ()
    page, place = int(touch.value), visit.place
    if not 1 <= page <= page_count(visit, world):
        return visit, ()
    if isinstance(place, _Paged):
        return replace(visit, place=replace(place, page=page)), ()
    return visit, ()


def page_count(visit: Visit, world: World) -> int:  # noqa: PLR0911 -- one return a case
    """Answer how many pages the present place has."""
    match visit.place:
        case AtHome():
            return tile_pages(len(world.catalogue.categories))
        case InCategory(category=category):
            return tile_pages(len(tuple(world.catalogue.in_category(category))))
        case Asking(question=question_id) if visit.draft is not None:
            service = service_of(visit.draft, world)
            question = service.question(question_id)
            if question.type == "village":
                return village_pages(world)
            if question.type in ("multi_choice", "rank"):
                return 1
            return tile_pages(len(walk.offered(visit.draft, world, question)))
        case Checking() if visit.draft is not None:
            return row_pages(len(checked_questions(visit.draft, world)))
        case AtMatters():
            return tile_pages(len(visit.matters))
        case _:
            return returning.page_count(visit, world)


def village_pages(world: World) -> int:
    """Answer how many pages: the kiosk's own village alone comes first, then the others."""
    others = sum(village.code != world.village_code for village in world.villages)
    has_own = others < len(world.villages)
    if not has_own:
        return tile_pages(others)
    return 1 + (tile_pages(others) if others else 0)


def checked_questions(draft: Draft, world: World) -> tuple[str, ...]:
    """Answer the questions that the check page lists: all but consents and what was only told."""
    told = UNANSWERED_TYPES | {"consent", "acknowledge"}
    return tuple(q.id for q in walk.asked(draft, world) if q.type not in told)


def back(visit: Visit, touch: Touch, world: World) -> Step:  # noqa: PLR0911 -- one return a case
    """Go one step back, keeping all answers."""
    place, draft = visit.place, visit.draft
    if isinstance(place, _Paged) and place.page > 1:
        return replace(visit, place=replace(place, page=place.page - 1)), ()
    if draft is not None and isinstance(place, Offered):
        return _one_back(visit, draft, place.question, world)
    if draft is not None and isinstance(place, AtMaterials | Asking | Warned | Checking):
        return _back_in_form(visit, draft, touch, world)
    beside = returning.back(visit, touch, world)
    if beside is not None:
        return beside
    match place:
        case InCategory() | AtOther():
            return replace(visit, place=AtHome()), ()
        case Rating():
            return replace(visit, place=AtReceipt()), ()
        case AtMatter() if len(visit.matters) > 1:
            return replace(visit, place=AtMatters()), ()
        case AtCarry():
            return errand.back(visit), ()
        case AtMatter() | AtMatters() | AtFault():
            return _back_to_last(visit, touch, world)
        case _:
            return visit, ()


def _back_in_form(visit: Visit, draft: Draft, touch: Touch, world: World) -> Step:
    match visit.place:
        case Asking(is_change=True):
            return replace(visit, place=Checking()), ()
        case Asking(question=question_id):
            return _one_back(visit, draft, question_id, world)
        case Warned(question=question_id, is_change=is_change):
            return replace(visit, place=Asking(question_id, is_change=is_change)), ()
        case Checking():
            return replace(visit, place=Asking(walk.asked(draft, world)[-1].id)), ()
        case _:
            return _left_form(visit, touch, world)


def _back_to_last(visit: Visit, touch: Touch, world: World) -> Step:
    """Go back to the last question of an enquiry or of a form that could not be handed in."""
    draft, is_fault = visit.draft, isinstance(visit.place, AtFault)
    if draft is not None and draft.is_withdrawal:
        return replace(visit, place=AtMatter(draft.corrects), draft=None), ()
    if draft is None or draft.is_rating or (draft.corrects and not is_fault):
        return leaving.home(visit, touch, world)
    return replace(visit, place=Asking(walk.asked(draft, world)[-1].id)), ()


def _one_back(visit: Visit, draft: Draft, question_id: str, world: World) -> Step:
    question = walk.before(draft, world, question_id)
    if question is not None:
        return replace(visit, place=Asking(question.id)), ()
    if draft.is_rating:
        case_no = "" if visit.receipt else draft.answers.get("case_no", "")
        return replace(visit, place=Rating(case_no), draft=None), ()
    if draft.only:
        return replace(visit, place=AtMatter(draft.corrects)), ()
    if service_of(draft, world).materials:
        return replace(visit, place=AtMaterials()), ()
    return _left_form(visit, Touch("back"), world)


def _left_form(visit: Visit, touch: Touch, world: World) -> Step:
    if visit.draft is None:
        return visit, ()
    if leaving.said(visit.draft):
        return leaving.home(visit, touch, world)
    category = service_of(visit.draft, world).category
    alone = len(tuple(world.catalogue.in_category(category))) == 1
    place: Place = AtHome() if alone else InCategory(category)
    return replace(visit, place=place, draft=None), ()
