"""Texts of a form in the languages that every kiosk speaks."""

import html
import re
from collections.abc import Callable, Mapping

from server.xlsform.findings import Cell, Findings
from server.xlsform.limits import LABEL_CHARS_USUAL
from server.xlsform.tables import Text, guessed_language

LANGUAGES = ("zh-CN", "en")
"""What a catalogue of ours offers; a text without one of them shows another's words there."""

_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_MARK = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)


def plain_words(text: str) -> str:
    """Answer a text without the marks and tags that ODK's clients draw.

    >>> plain_words("**Your** <b>name</b> &amp; age")
    'Your name & age'
    """
    bare = _HEADING.sub("", _TAG.sub("", text))
    return html.unescape(_MARK.sub(r"\2", bare)).strip()


class Wording:
    """Makes our texts from the cells of one text, and notes which languages are missing."""

    def __init__(self, default_language: str, findings: Findings) -> None:
        self._default = default_language
        self._findings = findings
        self._missing: dict[str, tuple[Cell, int]] = {}

    def text(
        self, cells: Text, rewritten: Callable[[Cell], str] = lambda cell: cell.text
    ) -> dict[str, str]:
        """Answer the text in our languages and its own further ones; {} where there is none.

        Args:
            cells: By language tag, "" for a column without one.
            rewritten: Replaces the names in a cell's text.
        """
        spoken: dict[str, str] = {}
        for written, cell in cells.items():
            words = plain_words(rewritten(cell))
            language = written or self._default or guessed_language(words)
            if language in spoken:
                self._findings.warning(cell, "language_twice", language=language)
            elif words:
                spoken[language] = words
            if len(words) > LABEL_CHARS_USUAL:
                self._findings.warning(cell, "text_long", chars=len(words), most=LABEL_CHARS_USUAL)
        if not spoken:
            return {}
        order = (*LANGUAGES, self._default, *spoken)
        fallback = next(spoken[language] for language in order if language in spoken)
        for language in LANGUAGES:
            if language not in spoken:
                self._miss(language, next(iter(cells.values())))
        return {**dict.fromkeys(LANGUAGES, fallback), **spoken}

    def same(self, words: str) -> dict[str, str]:
        """Answer words that are the same in every language."""
        return dict.fromkeys(LANGUAGES, words)

    def tell_missing(self) -> None:
        """Warn once a language, at the first cell that has no words in it."""
        for language, (cell, count) in self._missing.items():
            self._findings.warning(cell, "language_missing", language=language, count=count)

    def _miss(self, language: str, cell: Cell) -> None:
        first, count = self._missing.get(language, (cell, 0))
        self._missing[language] = (first, count + 1)


def joined(texts: Mapping[str, str], more: Mapping[str, str], mark: str = " ") -> dict[str, str]:
    """Answer two texts one after the other, language by language."""
    if not texts or not more:
        return dict(texts or more)
    return {language: f"{words}{mark}{more.get(language, '')}" for language, words in texts.items()}
