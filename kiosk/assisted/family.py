"""One visit, several matters: nobody is asked twice who they are. Memory only. Pure."""

from collections.abc import Iterator

from msgspec.structs import asdict, replace

from kiosk import filling, walk
from kiosk.assisted.company import Person
from kiosk.events import Touch
from kiosk.leaving import Step
from kiosk.places import Asking, AtHome, Offered
from kiosk.visit import Draft, Visit
from kiosk.world import World, service_of
from sync.forms import Question
from sync.limits import FAMILY_MAX, OFFERS_MAX

#: What a family shares without being asked.
_SHARED = frozenset({"village_code"})
#: Name questions that ask for a person of the visit; the other names are of towns and machines.
_NAMES = frozenset({"name", "agent_name"})
#: By question type: fields of `Person` whose values may be offered.
_OFFERED: dict[str, tuple[str, ...]] = {
    "id_number": ("id_number",),
    "name": ("name", "agent_name"),
    "phone": ("phone", "agent_phone"),
    "bank_card": ("bank_card",),
    "case_no": ("case_no",),
}


def remembered(visit: Visit, world: World) -> tuple[Person, ...]:
    """Answer the people of a visit after its draft was handed in, the newest last."""
    draft = visit.draft
    if draft is None or draft.is_rating or draft.corrects or visit.lesson:
        return visit.known
    answers = walk.to_submit(draft, world)
    person = Person(**{name: answers.get(name, "") for name in Person.__struct_fields__})
    if not (person.id_number or person.name):
        return visit.known
    others = tuple(one for one in visit.known if not _is_same(one, person))
    return (*others, person)[-FAMILY_MAX:]


def _is_same(one: Person, other: Person) -> bool:
    if one.id_number and other.id_number:
        return one.id_number == other.id_number
    return bool(one.name) and one.name == other.name


def same_person(visit: Visit, _: Touch, __: World) -> Step:
    """Go home to begin another matter of the same person."""
    return _onward(visit, "same")


def of_family(visit: Visit, _: Touch, __: World) -> Step:
    """Go home to begin a matter of somebody of the same family."""
    return _onward(visit, "family")


def _onward(visit: Visit, carries: str) -> Step:
    if not visit.known:
        return visit, ()
    going = replace(visit, place=AtHome(), receipt=None, carries=carries)
    return going, ()


def begun(before: Visit, visit: Visit, world: World) -> Step:
    """Fill a draft that was just begun with what this person has said already."""
    draft = visit.draft
    is_new = before.draft is None and draft is not None and not draft.answers
    if not (is_new and visit.carries and visit.known) or draft is None:
        return visit, ()
    filled = _filled(draft, visit, world)
    visit = replace(visit, draft=filled)
    place = visit.place
    if isinstance(place, Asking) and place.question in filled.given:
        return filling.onward(visit, filled, world)
    return visit, ()


def _filled(draft: Draft, visit: Visit, world: World) -> Draft:
    person = asdict(visit.known[-1])
    service = service_of(draft, world)
    for question in service.questions:
        value = person.get(question.id, "")
        is_carried = visit.carries == "same" or question.id in _SHARED
        # What another form would refuse is asked anew, by name and with its reason.
        if value and is_carried and walk.problem_with(draft, world, question, value) is None:
            answers = {**draft.answers, question.id: value}
            draft = replace(draft, answers=answers, given=draft.given | {question.id})
    return draft


def offered(before: Visit, visit: Visit, world: World) -> Visit:
    """Show what was answered before ahead of a question that asks for the like."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Asking) or draft is None or not visit.known or place == before.place:
        return visit
    is_plain = not (place.error or place.is_change) and place.page == 1
    told = {*draft.answers, *draft.skipped, *draft.offered}
    if is_plain and place.question not in told and offers(visit, draft, place.question, world):
        return replace(visit, place=Offered(place.question))
    return visit


def offers(visit: Visit, draft: Draft, question_id: str, world: World) -> tuple[str, ...]:
    """Answer the values that fit a question, of the newest person first."""
    question = service_of(draft, world).question(question_id)
    used = set(draft.answers.values())
    found = dict.fromkeys(
        value
        for value in _values(visit, question)
        if value not in used and walk.problem_with(draft, world, question, value) is None
    )
    return tuple(found)[:OFFERS_MAX]


def _values(visit: Visit, question: Question) -> Iterator[str]:
    if question.type == "name" and question.id not in _NAMES:
        return
    for person in reversed(visit.known):
        told = asdict(person)
        for field in _OFFERED.get(question.type, ()):
            if told[field]:
                yield told[field]


def take(visit: Visit, touch: Touch, world: World) -> Step:
    """Take one of the offered values as the answer."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Offered) or draft is None:
        return visit, ()
    values = offers(visit, draft, place.question, world)
    # The page knows its place in the row, never the number itself.
    index = int(touch.value) if touch.value in {str(i) for i in range(len(values))} else None
    if index is None:
        return visit, ()
    asking = replace(visit, place=Asking(place.question))
    return filling.answer(asking, Touch("answer", values[index], place.question), world)


def ask_anew(visit: Visit, _: Touch, __: World) -> Step:
    """Ask the question as if nobody had answered it."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Offered) or draft is None:
        return visit, ()
    declined = replace(draft, offered=draft.offered | {place.question})
    return replace(visit, draft=declined, place=Asking(place.question)), ()
