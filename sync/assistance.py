"""Who helped with a transaction, and by what the resident agreed to it: `Transaction.helper`. Pure.

"12:touch" = helper 12 of that kiosk filled it in, and the resident heard it and touched "I agree";
"12:sign" = they signed the form as well. A number alone says that no agreement is on record.
"""

import re
from typing import Literal

import msgspec

Consent = Literal["", "touch", "sign"]

_WRITTEN = re.compile(r"([0-9A-Za-z]{1,8})(?::(touch|sign))?")


class Assistance(msgspec.Struct, frozen=True):
    """What a transaction says of the help it had."""

    #: The helper's number at the kiosk where it was made; "" = nobody helped.
    helper: str = ""
    consent: Consent = ""


def written(assistance: Assistance) -> str:
    """Write it as the transaction carries it.

    >>> written(Assistance("12", "touch"))
    '12:touch'
    """
    if not assistance.helper or not assistance.consent:
        return assistance.helper
    return f"{assistance.helper}:{assistance.consent}"


def read(text: str) -> Assistance:
    """Read what a transaction carries; what is no helper's number is told as "?".

    A kiosk writes digits alone. Whatever else stands there may be a name, and must not come to
    where everybody reads.

    >>> read("12:sign"), read(""), read("张婷")
    (Assistance(helper='12', consent='sign'), Assistance(helper='', consent=''), \
Assistance(helper='?', consent=''))
    """
    if not text:
        return Assistance()
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return Assistance("?")
    return msgspec.convert({"helper": match[1], "consent": match[2] or ""}, Assistance)
