"""Words of the centre's pages, from `texts/<language>.toml`."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from sync.forms import Text

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "zh-CN"

_FOLDER = Path(__file__).with_name("texts")


class Words:
    """The words of one language; call with a key to get the text, its slots filled."""

    def __init__(self, language: Language, texts: Mapping[str, str]) -> None:
        self.language: Language = language
        self._texts = texts

    def __call__(self, key: str, /, **slots: object) -> str:
        """Answer the text of `key`, e.g. ``words("span.days", count=2)``.

        Raises:
            KeyError: There is no such text, or a slot is missing: found by the tests.
        """
        text = self._texts[key]
        return text.format_map(slots) if slots else text

    def __contains__(self, key: str) -> bool:
        """Answer whether there is a text of that key."""
        return key in self._texts

    def __iter__(self) -> Iterator[str]:
        """Walk the keys."""
        return iter(self._texts)

    def of(self, text: Text) -> str:
        """Answer a catalogue's text in this language, else in Chinese, else ""."""
        return text.get(self.language) or text.get(DEFAULT) or ""


@cache
def words_of(language: Language) -> Words:
    """Load the words of one language, once."""
    raw = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
    return Words(language, dict(_flat(raw, "")))


def language_of(cookie: str | None) -> Language:
    """Answer the language that a cookie asks for; Chinese when it asks for none we have."""
    for language in LANGUAGES:
        if cookie == language:
            return language
    return DEFAULT


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
