"""What can be done with a matter that was found: withdraw, rate, see who looked. Pure.

A number on a slip is easily made up, so these ask for the person's ID number first: seeing how far
a matter is harms nobody, ending it may.
"""

from msgspec.structs import replace

from kiosk import filling
from kiosk.assisted import agreeing
from kiosk.events import Touch
from kiosk.leaving import Step
from kiosk.places import AtLooks, AtMatter, Rating, Withdrawing
from kiosk.visit import Draft, Matter, Visit
from kiosk.world import World

#: Notices after which nothing more is decided.
FINAL: frozenset[str] = frozenset({"refused", "completed", "withdrawn"})
#: The enquiry's answer that it is done by ID card.
_BY_PERSON = ("find_by", "id")


def matter_of(visit: Visit, case_no: str) -> Matter | None:
    """Answer a matter that was found; None when it was not."""
    return next((matter for matter in visit.matters if matter.case_no == case_no), None)


def is_final(matter: Matter) -> bool:
    """Answer whether the matter is decided or withdrawn."""
    return any(notice.kind in FINAL for notice in matter.notices)


def may_withdraw(matter: Matter, world: World) -> bool:
    """Answer whether a matter can still be withdrawn here."""
    is_known = world.catalogue.find(matter.service) is not None
    return is_known and not is_final(matter) and not matter.is_withdrawing


def may_rate(visit: Visit, matter: Matter, world: World) -> bool:
    """Answer whether a decided matter can be rated: once, and not before a helper's eyes."""
    is_decided = any(notice.kind in ("refused", "completed") for notice in matter.notices)
    has_form = world.catalogue.of_kind("rating") is not None
    return is_decided and has_form and not matter.is_rated and not visit.lesson


def withdraw(visit: Visit, touch: Touch, world: World) -> Step:
    """Ask whether to withdraw; who found it by its number alone says first who they are."""
    matter = matter_of(visit, touch.value)
    if matter is None or not may_withdraw(matter, world):
        return visit, ()
    if visit.asked_case_no:
        return _by_person(visit, world)
    return replace(visit, place=Withdrawing(matter.case_no)), ()


def looks(visit: Visit, touch: Touch, world: World) -> Step:
    """Show who looked at a matter's data; to the person alone."""
    matter = matter_of(visit, touch.value)
    if matter is None:
        return visit, ()
    if visit.asked_case_no:
        return _by_person(visit, world)
    return replace(visit, place=AtLooks(matter.case_no)), ()


def _by_person(visit: Visit, world: World) -> Step:
    service = world.catalogue.of_kind("query")
    name, value = _BY_PERSON
    question = next((q for q in service.questions if q.id == name), None) if service else None
    if service is None or question is None:
        return visit, ()
    if value not in {choice.name for choice in world.catalogue.choices(service, question)}:
        return visit, ()
    draft = Draft(service=service.id, answers={name: value})
    return filling.onward(replace(visit, matters=(), asked_case_no=""), draft, world)


def confirmed(visit: Visit, _: Touch, world: World) -> Step:
    """Withdraw: a transaction of its own, signed and delivered like every other."""
    place = visit.place
    matter = matter_of(visit, place.case_no) if isinstance(place, Withdrawing) else None
    if matter is None or not may_withdraw(matter, world):
        return visit, ()
    draft = Draft(
        service=matter.service,
        corrects=matter.case_no,
        is_withdrawal=True,
        helped_by=visit.helper.number if visit.helper else "",
    )
    return agreeing.withdrawn(replace(visit, draft=draft, receipt=None), world)


def kept(visit: Visit, _: Touch, __: World) -> Step:
    """Leave the matter as it is."""
    place = visit.place
    if not isinstance(place, Withdrawing):
        return visit, ()
    return replace(visit, place=AtMatter(place.case_no)), ()


def rate(visit: Visit, touch: Touch, world: World) -> Step:
    """Rate a decided matter, as its person; a helper is signed out first."""
    matter = matter_of(visit, touch.value)
    if matter is None or not may_rate(visit, matter, world):
        return visit, ()
    if visit.asked_case_no:
        return _by_person(visit, world)
    place = Rating(matter.case_no, is_helped=visit.helper is not None)
    return replace(visit, place=place, helper=None, draft=None, receipt=None), ()


def retry(visit: Visit, touch: Touch, world: World) -> Step:
    """Try again what the kiosk could not do."""
    if visit.draft is not None and visit.draft.is_withdrawal:
        return agreeing.withdrawn(visit, world)
    return filling.retry(visit, touch, world)
