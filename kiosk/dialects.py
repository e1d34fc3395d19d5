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
    """Speak another language or dialect; an unknown one changes nothing.

    Without a tag it is chosen: the frame has room for one button, whatever is installed.
    """
    if not tag:
        return replace(visit, overlay="languages")
    present = visit.comfort.dialect or visit.language
    if tag == present:
        return visit
    if visit.overlay == "languages":
        visit = replace(visit, overlay="")
    for dialect in world.dialects:
        if dialect.tag == tag and dialect.based_on in world.catalogue.languages:
            comfort = replace(visit.comfort, dialect=tag)
            return replace(visit, language=dialect.based_on, comfort=comfort)
    if tag not in world.catalogue.languages:
        return visit
    return replace(visit, language=tag, comfort=replace(visit.comfort, dialect=""))


def names_of(world: World, wordings: Mapping[str, Wording]) -> dict[str, str]:
    """Answer which language each own name belongs to, so that it is said in that one."""
    written = {wording.voice("language.self"): tag for tag, wording in wordings.items()}
    return written | {one.name: one.tag for one in world.dialects if one.has_own_name}
