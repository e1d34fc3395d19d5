"""What the page plays for a screen: made by `kiosk.speech`, carried by the page."""

import msgspec


class Clip(msgspec.Struct, frozen=True):
    """One piece of sound."""

    #: Path at the kiosk: ``/voice/…``.
    url: str
    #: Silence after it, in ms.
    pause_ms: int = 0
    #: Id of the element that is outlined while it plays, or "".
    highlight: str = ""


class Playlist(msgspec.Struct, frozen=True):
    """All that a screen may say."""

    #: Said when the screen appears, and again on "hear again".
    say: tuple[Clip, ...] = ()
    #: Said after 20 s, and after 45 s, without a touch.
    silence: tuple[tuple[Clip, ...], ...] = ()
    #: Seconds left of a screen that counts down, and what is said then.
    countdown: tuple[tuple[int, tuple[Clip, ...]], ...] = ()
    #: Said where large letters show one view after the other, before the last.
    more: tuple[Clip, ...] = ()
    #: Paths of clips that the next screen will probably say.
    preload: tuple[str, ...] = ()
