"""What a resident will hear of a decision, filled in as the kiosk fills it: pure."""

import re
from collections.abc import Mapping

import msgspec

from server.dashboard import moments
from server.dashboard.words import DEFAULT, words_of
from server.store.rows import CaseRow, Decision
from sync.forms import Service, Text
from sync.ids import spaced

_SLOT = re.compile(r"\{([a-z_]+)\}")
#: A refusal tells how to object; where the catalogue's own text does, nothing is added.
_REMEDY_WORD = "复议"


class Told(msgspec.Struct, frozen=True):
    """The notice as the resident reads and hears it."""

    title: str
    #: Paragraphs, the catalogue's first, the clerk's own words last.
    lines: tuple[str, ...]


def told(
    case: CaseRow,
    service: Service,
    kind: str,
    decision: Decision,
    *,
    reasons: Mapping[str, Text],
    hotline: str,
) -> Told:
    """Answer the notice of a decision in the resident's own language.

    Slots that the desk cannot know yet stay as "…", never as braces.
    """
    language = case.language if case.language in ("zh-CN", "en") else DEFAULT
    words = words_of("en" if language == "en" else DEFAULT)
    notice = service.notices.get(kind)
    labels = {question.id: words.of(question.label) for question in service.questions}
    joiner = ", " if language == "en" else "、"
    slots = {
        "case_no": spaced(case.case_no[:12]),
        "due_date": moments.short_day(case.due_on, words),
        "correct_by": moments.short_day(decision.correct_by, words),
        "missing_items": joiner.join(labels.get(item, item) for item in decision.missing),
        "reason": words.of(reasons.get(decision.reason_code, {})),
        "hotline": hotline,
    }
    lines = [filled(words.of(notice.text), slots)] if notice else []
    reason = slots["reason"]
    if reason and not any(reason in line for line in lines):
        lines.append(reason)
    if decision.words:
        lines.append(decision.words)
    return Told(words.of(notice.title) if notice else words(f"state.{kind}"), tuple(lines))


def with_remedy(decision: Decision, service: Service, language: str) -> Decision:
    """Answer a refusal that says how to object, when the service's own text does not."""
    notice = service.notices.get("refused")
    if decision.action != "refuse" or (notice and _REMEDY_WORD in notice.text.get(DEFAULT, "")):
        return decision
    remedy = words_of("en" if language == "en" else DEFAULT)("act.remedy")
    return msgspec.structs.replace(decision, words=f"{decision.words} {remedy}".strip())


def filled(text: str, slots: Mapping[str, str]) -> str:
    """Fill ``{slots}``; one that is unknown or empty becomes "…".

    >>> filled("Bring {missing_items} by {when}.", {"missing_items": "the card"})
    'Bring the card by ….'
    """
    return _SLOT.sub(lambda match: slots.get(match[1]) or "…", text)
