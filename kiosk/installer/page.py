"""What the installer sees, as data, and the page that draws it."""

import datetime as dt
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import jinja2
import msgspec

from kiosk.finding import Finding
from kiosk.installer.log_lines import LogLine
from voice_prompts.wording import Wording

Tab = Literal["state", "tests", "doctor", "log"]
TABS: tuple[Tab, ...] = get_args(Tab)
_HERE = Path(__file__).parents[1] / "web" / "templates"


class Fact(msgspec.Struct, frozen=True):
    """One line of the state."""

    label: str
    value: str
    is_good: bool = True


class Inside(msgspec.Struct, frozen=True):
    """The page behind the code."""

    language: str
    token: str
    tab: Tab = "state"
    facts: tuple[Fact, ...] = ()
    findings: tuple[Finding, ...] = ()
    lines: tuple[LogLine, ...] = ()
    #: Address of a sentence to try the sound with; "" = there is no clip.
    clip: str = ""
    has_bell: bool = False
    has_printer: bool = False
    has_stick: bool = False
    utc_offset_min: int = 480
    #: Key of what was just done; "" = nothing.
    done: str = ""


class Outside(msgspec.Struct, frozen=True):
    """The page that asks for the code."""

    language: str
    kind: Literal["ask", "wrong", "wait", "no_code"] = "ask"
    wait_s: int = 0


def drawn(page: Inside | Outside, wording: Wording) -> str:
    """Draw a page.

    Args:
        page: What it shows.
        wording: Words of its language.
    """
    name = "installer.html" if isinstance(page, Inside) else "installer_code.html"
    tabs = {tab: wording.screen(f"installer.tab.{tab}") for tab in TABS}
    template = _environment().get_template(name)
    return template.render(
        page=page, w=wording.screen, tabs=tabs, row=_rows(wording), when=_when(page)
    )


def _rows(wording: Wording) -> Callable[[int, Finding], dict[str, str]]:
    known = frozenset(wording.keys())

    def row(number: int, finding: Finding) -> dict[str, str]:
        """Answer one line of the doctor in the page's language; detail is its own English."""
        name = finding.name.partition(" ")[0] if finding.name.startswith("former") else finding.name
        key = name.lower().replace(" ", "_")
        check, todo = f"installer.check.{key}", f"installer.todo.{key}"
        return {
            "number": str(number),
            "level": finding.level,
            "word": wording.screen(f"installer.level.{finding.level}"),
            "name": wording.screen(check) if check in known else finding.name,
            "todo": wording.screen(todo) if todo in known and not finding.is_good else "",
            "said": finding.said,
        }

    return row


def _when(page: Inside | Outside) -> Callable[[int], str]:
    minutes = page.utc_offset_min if isinstance(page, Inside) else 0
    zone = dt.timezone(dt.timedelta(minutes=minutes))

    def when(ms: int) -> str:
        return dt.datetime.fromtimestamp(ms / 1000, zone).strftime("%m-%d %H:%M:%S")

    return when


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
