"""The choice among more than two languages, as a sample screen."""

from kiosk.screens import Screen
from tests.browser.sample_parts import base, pick, tiles


def language_screens(lang: str) -> dict[str, Screen]:
    """Three to choose from; the frame has no switch here."""
    other = pick(lang, "English", "中文")
    offered = [(name, name, "speech") for name in (other, "铜仁话", "苗语")]
    return {
        "languages": base(
            lang,
            "languages",
            "您要说哪种话？",
            "Which language?",
            tiles=tiles(lang, "language", *offered),
            languages=(),
            can_home=False,
        )
    }
