"""Sizes, names and calls that the style sheet asks for and no linter of ours checks."""

import tomllib
from pathlib import Path

from tests.style.source import (
    ROOT,
    calls,
    functions,
    imported_names,
    line_count,
    product_files,
    swallowing_handlers,
)

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
VAGUE_NAMES = {"common", "data", "handle", "helpers", "info", "manager", "misc", "process", "utils"}

#: Calls that bring in time, chance or waiting behind the back of `Clock` and `Entropy`.
BANNED_CALLS = {
    "asyncio.sleep",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.monotonic",
    "time.monotonic_ns",
    "time.sleep",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
}
BANNED_MODULES = {"random", "secrets"}
#: The adapters themselves, and the demo, which is no part of a kiosk or a centre.
CLOCKED_ELSEWHERE = {
    Path("sync/clock.py"),
    *(p for p in product_files() if p.parts[0] == "bianmin"),
}

#: The only files that may touch a cipher, a signature or a key derivation.
CIPHER_FILES = {"sync/sealing.py", "sync/signing.py", "sync/enrolment.py"}


def exceptions() -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / "tests/style/exceptions.toml").read_text("utf-8"))


def test_files_fit_their_size_or_say_why() -> None:
    long = {str(p) for p in product_files() if line_count(p) > FILE_LINES_MAX}

    assert long == exceptions()["files"].keys()


def test_functions_fit_a_screen_or_say_why() -> None:
    long = {
        f"{path}::{name}"
        for path in product_files()
        for name, lines in functions(path)
        if lines > FUNCTION_LINES_MAX
    }

    assert long == exceptions()["functions"].keys()


def test_modules_have_names_that_say_something() -> None:
    vague = [str(p) for p in product_files() if VAGUE_NAMES & {p.stem, *p.parts[:-1]}]

    assert vague == []


def test_time_and_chance_come_only_through_clock_and_entropy() -> None:
    found = {
        str(path)
        for path in product_files()
        if path not in CLOCKED_ELSEWHERE
        for _, name in calls(path)
        if name in BANNED_CALLS or name.partition(".")[0] in BANNED_MODULES
    }

    assert found == exceptions()["clocks"].keys()


def test_the_call_scanner_sees_through_aliases() -> None:
    # A search that finds nothing proves nothing unless it can find something.
    found = {name for _, name in calls(Path("sync/clock.py"))}

    assert {"time.time_ns", "asyncio.sleep", "secrets.token_bytes"} <= found


def test_ciphers_live_in_their_files() -> None:
    strangers = {
        str(path)
        for path in product_files()
        for origin in imported_names(path).values()
        if origin.startswith("cryptography.")
    }

    assert strangers <= CIPHER_FILES


def test_transactions_begin_immediately() -> None:
    # `db.atomic()` begins deferred: read-then-write then fails at once with "database is locked".
    found = [
        f"{path}:{line}"
        for path in product_files()
        if str(path) != "sync/database.py"
        for line, name in calls(path)
        if name.endswith(".atomic")
    ]

    assert found == []


def test_broad_excepts_stand_only_where_a_loop_must_survive() -> None:
    broad = {str(path) for path in product_files() if any(swallowing_handlers(path))}

    assert broad == exceptions()["broad_excepts"].keys()
