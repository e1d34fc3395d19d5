"""What the demo says, in Chinese and English, from `texts.toml`."""

import tomllib
from functools import cache
from importlib import resources

import msgspec


class Words(msgspec.Struct, frozen=True):
    """One sentence in both languages."""

    zh: str
    en: str


@cache
def _all() -> dict[str, Words]:
    text = resources.files("bianmin").joinpath("texts.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), type=dict[str, Words])


def words(name: str, **filled: object) -> Words:
    """Answer a sentence, its {names} filled in.

    Raises:
        KeyError: There is no such sentence, or a name was not given.
    """
    found = _all()[name]
    return Words(found.zh.format(**filled), found.en.format(**filled))
