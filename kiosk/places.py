"""Where a resident may be in a visit: one value a screen, immutable."""

from typing import Literal

import msgspec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a visit's parts: immutable."""


class AtHome(Part, frozen=True, tag=True):
    """The categories, six a page."""

    page: int = 1


class InCategory(Part, frozen=True, tag=True):
    """The services of one category."""

    category: str
    page: int = 1


class AtOther(Part, frozen=True, tag=True):
    """Nothing on the home screen fits: who helps all the same."""


class AtMaterials(Part, frozen=True, tag=True):
    """What to have at hand, told once and at the beginning (一次性告知)."""


class Asking(Part, frozen=True, tag=True):
    """One question."""

    question: str
    #: Page of its choices or villages, from 1.
    page: int = 1
    #: Code of what was wrong with the last answer, "" = nothing, and how often in a row.
    error: str = ""
    tries: int = 0
    #: An answer that looked odd: the same once more is taken.
    doubted: str = ""
    #: Came from the check page by its pencil: goes back there.
    is_change: bool = False


class Warned(Part, frozen=True, tag=True):
    """It is known that one condition of the service does not fit."""

    #: Index in `Service.eligibility`.
    index: int
    #: The question whose answer told; back leads there.
    question: str
    is_change: bool = False


class Checking(Part, frozen=True, tag=True):
    """Reading back the whole, four lines a page."""

    page: int = 1


class Waiting(Part, frozen=True, tag=True):
    """An effect is under way."""

    #: What is waited for.
    why: Literal["submit", "lookup"]


class AtReceipt(Part, frozen=True, tag=True):
    """It is on disk: number, QR, promised days."""


class Rating(Part, frozen=True, tag=True):
    """Five faces."""


class AtThanks(Part, frozen=True, tag=True):
    """The visit's end."""

    why: Literal["done", "rated", "declined", "carried"] = "done"


class AtMatters(Part, frozen=True, tag=True):
    """The matters found; none = plain words what to do."""

    page: int = 1


class AtMatter(Part, frozen=True, tag=True):
    """One matter with its road of pictures."""

    case_no: str


class AtCarry(Part, frozen=True, tag=True):
    """A helper's phone takes along what waits here: first its page, then the codes."""

    is_showing: bool = False


class AtFault(Part, frozen=True, tag=True):
    """The kiosk could not do it. `code` is for the helper."""

    code: str


Place = (
    AtHome
    | InCategory
    | AtOther
    | AtMaterials
    | Asking
    | Warned
    | Checking
    | Waiting
    | AtReceipt
    | Rating
    | AtThanks
    | AtMatters
    | AtMatter
    | AtCarry
    | AtFault
)
Overlay = Literal["", "help", "leave", "idle", "stick"]
