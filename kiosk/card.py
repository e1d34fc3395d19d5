"""A card that was read while a question waited for it: fills in number and name. Pure."""

from msgspec.structs import replace

from kiosk.events import CardCame
from kiosk.places import Asking
from kiosk.visit import Visit
from sync.forms import Catalogue, Question, Service

_NUMBER_ENDS = ("id_number", "id")
_NAME_END = "name"


def is_awaited(visit: Visit, catalogue: Catalogue) -> bool:
    """Answer whether the present screen asks for what a card tells."""
    asked = _asked(visit, catalogue)
    return asked is not None and bool(_filled(*asked, "", ""))


def came(visit: Visit, event: CardCame, catalogue: Catalogue) -> Visit:
    """Take what a card says as the answer on the screen; the resident looks at it and goes on."""
    asked = _asked(visit, catalogue)
    place, draft = visit.place, visit.draft
    if asked is None or draft is None or not isinstance(place, Asking):
        return visit
    question = asked[1]
    if not event.id_number:
        tries = place.tries + 1 if place.error == "card" else 1
        return replace(visit, place=replace(place, error="card", tries=tries))
    found = _filled(*asked, event.id_number, event.name)
    if not found:
        return visit
    # What was typed for the other question stays: it may be somebody else's.
    kept = {key: value for key, value in found.items() if key == question.id}
    kept |= {key: value for key, value in found.items() if not draft.answers.get(key)}
    answers = {**draft.answers, **kept}
    filled = replace(draft, answers=answers, skipped=draft.skipped - set(kept), transaction_id=b"")
    seen = replace(place, error="", tries=0, is_read=True)
    return replace(visit, draft=filled, place=seen)


def _asked(visit: Visit, catalogue: Catalogue) -> tuple[Service, Question] | None:
    if visit.draft is None or visit.overlay or not isinstance(visit.place, Asking):
        return None
    service = catalogue.service(visit.draft.service)
    return service, service.question(visit.place.question)


def _filled(service: Service, question: Question, id_number: str, name: str) -> dict[str, str]:
    """Answer what a card tells of a question and of the one that belongs to it; {} = nothing.

    "id_number" and "name" belong together, as do "mother_id" and "mother_name". A name whose
    number nobody asks for (of whom a paper is addressed to, say) is not one's own: no card.
    """
    types = {one.id: one.type for one in service.questions}
    if question.type == "id_number":
        end = next((end for end in _NUMBER_ENDS if question.id.endswith(end)), question.id)
        partner = question.id.removesuffix(end) + _NAME_END
        both = {question.id: id_number}
        return both | ({partner: name} if types.get(partner) == "name" else {})
    if question.type != "name" or not question.id.endswith(_NAME_END):
        return {}
    stem = question.id.removesuffix(_NAME_END)
    partner = next((stem + end for end in _NUMBER_ENDS if stem + end in types), "")
    if types.get(partner) == "id_number":
        return {question.id: name, partner: id_number}
    return {question.id: name} if stem == "agent_" else {}
