"""Draw a `Screen` as one HTML page, in sizes of the hand and not of the display.

Templates hold no sizes in pixels: everything is a multiple of `--mm`, which the profile of the
display gives (`profile_css`). The page carries no style and no script inline, so that the strict
content policy of `kiosk.web` holds.
"""

import functools
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import jinja2
import msgspec
from markupsafe import Markup

from kiosk.comfort import RATES, VOLUMES_DB
from kiosk.playlist import Playlist
from kiosk.screens import Screen, Tile
from kiosk.web.keymap import KEYS
from voice_prompts.wording import Wording

_HERE = Path(__file__).parent
_ICONS = _HERE / "static" / "icons"

#: Width and height in mm of the smallest display (10.1″, 1024 × 600) that the layout is made for.
_LAYOUT_MM = (222.0, 130.0)
#: A smaller display keeps the arrangement and shrinks it, but not further than this.
_REDUCTION_MIN = 0.66
#: So much of the layout's room is enough for its real millimetres: texts give way.
_FITS = 0.93
#: On larger displays everything grows, but not further than this: arms do not.
_ENLARGEMENT_MAX = 1.6
#: How many places a character takes: Han 1, Latin about half.
_LATIN_PLACES = 0.55
_HAN_FIRST = "\u2e80"
#: Slots that the page's script fills in a widget's words.
_SCRIPT_SLOTS = {
    name: f"{{{name}}}" for name in ("year", "month", "day", "age", "n", "total", "seconds")
}
_OPEN_SVG = re.compile(r"^<svg[^>]*?viewBox=\"([^\"]+)\"[^>]*>")


class ScreenProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The display as it hangs on the wall."""

    width_px: int
    height_px: int
    diagonal_in: float

    @property
    def px_per_mm(self) -> float:
        """Answer how many CSS pixels one millimetre of the display has."""
        return math.hypot(self.width_px, self.height_px) / (self.diagonal_in * 25.4)

    @property
    def is_portrait(self) -> bool:
        """Answer whether the display stands upright."""
        return self.height_px > self.width_px

    @property
    def unit_px(self) -> float:
        """Answer the layout's millimetre in pixels: a real one, more or less on other displays."""
        long_mm = max(self.width_px, self.height_px) / self.px_per_mm
        short_mm = min(self.width_px, self.height_px) / self.px_per_mm
        room = min(long_mm / _LAYOUT_MM[0], short_mm / _LAYOUT_MM[1])
        if _FITS <= room < 1:
            return self.px_per_mm
        return self.px_per_mm * min(max(room, _REDUCTION_MIN), _ENLARGEMENT_MAX)


class Tokens(msgspec.Struct, frozen=True):
    """What a touch sends back, so that an old page cannot act on a new visit."""

    visit: str
    rev: int


def profile_css(profile: ScreenProfile) -> str:
    r"""Answer the style sheet that gives the page its millimetre; served as ``/profile.css``.

    >>> profile_css(ScreenProfile(width_px=1024, height_px=600, diagonal_in=10.1))
    ':root{--mm:4.626px}\n'
    """
    return f":root{{--mm:{profile.unit_px:.3f}px}}\n"


def render(
    screen: Screen,
    playlist: Playlist,
    profile: ScreenProfile,
    tokens: Tokens,
    keys: Mapping[str, str] = KEYS,
) -> str:
    """Draw one screen.

    Args:
        screen: What to show; its `kind` names the template.
        playlist: What to say.
        profile: Of the display; decides between the two arrangements of a keyboard.
        tokens: Sent back with every touch.
        keys: What the keypad's keys do.

    Returns:
        A whole HTML page.

    Raises:
        jinja2.UndefinedError: A template asks for what the screen does not have.
        WordingMissing: A template asks for a word that the language does not have.
    """
    wording = _wording(screen.language)

    def words(*keys: str) -> str:
        """Give the script its words: JSON by the last part of each key."""
        texts = {key.rsplit(".", 1)[-1]: wording.screen(key, **_SCRIPT_SLOTS) for key in keys}
        return json.dumps(texts, ensure_ascii=False)

    template = _environment().get_template(f"{screen.kind}.html")
    return template.render(
        screen=screen,
        entry=screen.entry,
        playlist=msgspec.json.encode(playlist).decode(),
        profile=profile,
        tokens=tokens,
        keys=json.dumps(dict(keys), ensure_ascii=False),
        rate=RATES[screen.comfort.rate],
        volume_db=VOLUMES_DB[screen.comfort.volume],
        w=wording.screen,
        v=wording.voice,
        words=words,
        grid=grid,
        home=home_parts(screen),
    )


def places(text: str) -> float:
    """Answer how wide a text is, in Han characters.

    >>> places("下一步"), round(places("Next"), 2)
    (3.0, 2.2)
    """
    return sum(1.0 if character >= _HAN_FIRST else _LATIN_PLACES for character in text)


def size(text: str, roomy: float, tight: float) -> str:
    """Answer the class that makes a long text smaller: "" for short, "long", "longer".

    Args:
        text: What is shown.
        roomy: Most places that the full size has room for.
        tight: Most places that the class "long" has room for.
    """
    width = places(text)
    if width <= roomy:
        return ""
    return "long" if width <= tight else "longer"


def grid(count: int) -> str:
    """Answer the class that lays out so many tiles."""
    return f"n{min(max(count, 1), 9)}"


def is_promise(line: str, words: Callable[..., str]) -> bool:
    """Answer whether a line of the materials tells in how many days there is an answer."""
    return any(
        line.startswith(before) and line.endswith(after)
        for key in ("materials.day", "materials.days")
        for before, after in [words(key, days="\n").split("\n")]
    )


def home_parts(screen: Screen) -> dict[str, tuple[Tile, ...]]:
    """Part the tiles: those in the middle, and the two of the home screen's foot."""
    foot = tuple(
        tile
        for tile in screen.tiles
        if screen.kind == "home" and (tile.action == "matters" or tile.style == "quiet")
    )
    return {"main": tuple(tile for tile in screen.tiles if tile not in foot), "foot": foot}


@functools.cache
def _wording(language: str) -> Wording:
    return Wording.load(language)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["size"] = size
    environment.tests["is_promise"] = is_promise
    environment.globals["picture"] = _icon_maker("pictures", "picture")
    environment.globals["sign"] = _icon_maker("signs", "sign")
    environment.globals["drawn"] = _drawn
    return environment


def _drawn(svg: str) -> Markup:
    # The kiosk's own drawing, from digits alone; its frame in the page carries the name.
    return Markup(svg.replace(' role="img"', ' aria-hidden="true"'))  # noqa: S704 -- our own


def _icon_maker(folder: str, css_class: str) -> Callable[[str], Markup]:
    # All are read once: a screen is drawn in a few milliseconds and never waits for the card.
    icons = {
        path.stem: _inline(path.read_text("utf-8"), css_class)
        for path in sorted((_ICONS / folder).glob("*.svg"))
    }

    def icon(name: str) -> Markup:
        """Answer the inline SVG; an unknown name draws a sheet of paper, never nothing."""
        return icons.get(name) or icons.get("paper", Markup())

    return icon


def _inline(svg: str, css_class: str) -> Markup:
    opening = f'<svg class="{css_class}" viewBox="\\1" aria-hidden="true" focusable="false">'
    # The files are ours, taken at packaging time, hence safe.
    return Markup(_OPEN_SVG.sub(opening, svg.strip()))  # noqa: S704 -- our own files
