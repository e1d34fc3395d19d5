"""What one screen shows and says: plain data between the visit and the page that draws it.

`kiosk.views` makes a `Screen` from a visit; `kiosk.web.presentation` draws it; `kiosk.speech`
speaks it. Nothing here knows pixels, files or HTTP.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from kiosk.comfort import Comfort
from sync.forms import QuestionType
from voice_prompts.compose import Spoken

ScreenKind = Literal[
    "home",
    "category",
    "materials",
    "question",
    "warning",
    "check",
    "receipt",
    "rating",
    "thanks",
    "matters",
    "matter",
    "carry",
    "stick",
    "comfort",
    "help",
    "languages",
    "leave",
    "idle",
    "fault",
    "busy",
    "sign_in",
    "agree",
    "choices",
    "list",
    "lesson",
]


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what a screen is made of: immutable."""


class Tile(View, frozen=True):
    """One big button of the middle of a screen: picture, words, what it posts."""

    #: `action` and `value` of POST /act.
    action: str
    value: str
    label: str
    #: A name of the catalogue's icons, or "" for none.
    icon: str = ""
    #: "" plain, "quiet" second in rank, "helper" the helper's colour, "more" turns the page.
    style: Literal["", "quiet", "helper", "more"] = ""
    #: The answer chosen before, or ticked in a multi_choice.
    is_selected: bool = False
    #: Id in the page; the voice outlines it while it speaks. Unique in the screen.
    dom_id: str = ""
    #: A second, smaller line ("3个工作日" under a service), or "".
    note: str = ""


class Entry(View, frozen=True):
    """How the answer of a question is put in; what it is drawn with depends on `kind`.

    choice, yes_no, consent, acknowledge and village are answered by the screen's `tiles` (each
    posts `answer` or a page turn). All other kinds draw their own pad, camera or recorder and post
    `answer` with `value`. A multi_choice posts its chosen names with spaces between, in the
    order of `choices`; a rank posts them in the order of touching. photo, signature and
    voice_note post their bytes to /attachment first (`question` in the query) and then `answer`
    with how many there are, and so does a name with drawn characters; a voice_note that was
    typed posts "=" and the text.
    """

    kind: QuestionType
    question: str
    #: The answer given before, in XForms' lexical form; "" for none. Never masked: it is the
    #: resident's own typing that they come back to change.
    value: str = ""
    #: `value` as people read it ("5301 2119 …", "2026年11月24日"); "" for none.
    shown: str = ""
    is_required: bool = True
    #: A short line under the question ("没有就跳过"), or "".
    hint: str = ""
    #: Most characters that may be typed.
    chars_max: int = 50
    #: How typed digits are grouped: (6, 8, 4) for an ID number, (3, 4, 4) for a phone; () none.
    groups: tuple[int, ...] = ()
    #: multi_choice and rank: the options, `is_selected` for those ticked; else ().
    choices: tuple[Tile, ...] = ()
    #: Photos, signatures or recordings held for this question now, and bounds.
    attachments: int = 0
    attachments_min: int = 0
    attachments_max: int = 1
    #: What the answer tells, said back ("1946年11月24日生", "男", "80岁").
    echo: tuple[str, ...] = ()
    #: Today, ISO: where the date pads begin.
    today: str = ""
    #: A voice_note may be typed instead.
    may_type: bool = False
    #: Bounds of a date, ISO, inclusive; "" = none.
    earliest: str = ""
    latest: str = ""
    #: Bounds of an integer, inclusive; None = none.
    min_value: int | None = None
    max_value: int | None = None
    #: Of a range: its ends and its step, decimal numbers; of a decimal its bounds, "" = none.
    least: str = ""
    most: str = ""
    step: str = ""
    #: What the form says for itself: shown, and sent back as it is.
    is_read_only: bool = False
    #: What an amount counts ("元", "亩"); "" = nothing.
    unit: str = ""
    #: What is typed is shown as dots: a helper's PIN.
    is_hidden: bool = False
    #: What a photo's guide is shaped like: "card", "face" or "sheet".
    frame: str = "sheet"
    has_camera: bool = True
    has_microphone: bool = True
    #: A name or a text may be written by finger.
    has_handwriting: bool = False
    #: Whole answers to give by one touch (a person of this visit, say); each posts `answer`.
    suggestions: tuple[Tile, ...] = ()


class Row(View, frozen=True):
    """One line of the check page."""

    question: str
    label: str
    #: As people read it; sensitive values are masked.
    value: str
    icon: str = ""
    #: Touching the pencil posts `change` with `question`.
    can_change: bool = True
    dom_id: str = ""


