"""How names are put in by finger: the pinyin table that the page searches."""

from pathlib import Path


def pinyin_path() -> Path:
    """Answer where the pinyin table lies; it is served as it is, and changes with a release.

    The file is JSON: ``{"surname": {"wang": "王汪…"}, "given": {"wang": "旺王…"},
    "common": "的…"}``, syllables without tone (ü is ``v``), the likeliest character for a name
    first; `common` ranks the characters of plain text.
    """
    return Path(__file__).parent / "pinyin.json"
