"""The service catalogue: what can be applied for, as forms that kiosk and centre both run.

The JSON of `server/catalogue/catalogue.json` decodes into these structs one to one; unknown
fields are refused, so that a misspelt rule is found at upload and not by a resident.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

Text = Mapping[str, str]
"""One text by language tag, e.g. ``{"zh-CN": "是", "en": "Yes"}``."""

QuestionType = Literal[
    "id_number",
    "name",
    "phone",
    "bank_card",
    "case_no",
    "digits4",
    "date",
    "amount",
    "integer",
    "choice",
    "yes_no",
    "multi_choice",
    "photo",
    "signature",
    "voice_note",
    "text_note",
    "village",
    "consent",
    "decimal",
    "time",
    "range",
    "rank",
    "note",
    "acknowledge",
    "barcode",
]
ATTACHMENT_TYPES: frozenset[str] = frozenset({"photo", "signature", "voice_note"})
CHOICE_TYPES: frozenset[str] = frozenset({"choice", "yes_no", "multi_choice", "rank"})
UNANSWERED_TYPES: frozenset[str] = frozenset({"note"})
"""What is shown or said and has no answer."""
RULELESS_TYPES: frozenset[str] = frozenset(
    {"decimal", "time", "range", "rank", "note", "acknowledge", "barcode"}
)
"""What a catalogue need not list in `types`: such a question brings its own bounds."""


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of what crosses a border: immutable, unknown fields refused."""


class TypeRule(Struct, frozen=True):
    """What every question of one type shares: its XLSForm type, constraint and mask."""

    xlsform: str
    appearance: str = ""
    validator: str = ""
    constraint: str = ""
    constraint_message: Text = {}
    mask: str = ""
    parameters: str = ""
    alternative: str = ""
    file: str = ""


class Category(Struct, frozen=True):
    """A group of services on the home screen."""

    id: str
    name: Text
    icon: str


class Choice(Struct, frozen=True):
    """One option of a select question."""

    name: str
    label: Text
    voice: Text
    icon: str = ""
    #: File name of a picture of the form; "" for none.
    image: str = ""
    #: Further columns of the choices sheet, for `choice_filter`: lexical values by column.
    columns: Mapping[str, str] = {}
    #: The same choice under further conditions (ODK's allow_choice_duplicates): other `columns`.
    variants: tuple[Mapping[str, str], ...] = ()


class Question(Struct, frozen=True):
    """One question of a form; `relevant` and `constraint` are XLSForm expressions."""

    id: str
    type: QuestionType
    label: Text
    voice: Text
    required: bool
    sensitivity: Literal["none", "personal", "sensitive"]
    relevant: str = ""
    constraint: str = ""
    constraint_message: Text = {}
    choices: str = ""
    read_back: str = ""
    min_photos: int = 0
    #: Further words beside the question, smaller than it.
    hint: Text = {}
    #: Expression for the answer to begin with, evaluated when the question is first asked.
    default: str = ""
    #: Shown with its default and not to be changed by the resident.
    is_read_only: bool = False
    #: Expression over earlier answers and each choice's `columns`; what is not true is not offered.
    choice_filter: str = ""
    #: Of range, decimal and integer questions: decimal numbers in lexical form; "" = no bound.
    min_value: str = ""
    max_value: str = ""
    step: str = ""
    #: Expression that makes an answer necessary where `required` is false.
    required_when: str = ""


class Calculate(Struct, frozen=True):
    """A derived value, computed from earlier answers; it may be named in any later expression."""

    id: str
    calculation: str


class Eligibility(Struct, frozen=True):
    """A condition to fit: `when` true means fits; unknown while its answers are missing."""

    when: str
    must: bool
    message: Text


class Material(Struct, frozen=True):
    """A paper that the service needs, and how it is given."""

    id: str
    name: Text
    how: str
    required: bool
    waivable: bool
    relevant: str = ""


class Spoken(Struct, frozen=True):
    """A text on the screen and the same said aloud."""

    text: Text
    voice: Text


class NoticeText(Struct, frozen=True):
    """What a resident is told of a step of the case."""

    title: Text
    text: Text
    voice: Text


class Service(Struct, frozen=True):
    """One service (事项): a versioned form with its deadlines, outcomes and notices."""

    id: str
    version: str
    name: Text
    plain_name: Text
    category: str
    department: str
    level: str
    promised_working_days: int
    statutory_working_days: int
    instant: bool
    offline_mode: Literal["queue", "cached", "online"]
    apply_by: tuple[str, ...]
    case_kind: Literal["application", "report", "feedback", "booking", "query", "rating"]
    allow_anonymous: bool
    materials: tuple[Material, ...]
    eligibility: tuple[Eligibility, ...]
    basis: str
    retention: str
    choice_lists: Mapping[str, tuple[Choice, ...]]
    questions: tuple[Question, ...]
    check: Spoken
    receipt: Spoken
    outcomes: tuple[str, ...]
    notices: Mapping[str, NoticeText]
    calculates: tuple[Calculate, ...]

    def question(self, question_id: str) -> Question:
        """Answer the question of that id.

        Raises:
            KeyError: The form has none.
        """
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(question_id)


class Catalogue(Struct, frozen=True):
    """All services of one version, with what they share."""

    schema: str
    version: str
    default_language: str
    languages: tuple[str, ...]
    types: Mapping[str, TypeRule]
    categories: tuple[Category, ...]
    shared_choice_lists: Mapping[str, tuple[Choice, ...]]
    system_variables: tuple[str, ...]
    services: tuple[Service, ...]
    icons: tuple[str, ...] = ()

    def service(self, service_id: str) -> Service:
        """Answer the service of that id.

        Raises:
            KeyError: The catalogue has none.
        """
        service = self.find(service_id)
        if service is None:
            raise KeyError(service_id)
        return service

    def find(self, service_id: str) -> Service | None:
        """Answer the service of that id, if there is one."""
        return next((s for s in self.services if s.id == service_id), None)

    def of_kind(self, case_kind: str) -> Service | None:
        """Answer the first service of a kind ("query", "rating", …), if there is one."""
        return next((s for s in self.services if s.case_kind == case_kind), None)

    def choices(self, service: Service, question: Question) -> tuple[Choice, ...]:
        """Answer the options of a select question; empty for other types."""
        if question.choices in service.choice_lists:
            return service.choice_lists[question.choices]
        return self.shared_choice_lists.get(question.choices, ())

    def in_category(self, category_id: str) -> Iterator[Service]:
        """Walk the services of one category in catalogue order."""
        return (service for service in self.services if service.category == category_id)


class Village(Struct, frozen=True):
    """A village by its 12-digit statistical division code."""

    code: str
    name: Text


def decode_catalogue(raw: bytes) -> Catalogue:
    """Read a catalogue from JSON.

    Raises:
        msgspec.ValidationError: A field is missing, unknown or of the wrong type; the message
            names its path.
    """
    return msgspec.json.decode(raw, type=Catalogue)
