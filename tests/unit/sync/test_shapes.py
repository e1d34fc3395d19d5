"""What msgspec knows before threads read: in processes of their own, since it learns only once."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SEGMENTATION_FAULT = -11

#: A thread is stopped in the midst of learning `Outer`; meanwhile the first one reads the same.
TWO_READERS = """
    import sys, threading
    import msgspec
    from sync import shapes

    learning, is_read = threading.Event(), threading.Event()

    def slow():
        if threading.current_thread() is not threading.main_thread():
            learning.set()
            is_read.wait(10)
        return int

    class Inner(msgspec.Struct):
        number: "slow()"

    class Outer(msgspec.Struct):
        inner: Inner

    def read():
        assert msgspec.json.decode(b'{"inner": {"number": 7}}', type=Outer).inner.number == 7

    if sys.argv[1] == "learnt":
        shapes.learn()
    other = threading.Thread(target=lambda: (read(), learning.set()))
    other.start()
    learning.wait(10)
    read()
    is_read.set()
    other.join()
    print("read twice")
"""

#: Prints our structs that are not learnt although a thread of the store has been started.
UNLEARNT = """
    import gc, sys
    from pathlib import Path
    import msgspec
    {imports}
    from sync.shapes import _kinds

    store = {store}
    kinds = [one for one in _kinds(msgspec.Struct) if one.__module__.split(".")[0] in {ours}]
    assert len(kinds) > 50
    for kind in kinds:
        if not any(type(one).__name__ == "StructInfo" for one in gc.get_referents(kind)):
            print(kind.__module__, kind.__name__)
    store.close()
"""


def said(script: str, *arguments: str) -> tuple[int, str]:
    """How a fresh interpreter ended, and what it printed."""
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return found.returncode, found.stdout + (found.stderr if found.returncode > 0 else "")


def test_second_reader_of_a_type_that_msgspec_is_learning_does_not_end_the_process() -> None:
    assert said(TWO_READERS, "learnt") == (0, "read twice\n")


def test_msgspec_itself_still_shows_what_is_half_learnt() -> None:
    """When this fails, msgspec has mended it: `sync/shapes.py` can go."""
    assert said(TWO_READERS, "unlearnt") == (SEGMENTATION_FAULT, "")


@pytest.mark.parametrize(
    ("imports", "store", "ours"),
    [
        (
            "from kiosk import main; from sync.database import open_database",
            "open_database(Path(sys.argv[1]) / 'kiosk.db')",
            ("kiosk", "sync"),
        ),
        (
            "from server import main, stick_serving; from server.store.sqlite import Store",
            "Store.open(Path(sys.argv[1]) / 'centre.db')",
            ("server", "sync"),
        ),
    ],
    ids=["kiosk", "centre"],
)
def test_every_type_is_learnt_once_a_store_has_threads(
    tmp_path: Path, imports: str, store: str, ours: tuple[str, ...]
) -> None:
    script = UNLEARNT.format(imports=imports, store=store, ours=ours)

    assert said(script, str(tmp_path)) == (0, "")
