"""Logs tell where and what kind, never the words of an error."""

import logging

import msgspec
import pytest

from sync.logs import JsonLines, loop_fault


def line_of(record: logging.LogRecord) -> dict[str, object]:
    line: dict[str, object] = msgspec.json.decode(JsonLines().format(record))
    return line


def test_error_is_written_without_its_words() -> None:
    with pytest.raises(ValueError, match="530121194602050013x") as caught:
        int("530121194602050013x")
    record = logging.LogRecord(
        "here", logging.ERROR, __file__, 1, "routing failed", (), (ValueError, caught.value, None)
    )

    line = line_of(record)

    assert line["error"] == "ValueError"
    assert "530121" not in msgspec.json.encode(line).decode()
    assert "test_logs.py" in str(line["trace"])


def test_extra_fields_are_written() -> None:
    record = logging.makeLogRecord({"msg": "request", "route": "/C/{digits}", "status": 200})

    line = line_of(record)

    assert (line["what"], line["route"], line["status"]) == ("request", "/C/{digits}", 200)


def test_fault_of_the_loop_withholds_words_and_arguments(caplog) -> None:  # type: ignore[no-untyped-def]
    loop_fault(None, {"message": "never retrieved", "exception": ValueError("王秀英")})  # type: ignore[arg-type]

    (record,) = caplog.records
    line = line_of(record)
    assert (line["error"], line["said"]) == ("ValueError", "never retrieved")
    assert "王秀英" not in msgspec.json.encode(line).decode()
