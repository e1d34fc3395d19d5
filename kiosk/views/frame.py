"""What every screen needs: the visit, the world, the words; and the parts that repeat."""

from collections.abc import Sequence

import msgspec

from kiosk.paging import tile_page, tile_pages
from kiosk.phrases import said, say, words
from kiosk.screens import Screen, ScreenKind, StatusLine, Tile, Utterance
from kiosk.visit import Visit
from kiosk.world import World
from sync.forms import Text
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

    def say_hotline(self, key: str) -> tuple[Utterance, ...]:
        """Answer a text that tells the hotline, digit by digit; () when it has no digits."""
        digits = "".join(character for character in self.world.hotline if character.isdigit())
        return self.say(key, hotline=Spoken("digits", digits)) if digits else ()


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


def worded(
    frame: Frame, action: str, key: str, icon: str, *, value: str = "", style: str = ""
) -> Option:
    """Answer a tile whose words are an interface text."""
    return Option(
        action=action,
        value=value,
        label=frame.text(key),
        voice=frame.wording.voice(key),
        icon=icon,
        style=style,
    )


def more_option(frame: Frame, page: int, key: str = "common.more") -> Option:
    """Answer the tile that turns to a page."""
    return worded(frame, "more", key, "more", value=str(page), style="more")


def listing(
    frame: Frame,
    kind: ScreenKind,
    key: str,
    options: Sequence[Option],
    page: int,
    *,
    more_key: str = "common.more",
) -> Screen:
    """Show one page of tiles under a title, each said while it is outlined.

    Args:
        frame: Visit, world, words.
        kind: Of the screen.
        key: Of the title.
        options: All of them; the page is cut here.
        page: From 1.
        more_key: Words of the tile that turns the page.
    """
    pages = tile_pages(len(options))
    shown = list(tile_page(options, page))
    if page < pages:
        shown.append(more_option(frame, page + 1, more_key))
    title = frame.say(key)
    return Screen(
        kind=kind,
        language=frame.language,
        title=frame.text(key),
        tiles=tiles(shown),
        page=page,
        pages=pages,
        can_back=True,
        say=(*title, *voices(shown)),
        silence=repeats(frame, title, "silence.tiles"),
        timeout_s=frame.world.idle_s,
    )


def status(frame: Frame) -> StatusLine:
    """Answer the quiet line at the foot."""
    world = frame.world
    if world.stick is not None and world.stick.phase == "working":
        key = "status.stick"
    elif world.is_reachable:
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
