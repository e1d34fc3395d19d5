"""What a helper filled in is handed in by the resident: they hear it and say yes. Pure."""

from msgspec.structs import replace

from kiosk import filling
from kiosk.assisted.consent import helper_of
from kiosk.events import Submit, Touch
from kiosk.leaving import Step
from kiosk.places import Agreeing, AtMatter, Checking, Waiting
from kiosk.visit import Draft, Visit
from kiosk.world import World
from sync.records import Transaction


def marked(before: Visit, visit: Visit, world: World) -> Visit:
    """Note on a draft who helps with it; a rating is the resident's alone."""
    helper, draft = visit.helper, visit.draft
    if draft is None:
        return visit
    if draft.is_agreed and _content(before.draft) != _content(draft):
        # They agreed to another whole.
        draft = replace(draft, is_agreed=False)
        visit = replace(visit, draft=draft)
    if helper is None:
        return visit
    service = world.catalogue.find(draft.service)
    if draft.is_rating or (service is not None and service.case_kind == "rating"):
        return replace(visit, helper=None)
    if draft.helped_by:
        return visit
    return replace(visit, draft=replace(draft, helped_by=helper.number))


def _content(draft: Draft | None) -> object:
    return draft and (draft.service, draft.corrects, draft.answers, draft.held)


def submit(visit: Visit, touch: Touch, world: World) -> Step:
    """Hand in; what a helper touched is first said to the resident."""
    draft = visit.draft
    if draft is None or not draft.helped_by or draft.is_agreed:
        return filling.submit(visit, touch, world)
    return replace(visit, place=Agreeing()), ()


def agree(visit: Visit, touch: Touch, world: World) -> Step:
    """Hand in what the resident agreed to."""
    if visit.draft is None:
        return visit, ()
    agreed = replace(visit, draft=replace(visit.draft, is_agreed=True))
    if visit.draft.is_withdrawal:
        return withdrawn(agreed, world)
    stepped, effects = filling.submit(agreed, touch, world)
    if stepped.draft is not None and not any(isinstance(effect, Submit) for effect in effects):
        # Something is to be mended first; then it is another whole that they hear.
        stepped = replace(stepped, draft=replace(stepped.draft, is_agreed=False))
    return stepped, effects


def disagree(visit: Visit, _: Touch, __: World) -> Step:
    """Go back to what is to be changed."""
    draft = visit.draft
    if draft is not None and draft.is_withdrawal:
        return replace(visit, place=AtMatter(draft.corrects), draft=None), ()
    return replace(visit, place=Checking()), ()


def withdrawn(visit: Visit, world: World) -> Step:
    """Hand in a withdrawal, once it is agreed to where somebody helps."""
    draft = visit.draft
    if draft is None:
        return visit, ()
    if draft.helped_by and not draft.is_agreed:
        return replace(visit, place=Agreeing()), ()
    draft = replace(draft, transaction_id=draft.transaction_id or world.fresh_id)
    transaction = Transaction(
        id=draft.transaction_id,
        service=draft.service,
        language=visit.language,
        answers={},
        corrects=draft.corrects,
        helper=helper_of(draft, world),
    )
    return replace(visit, place=Waiting("submit"), draft=draft), (Submit(transaction),)
