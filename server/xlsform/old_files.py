"""Read an .xls from standard input in a process of its own, bounded in memory and time.

xlrd trusts the offsets and sizes of a damaged file: random bytes made it take 20 GB. What breaks
here ends this process alone; `workbook.py` starts it.
"""

import importlib
import io
import resource
import sys
from typing import Any

import msgspec

from server.xlsform.limits import OLD_FILE_CPU_S, OLD_FILE_MEMORY_BYTES, OLD_FILE_READ_BYTES_MAX

OldCell = tuple[int, int, int, str | float]
"""Row and column from 0, xlrd's kind of cell, value."""
OldSheet = tuple[str, list[OldCell]]


def read(raw: bytes) -> bytes:
    """Answer the filled cells of each sheet as JSON of `list[OldSheet]`."""
    xlrd: Any = importlib.import_module("xlrd")
    book = xlrd.open_workbook(file_contents=raw, logfile=io.StringIO(), ragged_rows=True)
    sheets: list[OldSheet] = [(sheet.name, _cells(sheet)) for sheet in book.sheets()]
    return msgspec.json.encode(sheets)


def _cells(sheet: Any) -> list[OldCell]:
    return [
        (row, column, cell.ctype, cell.value)
        for row in range(sheet.nrows)
        for column, cell in enumerate(sheet.row(row))
        if cell.ctype in (1, 2, 3, 4) and cell.value != ""
    ]


def main() -> None:
    """Read from standard input within the limits and write to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (OLD_FILE_MEMORY_BYTES, OLD_FILE_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (OLD_FILE_CPU_S, OLD_FILE_CPU_S))
    sys.stdout.buffer.write(read(sys.stdin.buffer.read())[:OLD_FILE_READ_BYTES_MAX])


if __name__ == "__main__":
    main()
