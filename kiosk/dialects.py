"""Dialects at the kiosk: languages that are spoken and not written. Pure.

The screen keeps the words of the language that a dialect is based on; its recordings go before
that language's voice, prompt by prompt. Which one speaks is part of a resident's comfort: it goes
with the visit.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from kiosk.visit import Visit
from kiosk.world import World
from voice_prompts.wording import Wording


def others(
    visit: Visit, world: World, wordings: Mapping[str, Wording]
) -> tuple[tuple[str, str], ...]:
    """Answer what can be switched to: tag, and its name in itself."""
    present = visit.comfort.dialect or visit.language
    written = [
        (tag, wordings[tag].screen("language.self"))
        for tag in world.catalogue.languages
        if tag in wordings
    ]
    spoken = [(one.tag, one.name) for one in world.dialects if one.based_on in wordings]
    return tuple((tag, name) for tag, name in (*written, *spoken) if tag != present)


def switched(visit: Visit, tag: str, world: World) -> Visit:
    """Speak another language or dialect; an unknown one changes nothing."""
    present = visit.comfort.dialect or visit.language
    if tag == present:
        return visit
    for dialect in world.dialects:
        if dialect.tag == tag and dialect.based_on in world.catalogue.languages:
            comfort = replace(visit.comfort, dialect=tag)
            return replace(visit, language=dialect.based_on, comfort=comfort)
    if tag not in world.catalogue.languages:
        return visit
    return replace(visit, language=tag, comfort=replace(visit.comfort, dialect=""))
