"""The library that reads handwriting (zinnia, LGPL), through its C interface.

Only `kiosk.entry.worker` opens it: its model takes 27 MB, and C++ that reads what a stranger
drew has no business in the process that holds their answers.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path

from kiosk.entry.ink import FIELD, Stroke
from kiosk.errors import ReadingUnavailable

#: Where Debian puts library and model; patterns, because the folder names the board's kind.
LIBRARIES = (("/usr/lib", "*/libzinnia.so.0"), ("/usr/local/lib", "libzinnia.so.0"))
MODEL = Path("/usr/share/tegaki/models/zinnia/handwriting-zh_CN.model")


def library_path() -> Path | None:
    """Answer where the library lies; None when the package is not installed."""
    found = (path for root, pattern in LIBRARIES for path in sorted(Path(root).glob(pattern)))
    return next(found, None)


def is_installed() -> bool:
    """Answer whether library and model are there; nothing is loaded."""
    return library_path() is not None and MODEL.is_file()


class Recogniser:
    """One open model.

    Args:
        library: The shared library.
        model: File of a zinnia model.

    Raises:
        ReadingUnavailable: The library or the model cannot be opened.
    """

    def __init__(self, library: Path, model: Path = MODEL) -> None:
        try:
            self._c = _declared(ctypes.CDLL(str(library)))
        except (OSError, AttributeError) as error:
            raise ReadingUnavailable("the handwriting library cannot be loaded") from error
        self._model = self._c.zinnia_recognizer_new()
        if not self._c.zinnia_recognizer_open(self._model, str(model).encode()):
            raise ReadingUnavailable("the handwriting model cannot be opened")

    def read(self, strokes: Sequence[Stroke], count: int) -> list[tuple[str, float]]:
        """Answer the likeliest characters, best first, each with its score.

        Scores compare only within one answer: higher is likelier, 0 is the model's border.
        """
        c, drawn = self._c, self._c.zinnia_character_new()
        try:
            c.zinnia_character_set_width(drawn, FIELD)
            c.zinnia_character_set_height(drawn, FIELD)
            for index, stroke in enumerate(strokes):
                for x, y in stroke:
                    c.zinnia_character_add(drawn, index, x, y)
            result = c.zinnia_recognizer_classify(self._model, drawn, count)
        finally:
            c.zinnia_character_destroy(drawn)
        if not result:
            return []
        try:
            return [
                (
                    c.zinnia_result_value(result, place).decode(),
                    c.zinnia_result_score(result, place),
                )
                for place in range(c.zinnia_result_size(result))
            ]
        finally:
            c.zinnia_result_destroy(result)


def _declared(c: ctypes.CDLL) -> ctypes.CDLL:
    """Tell ctypes the functions that are used, as zinnia.h 0.06 declares them."""
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    for name, answer, *arguments in (
        ("zinnia_recognizer_new", pointer),
        ("zinnia_recognizer_open", ctypes.c_int, pointer, ctypes.c_char_p),
        ("zinnia_recognizer_classify", pointer, pointer, pointer, size),
        ("zinnia_character_new", pointer),
        ("zinnia_character_destroy", None, pointer),
        ("zinnia_character_set_width", None, pointer, size),
        ("zinnia_character_set_height", None, pointer, size),
        ("zinnia_character_add", ctypes.c_int, pointer, size, ctypes.c_int, ctypes.c_int),
        ("zinnia_result_value", ctypes.c_char_p, pointer, size),
        ("zinnia_result_score", ctypes.c_float, pointer, size),
        ("zinnia_result_size", size, pointer),
        ("zinnia_result_destroy", None, pointer),
    ):
        function = getattr(c, name)
        function.restype, function.argtypes = answer, list(arguments)
    return c
