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
    #: A card has just answered it; the resident looks whether it is right.
    is_read: bool = False


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
    why: Literal["submit", "lookup", "helper", "day", "board"]


class AtReceipt(Part, frozen=True, tag=True):
    """It is on disk: number, QR, promised days."""


class Rating(Part, frozen=True, tag=True):
    """Five faces."""

    #: Case of "my matters" that is rated; "" = the receipt just given.
    case_no: str = ""
    #: A helper stood here until now, and is asked to step aside.
    is_helped: bool = False


class AtThanks(Part, frozen=True, tag=True):
    """The visit's end."""

    why: Literal["done", "rated", "declined", "carried", "withdrawn"] = "done"


class AtMatters(Part, frozen=True, tag=True):
    """The matters found; none = plain words what to do."""

    page: int = 1


class AtMatter(Part, frozen=True, tag=True):
    """One matter with its road of pictures."""

    case_no: str


class AtCarry(Part, frozen=True, tag=True):
    """A helper's phone takes along what waits here: first its page, then the codes."""

    is_showing: bool = False


# --- helpers, families, withdrawals (kiosk/assisted) ---


class SigningIn(Part, frozen=True, tag=True):
    """A helper tells their number, then their PIN."""

    #: Told already; "" = it is asked for.
    number: str = ""
    #: The number and the PIN given before did not fit.
    is_wrong: bool = False
    #: Seconds until another try is heard; 0 = at once.
    wait_s: int = 0


class Agreeing(Part, frozen=True, tag=True):
    """The resident hears what a helper filled in for them, and agrees or does not."""


class AtNext(Part, frozen=True, tag=True):
    """After a receipt, with a helper: who or what comes next."""


class Offered(Part, frozen=True, tag=True):
    """A question that somebody of this visit has answered before: the same, or anew."""

    question: str


class AtDayList(Part, frozen=True, tag=True):
    """What this helper handed in today: numbers, services, states."""

    page: int = 1


class AtLessons(Part, frozen=True, tag=True):
    """The lessons of practice mode."""


class AtLesson(Part, frozen=True, tag=True):
    """What one lesson is about."""

    lesson: str


class Practised(Part, frozen=True, tag=True):
    """A lesson's end: it looks like a receipt and is none."""

    lesson: str


class Withdrawing(Part, frozen=True, tag=True):
    """Whether a matter is really to be withdrawn."""

    case_no: str


class AtLooks(Part, frozen=True, tag=True):
    """Who looked at the data of a matter."""

    case_no: str
    page: int = 1


class AtBoard(Part, frozen=True, tag=True):
    """The public board: services, promised days, how the village's matters stand."""

    page: int = 1


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
    | SigningIn
    | Agreeing
    | AtNext
    | Offered
    | AtDayList
    | AtLessons
    | AtLesson
    | Practised
    | Withdrawing
    | AtLooks
    | AtBoard
    | AtFault
)
Overlay = Literal["", "help", "leave", "idle", "stick", "seeing", "hearing", "languages"]
