"""Signs that nobody sees, and that make a recorded text look other than it is."""

import unicodedata

#: They turn the order in which a line is read: "gpj.exe" may stand there as "exe.jpg".
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def has_hidden_signs(text: str, *, allowed: str = "") -> bool:
    r"""Answer whether a text holds control characters or turns its own direction.

    Args:
        text: What a person wrote.
        allowed: Control characters that are no fault here, e.g. a line's end.

    >>> has_hidden_signs("ok\x00"), has_hidden_signs("a\nb", allowed="\n")
    (True, False)
    """
    return any(
        sign not in allowed and (unicodedata.category(sign) == "Cc" or sign in _TURNING)
        for sign in text
    )
