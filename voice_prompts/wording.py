"""The interface's words: one source for the screen and the voice."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Self

import msgspec

from voice_prompts.errors import WordingBroken, WordingMissing

LANGUAGES: tuple[str, ...] = ("zh-CN", "en")

_SLOT = re.compile(r"\$?\{([a-z][a-z0-9_]*)\}")
_FIELDS = frozenset({"screen", "voice"})


class Words(msgspec.Struct, frozen=True):
    """One key's text for the screen and for the voice."""

    #: What the screen shows; may hold `{slot}` placeholders.
    screen: str
    #: What is spoken; `""` means that nothing is.
    voice: str


def slot_names(template: str) -> tuple[str, ...]:
    """Answer which slots a template asks for, in order, each once.

    >>> slot_names("受理号 {case_no}，最晚 ${due_date}")
    ('case_no', 'due_date')
    """
    return tuple(dict.fromkeys(_SLOT.findall(template)))


def parse_words(text: str, origin: str) -> dict[str, Words]:
    """Read the entries of a text file in TOML.

    A table with a `screen` string is an entry; its dotted path is the key.
    Tables may nest below an entry.

    Args:
        text: The file's content.
        origin: The file's name, for messages.

    Returns:
        Words by key, in the file's order.

    Raises:
        WordingBroken: Not TOML, or an entry has a wrong or unknown field.
    """
    try:
        root = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WordingBroken(f"{origin}: {error}; correct the line and try again") from error
    return dict(_entries(root, "", origin))


def _entries(table: Mapping[str, object], path: str, origin: str) -> Iterator[tuple[str, Words]]:
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    if plain:
        yield path, _words(plain, path, origin)
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _entries(value, f"{path}.{name}" if path else name, origin)


def _words(plain: Mapping[str, object], path: str, origin: str) -> Words:
    screen = plain.get("screen")
    if not path or not isinstance(screen, str):
        raise WordingBroken(f'{origin}: [{path}] needs screen = "…"')
    if unknown := sorted(set(plain) - _FIELDS):
        raise WordingBroken(f"{origin}: [{path}] knows screen and voice, not {unknown[0]}")
    voice = plain.get("voice", screen)
    if not isinstance(voice, str):
        raise WordingBroken(f"{origin}: [{path}] voice must be a text in quotes")
    return Words(screen=screen, voice=voice)


class Wording:
    """One language's interface words.

    Attributes:
        language: `"zh-CN"` or `"en"`.
    """

    def __init__(self, language: str, words: Mapping[str, Words]) -> None:
        self.language = language
        self._words = MappingProxyType(dict(words))

    @classmethod
    def load(cls, language: str) -> Self:
        """Read the words of a language from `texts/<language>.toml`.

        Raises:
            WordingMissing: `language` is not one of `LANGUAGES`.
            WordingBroken: The file breaks its rules.
        """
        if language not in LANGUAGES:
            raise WordingMissing(f"no texts for the language {language!r}; have {LANGUAGES}")
        file = resources.files("voice_prompts") / "texts" / f"{language}.toml"
        return cls(language, parse_words(file.read_text("utf-8"), f"texts/{language}.toml"))

    def screen(self, key: str, /, **slots: str) -> str:
        """Answer the screen's text with its `{slots}` filled.

        Slots that the text does not ask for are ignored, so that languages
        may differ in what they show.

        Raises:
            WordingMissing: The key is unknown, or a slot has no value.
        """
        template = self._of(key).screen

        def filled(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in slots:
                raise WordingMissing(f"{key} ({self.language}) needs a value for {{{name}}}")
            return slots[name]

        return _SLOT.sub(filled, template)

    def voice(self, key: str, /) -> str:
        """Answer what is spoken: a template that may hold `{slots}`; `""` = nothing.

        Raises:
            WordingMissing: The key is unknown.
        """
        return self._of(key).voice

    def keys(self) -> frozenset[str]:
        """Answer every key of this language."""
        return frozenset(self._words)

    def _of(self, key: str) -> Words:
        words = self._words.get(key)
        if words is None:
            raise WordingMissing(f"no words for {key} in texts/{self.language}.toml")
        return words
