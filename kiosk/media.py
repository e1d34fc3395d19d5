"""What a photo, signature or recording must look like before the kiosk holds it. Pure.

The browser's word for the type is not believed: the first octets decide. A drawing is only
strokes, because a clerk's browser will open it.
"""

import re
from typing import Literal, get_args

from kiosk.errors import AttachmentRefused, AttachmentTooLarge
from sync.limits import ATTACHMENT_BYTES_MAX

MediaType = Literal[
    "image/jpeg", "image/png", "image/svg+xml", "audio/webm", "audio/ogg", "audio/wav"
]
MEDIA_TYPES: frozenset[str] = frozenset(get_args(MediaType))
#: What each type of question takes.
_TAKES: dict[str, frozenset[str]] = {
    "photo": frozenset({"image/jpeg", "image/png"}),
    "signature": frozenset({"image/svg+xml", "image/png"}),
    "voice_note": frozenset({"audio/webm", "audio/ogg", "audio/wav"}),
    # Characters of a name that nothing could read (`sync.handwriting`).
    "name": frozenset({"image/svg+xml"}),
}
_MAGIC: dict[str, re.Pattern[bytes]] = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff", re.DOTALL),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n", re.DOTALL),
    "audio/webm": re.compile(rb"\x1a\x45\xdf\xa3", re.DOTALL),
    "audio/ogg": re.compile(rb"OggS", re.DOTALL),
    "audio/wav": re.compile(rb"RIFF....WAVE", re.DOTALL),
}
_ATTRIBUTE = (
    r'\s+(?:xmlns="http://www\.w3\.org/2000/svg"'
    r"|(?:viewBox|width|height|d|points|fill|stroke|cx|cy|r|rx|ry|x1|y1|x2|y2|x|y|font-size"
    r'|text-anchor|stroke-width|stroke-linecap|stroke-linejoin)="[-#,.\w\s%]*")'
)
_SHAPES = "path|polyline|line|circle|ellipse|rect"
_DRAWING = re.compile(
    rf"\s*<svg(?:{_ATTRIBUTE})*\s*>"
    rf"(?:\s*<(?:{_SHAPES})(?:{_ATTRIBUTE})*\s*/>"
    rf"|\s*<(?P<name>{_SHAPES})(?:{_ATTRIBUTE})*\s*></(?P=name)>"
    # The day under a fingerprint's stand-in, and no other words.
    rf"|\s*<text(?:{_ATTRIBUTE})*\s*>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}</text>"
    rf"|\s*<g(?:{_ATTRIBUTE})*\s*>|\s*</g>)*\s*</svg>\s*",
    re.ASCII,
)


def checked_media(question_type: str, content_type: str, content: bytes) -> MediaType:
    """Answer the media type of an attachment that the question may take.

    Args:
        question_type: "photo", "signature", "voice_note" or "name".
        content_type: The request's header; parameters after ";" are ignored.
        content: All octets.

    Raises:
        AttachmentTooLarge: More than `ATTACHMENT_BYTES_MAX`.
        AttachmentRefused: Another type, or octets that are not of that type.
    """
    if len(content) > ATTACHMENT_BYTES_MAX:
        raise AttachmentTooLarge("the attachment is too large; take it again")
    media_type = content_type.split(";", 1)[0].strip().lower()
    if media_type not in _TAKES.get(question_type, frozenset()):
        raise AttachmentRefused("this question does not take that kind of attachment")
    if media_type == "image/svg+xml":
        is_good = _is_drawing(content)
    else:
        is_good = _MAGIC[media_type].match(content) is not None
    if not is_good:
        raise AttachmentRefused("the attachment is not what it says it is")
    return media_type  # type: ignore[return-value]  # _TAKES holds nothing else


def _is_drawing(content: bytes) -> bool:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return False
    return _DRAWING.fullmatch(text) is not None
