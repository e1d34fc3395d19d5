"""What a form's constraint says about its pads: first and last day, least and most. Pure.

Only the plain comparisons that forms use are read; whatever else a constraint says is judged
when the answer is given, so reading too little is harmless.
"""

import datetime as dt
import re

from sync.forms import Question

_DAY = re.compile(r"\.\s*(<=|>=)\s*today\(\)(?:\s*\+\s*([0-9]{1,4}))?")
_WHOLE = re.compile(r"\.\s*(<=|>=)\s*(-?[0-9]{1,9})(?![0-9.])")
_OR = re.compile(r"\bor\b")


def day_bounds(question: Question, today: dt.date) -> tuple[str, str]:
    """Answer the first and the last day that may be chosen, ISO; "" = no bound.

    >>> from sync.forms import Question
    >>> asked = Question("d", "date", {}, {}, True, "none", constraint=". <= today()")
    >>> day_bounds(asked, dt.date(2026, 11, 24))
    ('', '2026-11-24')
    """
    first, last = "", ""
    if question.type != "date" or _OR.search(question.constraint):
        return first, last
    for sign, days in _DAY.findall(question.constraint):
        bound = (today + dt.timedelta(days=int(days or 0))).isoformat()
        if sign == "<=":
            last = bound
        else:
            first = bound
    return first, last


def whole_bounds(question: Question) -> tuple[int | None, int | None]:
    """Answer the least and the most of an integer; None = no bound.

    >>> from sync.forms import Question
    >>> whole_bounds(Question("n", "integer", {}, {}, True, "none", constraint=". >= 1 and . <= 4"))
    (1, 4)
    """
    least, most = None, None
    if question.type != "integer" or _OR.search(question.constraint):
        return least, most
    for sign, number in _WHOLE.findall(question.constraint):
        if sign == "<=":
            most = int(number)
        else:
            least = int(number)
    return least, most


def unit_key(question: Question) -> str:
    """Answer the wording key of what an amount counts: money, unless its label says land."""
    if question.type != "amount":
        return ""
    told = question.label.get("zh-CN", "") + question.voice.get("zh-CN", "")
    if "亩" in told:
        return "unit.mu"
    return "unit.square_metre" if "平方" in told or "平米" in told else "unit.yuan"
