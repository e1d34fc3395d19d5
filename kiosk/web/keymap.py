"""What the keys of a cheap keypad do; one table for every screen."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

Does = Literal["next", "previous", "up", "down", "ok", "back", "help", "again", "comfort"]
DOES: Final[tuple[str, ...]] = get_args(Does)

#: `KeyboardEvent.code` or `.key` → what it does. A number pad sends arrows, Clear (5), Home,
#: End and Insert while its NumLock is off; with NumLock on its digits go into the screen's pads.
KEYS: Final[Mapping[str, str]] = {
    "ArrowRight": "next",
    "ArrowLeft": "previous",
    "ArrowDown": "down",
    "ArrowUp": "up",
    "Enter": "ok",
    " ": "ok",
    "Clear": "ok",
    "Escape": "back",
    "Backspace": "back",
    "BrowserBack": "back",
    "GoBack": "back",
    "F1": "help",
    "?": "help",
    "/": "help",
    "Help": "help",
    "F2": "again",
    "*": "again",
    "Insert": "again",
    "F3": "comfort",
    "+": "comfort",
}


def key_map(changes: Iterable[str] = ()) -> dict[str, str]:
    """Answer the table with an installer's changes: "KeyA=ok"; "F1=" takes a key out.

    >>> key_map(["KeyA=ok", "F1="])["KeyA"], "F1" in key_map(["F1="])
    ('ok', False)
    """
    keys = dict(KEYS)
    for change in changes:
        key, _, does = change.rpartition("=")
        if does:
            keys[key] = does
        else:
            keys.pop(key, None)
    return keys


def is_key_change(change: str) -> bool:
    """Answer whether an installer's change can be used."""
    key, _, does = change.rpartition("=")
    return bool(key) and (not does or does in DOES)
