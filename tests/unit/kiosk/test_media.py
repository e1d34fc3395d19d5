"""What may be held as a photo, signature or recording."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.errors import AttachmentRefused, AttachmentTooLarge
from kiosk.media import checked_media
from sync.limits import ATTACHMENT_BYTES_MAX

PATH = '<path d="M1 2L3 4" fill="none" stroke="#123" stroke-width="3" stroke-linecap="round"/>'
#: What the page leaves for a finger's print: ridges, and the day under them.
MARK = (
    b'<ellipse cx="500" cy="270" rx="14" ry="20"/></g>'
    b'<text x="500" y="576" font-size="44" text-anchor="middle" fill="#a01b14">2026-11-24</text>'
    b"</svg>"
)
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 200">'


@pytest.mark.parametrize(
    ("question", "media_type", "content"),
    [
        ("photo", "image/jpeg", b"\xff\xd8\xff\xe0"),
        ("photo", "image/jpeg; quality=0.7", b"\xff\xd8\xff\xe0"),
        ("photo", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("signature", "image/svg+xml", f"{HEAD}{PATH}</svg>".encode()),
        ("signature", "image/svg+xml;charset=utf-8", f"{HEAD}<g>{PATH}</g></svg>\n".encode()),
        ("signature", "image/svg+xml", f"{HEAD}<g fill='none'>".replace("'", '"').encode() + MARK),
        ("name", "image/svg+xml", f"{HEAD}{PATH}</svg>".encode()),
        ("voice_note", "audio/webm;codecs=opus", b"\x1a\x45\xdf\xa3"),
        ("voice_note", "audio/ogg", b"OggS"),
        ("voice_note", "audio/wav", b"RIFF\x00\x00\n\x00WAVE"),
    ],
)
def test_what_the_page_makes_is_taken(question: str, media_type: str, content: bytes) -> None:
    assert checked_media(question, media_type, content) == media_type.split(";", 1)[0]


@pytest.mark.parametrize(
    "drawing",
    [
        f"{HEAD}<script>alert(1)</script></svg>",
        f'{HEAD}<path d="M0 0" onload="alert(1)"/></svg>',
        f'{HEAD}<image href="https://evil.example/x.png"/></svg>',
        f'{HEAD}<path d="M0 0" style="background:url(x)"/></svg>',
        f'{HEAD}<path d="M0 0" fill="url(https://evil.example)"/></svg>',
        f"{HEAD}<foreignObject/></svg>",
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x "y">]>{HEAD}</svg>',
        f"{HEAD}{PATH}</svg><script/>",
        '<svg onload="alert(1)"></svg>',
        f"{HEAD}名</svg>",
        f"{HEAD}<text>2026-11-24 alert</text></svg>",
        f'{HEAD}<text onclick="alert(1)">2026-11-24</text></svg>',
        f"{HEAD}<text><tspan>2026-11-24</tspan></text></svg>",
        "",
    ],
)
def test_drawing_is_strokes_and_nothing_else(drawing: str) -> None:
    with pytest.raises(AttachmentRefused):
        checked_media("signature", "image/svg+xml", drawing.encode())


@pytest.mark.parametrize(
    ("question", "media_type"),
    [
        ("photo", "audio/ogg"),
        ("photo", "image/svg+xml"),
        ("voice_note", "image/jpeg"),
        ("name", "image/jpeg"),
        ("photo", ""),
        ("photo", "image/gif"),
    ],
)
def test_question_takes_its_own_kind_only(question: str, media_type: str) -> None:
    with pytest.raises(AttachmentRefused):
        checked_media(question, media_type, b"\xff\xd8\xff OggS")


def test_too_large_is_told_apart() -> None:
    with pytest.raises(AttachmentTooLarge):
        checked_media("photo", "image/jpeg", b"\xff\xd8\xff" + bytes(ATTACHMENT_BYTES_MAX))


@given(st.binary(max_size=200), st.text(max_size=30))
def test_anything_is_answered_or_refused(content: bytes, media_type: str) -> None:
    for question in ("photo", "signature", "voice_note"):
        try:
            checked_media(question, media_type, content)
        except AttachmentRefused:
            continue
