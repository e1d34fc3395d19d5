"""What the bits of one answer depend on beside its value."""

from collections.abc import Callable

import msgspec

from sync.bits import BitReader, BitWriter
from sync.dictionary import Dictionary
from sync.forms import Choice


class Layout(msgspec.Struct, frozen=True):
    """What the bits of one answer depend on."""

    dictionary: Dictionary
    #: Of a select question, in list order.
    choices: tuple[Choice, ...] = ()


Put = Callable[[BitWriter, str, Layout], None]
"""Adds an answer that is not empty; raises `AnswersError` when it has not the form of its type."""
Take = Callable[[BitReader, Layout], str]
"""Reads an answer, never empty; raises `AnswersError` when the bits are none of its type."""
