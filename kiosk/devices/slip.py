"""A slip as data: what stands on it, before anybody draws it. Pure."""

from typing import Literal

import msgspec

from sync.errors import MALFORMED
from sync.limits import SLIP_BYTES_MAX, SLIP_LINES_MAX

LineSize = Literal["small", "plain", "large"]


class SlipMalformed(ValueError):
    """These bytes are no slip."""


class SlipLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text, wrapped to the paper's width; "" is a gap."""

    text: str
    size: LineSize = "plain"
    is_centred: bool = False


class Slip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One slip of paper from top to bottom."""

    head: tuple[SlipLine, ...]
    #: What the square says; "" = no square.
    qr: str = ""
    foot: tuple[SlipLine, ...] = ()
    #: Dots across: 384 on paper of 58 mm, 576 on paper of 80 mm, at 8 dots a millimetre.
    width_dots: int = 384
    #: The printer draws the square itself: few bytes for a slow line, not known to all printers.
    is_native_qr: bool = False


def encode_slip(slip: Slip) -> bytes:
    """Write a slip for the process that draws it."""
    return msgspec.json.encode(slip)


def decode_slip(raw: bytes) -> Slip:
    """Read a slip.

    Raises:
        SlipMalformed: It is none, or too long.
    """
    if len(raw) > SLIP_BYTES_MAX:
        raise SlipMalformed("too long")
    try:
        slip = msgspec.json.decode(raw, type=Slip)
    except MALFORMED as error:
        raise SlipMalformed(type(error).__name__) from error
    if len(slip.head) + len(slip.foot) > SLIP_LINES_MAX or slip.width_dots not in (384, 576):
        raise SlipMalformed("too long or too wide")
    return slip
