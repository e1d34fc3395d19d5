"""A sound that a page can play."""

from pathlib import Path
from typing import Literal

import msgspec


class Clip(msgspec.Struct, frozen=True):
    """A sound file that a player can fetch by its key."""

    #: 64 hexadecimal digits; another sound has another key, so it may be cached for ever.
    key: str
    path: Path
    #: "audio/ogg" or "audio/wav".
    media_type: str
    #: Milliseconds, silence at the ends included.
    duration_ms: int
    source: Literal["recorded", "rendered"]