class ReceiptView(View, frozen=True):
    """What the resident takes along, on the screen, a photo or a slip."""

    #: "0042 0001 3768".
    case_no: str
    #: `<svg …>` of the courier QR; dark modules in `currentColor`.
    qr_svg: str
    #: "10个工作日内答复", or the date when the centre has told it; "" when there is none.
    due: str
    #: Further lines in reading order.
    lines: tuple[str, ...] = ()
    #: The centre has acknowledged it.
    is_delivered: bool = False
    #: What is said of the slip of paper, and whether it cannot come out now.
    slip: tuple[str, ...] = ()
    is_slip_lost: bool = False


class TimelineItem(View, frozen=True):
    """One picture of a matter's road: handed in, office has it, decided."""

    label: str
    #: Day as people read it, or "" when not yet.
    at: str = ""
    is_done: bool = False
    is_now: bool = False
    text: str = ""
    icon: str = ""
    dom_id: str = ""


class CarryView(View, frozen=True):
    """How a phone takes along what waits here."""

    #: Address of the page that does it, and its QR as an `<svg …>`; both "" while codes run.
    address: str = ""
    qr_svg: str = ""
    #: The codes run; the page fetches them from /carry/film.
    is_showing: bool = False


class StatusLine(View, frozen=True):
    """The quiet line at the foot: what is kept here, and that it will go by itself."""

    pending: int = 0
    is_reachable: bool = True
    text: str = ""


class Band(View, frozen=True):
    """Says on every screen that it is not a resident alone with the kiosk; "" = they are."""

    text: str = ""
    style: Literal["", "helper", "practice"] = ""


class Utterance(View, frozen=True):
    """One thing said: a template, what fills its slots, and what is outlined meanwhile."""

    template: str
    slots: Mapping[str, Spoken] = {}
    #: `dom_id` to outline, or "".
    highlight: str = ""


class Screen(View, frozen=True):
    """One whole screen in one language."""

    kind: ScreenKind
    #: "zh-CN" or "en".
    language: str
    title: str
    #: Body text, one paragraph each.
    lines: tuple[str, ...] = ()
    #: At most six; home has two more, action "matters" and style "quiet", for its foot.
    tiles: tuple[Tile, ...] = ()
    entry: Entry | None = None
    #: What was wrong with the last answer and what to do, or "".
    error: str = ""
    rows: tuple[Row, ...] = ()
    #: Of the check page or a paged list, from 1; `pages` 1 = no paging.
    page: int = 1
    pages: int = 1
    #: Which question of how many, from 1; 0 of 0 outside a form.
    step: int = 0
    steps: int = 0
    service_name: str = ""
    receipt: ReceiptView | None = None
    carry: CarryView | None = None
    #: Of the stick's screen.
    stick_phase: Literal["", "working", "done", "failed"] = ""
    timeline: tuple[TimelineItem, ...] = ()
    status: StatusLine = StatusLine()
    band: Band = Band()
    can_back: bool = False
    #: Home button: absent on home itself.
    can_home: bool = True
    #: The hand: absent where help is already open.
    can_help: bool = True
    #: The eye: absent where a screen must not be covered.
    can_comfort: bool = True
    #: How this resident likes to see and hear.
    comfort: Comfort = Comfort()
    #: What the green button posts; "" = no such button. `next_value` goes as `value`; for a
    #: question the page puts the typed answer there.
    next_action: str = ""
    next_value: str = ""
    next_label: str = ""
    #: "skip" or "rate_skip"; "" = cannot be skipped.
    skip_action: str = ""
    #: What it goes with as `value`.
    skip_value: str = ""
    skip_label: str = ""
    #: Quiet hours: everything is said lower; "silent" waits for a touch before it speaks at all.
    quiet: Literal["", "lower", "silent"] = ""
    #: It may change without a touch: the page asks every second.
    is_live: bool = False
    #: The button that prints a slip again, "" = none; it posts "print".
    print_label: str = ""
    #: Languages to switch to: (tag, own name).
    languages: tuple[tuple[str, str], ...] = ()
    say: tuple[Utterance, ...] = ()
    #: What is said after 20 s and after 45 s of silence.
    silence: tuple[tuple[Utterance, ...], ...] = ()
    #: Said where large letters take several views, before the last.
    more: tuple[Utterance, ...] = ()
    #: How often in a row the answer was wrong.
    tries: int = 0
    #: Picture of where the answer stands, for what was wrong again; "" = none.
    example: str = ""
    #: Seconds without a touch until the page posts `timeout`; 0 = never.
    timeout_s: int = 0
    #: Of a screen that counts down: seconds left, and what is said then.
    countdown: tuple[tuple[int, tuple[Utterance, ...]], ...] = ()
    #: Short code for the helper in the corner of a fault ("F-507"); never a sentence.
    code: str = ""
