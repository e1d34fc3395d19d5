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
    least, most = _whole(question.min_value), _whole(question.max_value)
    if question.type != "integer" or _OR.search(question.constraint):
        return least, most
    for sign, number in _WHOLE.findall(question.constraint):
        if sign == "<=":
            most = int(number)
        else:
            least = int(number)
    return least, most


def frame_of(question: Question) -> str:
    """Answer what a photo is of, for its guide: a "card", a "face", or else a "sheet".

    >>> from sync.forms import Question
    >>> frame_of(Question("p", "photo", {"zh-CN": "身份证照片"}, {}, True, "none"))
    'card'
    """
    told = question.label.get("zh-CN", "") + question.voice.get("zh-CN", "")
    if "身份证" in told or "银行卡" in told:
        return "card"
    is_face = any(word in told for word in ("脸", "头像", "正面照"))
    return "face" if is_face else "sheet"


def range_of(question: Question) -> tuple[str, str, str]:
    """Answer least, most and step of a range or a decimal; a range has all three.

    >>> from sync.forms import Question
    >>> range_of(Question("n", "range", {}, {}, True, "none", max_value="5"))
    ('0', '5', '1')
    """
    if question.type == "range":
        return question.min_value or "0", question.max_value or "10", question.step or "1"
    return question.min_value, question.max_value, question.step


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else None


def unit_key(question: Question) -> str:
    """Answer the wording key of what an amount counts: money, unless its label says land."""
    if question.type != "amount":
        return ""
    told = question.label.get("zh-CN", "") + question.voice.get("zh-CN", "")
    if "亩" in told:
        return "unit.mu"
    return "unit.square_metre" if "平方" in told or "平米" in told else "unit.yuan"
