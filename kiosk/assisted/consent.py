"""What a transaction says of the help it had, and of the resident's yes to it. Pure."""

from kiosk.visit import Draft
from kiosk.world import World, service_of
from sync.assistance import Assistance, Consent, written


def helper_of(draft: Draft, world: World) -> str:
    """Answer what the transaction says of the help it had (`sync.assistance`)."""
    consent: Consent = ""
    if draft.is_agreed:
        consent = "sign" if _is_signed(draft, world) else "touch"
    return written(Assistance(draft.helped_by, consent))


def _is_signed(draft: Draft, world: World) -> bool:
    questions = service_of(draft, world).questions
    return any(q.type == "signature" and draft.answers.get(q.id) for q in questions)
