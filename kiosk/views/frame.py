"""What every screen needs: the visit, the world, the words; and the parts that repeat."""

from collections.abc import Sequence

import msgspec

from kiosk.phrases import said, say, words
from kiosk.screens import StatusLine, Tile, Utterance
from kiosk.visit import Visit, World
from sync.forms import Text
from sync.limits import LAST_SCREEN_S
from voice_prompts.compose import Spoken
from voice_prompts.wording import Wording


class Frame(msgspec.Struct, frozen=True):
    """The arguments of every view."""

    visit: Visit
    world: World
    #: Of the visit's language.
    wording: Wording

    @property
    def language(self) -> str:
        """Answer the visit's language."""
        return self.visit.language

    def text(self, key: str, /, **slots: str) -> str:
        """Answer an interface text for the screen."""
        return self.wording.screen(key, **slots)

    def words(self, text: Text) -> str:
        """Answer a catalogue text in the visit's language."""
        return words(text, self.language)

    def say(self, key: str, /, highlight: str = "", **slots: Spoken) -> tuple[Utterance, ...]:
        """Answer what an interface text says aloud."""
        return say(self.wording, key, highlight, **slots)


class Option(msgspec.Struct, frozen=True):
    """A tile to be and what is said of it."""

    action: str
    value: str
    label: str
    voice: str
    icon: str = ""
    style: str = ""
    is_selected: bool = False
    note: str = ""
    #: Said after `voice`; apart from it, because each is a clip of its own.
    voice_after: str = ""


def tiles(options: Sequence[Option]) -> tuple[Tile, ...]:
    """Make tiles with ids in reading order."""
    return tuple(
        Tile(
            action=option.action,
            value=option.value,
            label=option.label,
            icon=option.icon,
            style=option.style,  # type: ignore[arg-type]  # only our own literals come here
            is_selected=option.is_selected,
            dom_id=f"tile-{index}",
            note=option.note,
        )
        for index, option in enumerate(options, 1)
    )


def voices(options: Sequence[Option]) -> tuple[Utterance, ...]:
    """Say each tile while it is outlined, in reading order."""
    return tuple(
        utterance
        for index, option in enumerate(options, 1)
        for voice in (option.voice, option.voice_after)
        for utterance in said(voice, f"tile-{index}")
    )


def more_option(frame: Frame, page: int) -> Option:
    """Answer the tile that turns to a page."""
    return Option(
        action="more",
        value=str(page),
        label=frame.text("common.more"),
        voice=frame.wording.voice("common.more"),
        icon="more",
        style="more",
    )


def status(frame: Frame) -> StatusLine:
    """Answer the quiet line at the foot."""
    world = frame.world
    if world.is_reachable:
        key = "status.sending" if world.pending else "status.all_sent"
    else:
        key = "status.kept" if world.pending else "status.offline"
    return StatusLine(
        pending=world.pending,
        is_reachable=world.is_reachable,
        text=frame.text(key, count=str(world.pending)),
    )


def repeats(
    frame: Frame, title: tuple[Utterance, ...], hint: str
) -> tuple[tuple[Utterance, ...], ...]:
    """Answer what is said after silence: the question again, then one simple thing to do."""
    return (title, frame.say(hint))


END_S = LAST_SCREEN_S
