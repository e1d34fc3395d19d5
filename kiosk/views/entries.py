"""How the answer of a question is put in: its pad, its bounds, what it says so far. Pure."""

from kiosk import bounds, walk
from kiosk.phrases import day
from kiosk.screens import Entry, Tile
from kiosk.views.echoing import person
from kiosk.views.frame import Frame
from kiosk.visit import Draft
from sync import evaluation
from sync.forms import ATTACHMENT_TYPES, Question, Service
from sync.limits import ATTACHMENTS_MAX, NAME_CHARS_MAX, TEXT_CHARS_MAX

#: What is put in character by character.
WRITTEN_TYPES = frozenset({"name", "text_note", "voice_note"})
#: How typed digits are grouped, as they stand on the card or are said.
_GROUPS: dict[str, tuple[int, ...]] = {
    "id_number": (6, 8, 4),
    "phone": (3, 4, 4),
    "case_no": (4, 4, 4),
    "bank_card": (4, 4, 4, 4, 3),
    "digits4": (4,),
}
_CHARS_MAX: dict[str, int] = {
    "id_number": 18,
    "phone": 13,
    "case_no": 12,
    "bank_card": 19,
    "digits4": 4,
    "integer": 4,
    "amount": 10,
    "decimal": 15,
    "barcode": 50,
    "name": NAME_CHARS_MAX,
    "text_note": TEXT_CHARS_MAX,
    "voice_note": TEXT_CHARS_MAX,
}


def entry_of(
    frame: Frame, service: Service, asked: Question, draft: Draft, options: tuple[Tile, ...]
) -> Entry:
    """Answer how a question is answered.

    Args:
        frame: Visit, world, words.
        service: The form.
        asked: The question.
        draft: The answers so far.
        options: Tiles of its choices.
    """
    value = walk.proposed(draft, frame.world, asked)
    is_required = walk.is_needed(draft, frame.world, asked)
    held = draft.held.get(asked.id, 0)
    earliest, latest = bounds.day_bounds(asked, frame.world.today)
    min_value, max_value = bounds.whole_bounds(asked)
    least, most, step = bounds.range_of(asked)
    unit = bounds.unit_key(asked)
    room = ATTACHMENTS_MAX - sum(draft.held.values()) + held
    return Entry(
        kind=asked.type,
        question=asked.id,
        value=value,
        shown=shown(frame, service, asked, value, masked=False),
        is_required=is_required,
        hint="" if is_required or walk.is_told(asked) else frame.text("question.skip_hint"),
        chars_max=_CHARS_MAX.get(asked.type, TEXT_CHARS_MAX),
        groups=_GROUPS.get(asked.type, ()),
        choices=options if asked.type in ("multi_choice", "rank") else (),
        attachments=held,
        attachments_min=max(asked.min_photos, 1) if asked.type in ATTACHMENT_TYPES else 0,
        attachments_max=min(room, 3) if asked.type == "photo" else 1,
        echo=person(frame, value) if asked.type == "id_number" else (),
        today=frame.world.today.isoformat(),
        may_type=asked.type == "voice_note",
        earliest=earliest,
        latest=latest,
        min_value=min_value,
        max_value=max_value,
        least=least,
        most=most,
        step=step,
        is_read_only=asked.is_read_only,
        frame=bounds.frame_of(asked),
        unit=frame.text(unit) if unit else "",
        has_handwriting=frame.world.has_handwriting and asked.type in WRITTEN_TYPES,
    )


def shown(frame: Frame, service: Service, asked: Question, value: str, *, masked: bool) -> str:
    """Write one answer as people read it.

    Args:
        frame: Language and villages.
        service: The form.
        asked: The question.
        value: The answer; "" stays "".
        masked: Hide the middle of numbers; names stay, they are there to be checked.
    """
    if asked.type == "date" and value:
        return day(value, frame.wording)
    villages = {v.code: frame.words(v.name) for v in frame.world.villages}
    return evaluation.shown(
        frame.world.catalogue,
        service,
        asked,
        value,
        frame.language,
        masked=masked and asked.type != "name",
        villages=villages,
    )
