"""Tables of readings; `words.toml` and `phrases.toml` are edited by hand."""

import tomllib
from functools import cache
from importlib import resources

from voice_prompts.errors import WordingBroken


@cache
def table(file: str, section: str) -> dict[str, str]:
    """Read one section of a table of readings.

    Args:
        file: "words.toml" or "phrases.toml".
        section: The section's name.

    Raises:
        WordingBroken: The file or a line of it breaks its rules.
    """
    text = (resources.files(__name__) / file).read_text("utf-8")
    try:
        rows = tomllib.loads(text).get(section, {})
    except tomllib.TOMLDecodeError as error:
        raise WordingBroken(f"pronunciation/{file}: {error}") from error
    for name, reading in rows.items():
        if not isinstance(reading, str):
            raise WordingBroken(f"pronunciation/{file}: {section}.{name} must be a text in quotes")
    return dict(rows)
