"""Which screens may come next, so that their first words are ready before the touch. Pure.

It only walks: nothing foreseen is done, and being wrong costs nothing but a file read in vain.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from kiosk import walk
from kiosk.events import Touch
from kiosk.flows import step
from kiosk.places import Asking, AtReceipt, AtThanks, Checking, Waiting
from kiosk.screens import Screen
from kiosk.visit import Draft, Visit
from kiosk.world import World
from sync.ids import case_number
from sync.records import Receipt


def likely_visits(visit: Visit, screen: Screen, world: World) -> Iterator[Visit]:
    """Answer the visits that the touches of a screen may lead to, the likeliest first.

    Args:
        visit: Where the resident is.
        screen: What they see.
        world: Facts of this moment.
    """
    question = screen.entry.question if screen.entry else ""
    ways = [(tile.action, tile.value) for tile in screen.tiles]
    if screen.next_action:
        ways.append((screen.next_action, screen.next_value))
    if screen.skip_action:
        ways.append((screen.skip_action, ""))
    for action, value in ways:
        if action == "answer" and not value:
            yield _answered(visit, world)
            continue
        touch = Touch(action, value, question)  # type: ignore[arg-type]  # our own tiles
        yield _arrived(step(visit, touch, world)[0], world)


def _answered(visit: Visit, world: World) -> Visit:
    """Answer the visit after whatever answer a pad gives; it is taken as passed over."""
    place, draft = visit.place, visit.draft
    if not isinstance(place, Asking) or draft is None:
        return visit
    passed = replace(draft, skipped=draft.skipped | {place.question})
    follower = (
        walk.first_open(passed, world)
        if place.is_change
        else walk.after(passed, world, place.question)
    )
    arrived = Asking(follower.id) if follower else Checking()
    return replace(visit, place=arrived, draft=passed)


def _arrived(visit: Visit, world: World) -> Visit:
    """Answer where a visit is once the kiosk's work is done; a look-up finds who knows what."""
    draft = visit.draft
    if visit.place != Waiting("submit") or draft is None:
        return visit
    if draft.is_rating:
        return replace(visit, place=AtThanks("rated"), draft=None)
    return replace(visit, place=AtReceipt(), draft=None, receipt=_some_receipt(draft, world))


def _some_receipt(draft: Draft, world: World) -> Receipt:
    # Only for the words that every receipt of this service begins with.
    return Receipt(
        case_no=case_number(world.kiosk_no or 1, 1),
        seq=1,
        transaction_id=draft.transaction_id,
        service=draft.service,
        confirmed_ms=0,
    )
