"""After a visit: what nothing needs any more is freed now, and not at some later time.

Python frees most things at once, but a ring of objects (an exception and its frame, a task and
its waiter) only when its collector comes by; on a kiosk that nobody touches that is never. Freed
memory is written over by `bianmin.forgetful`.
"""

import gc
from collections.abc import Callable

#: Passes after a visit: the answer to its last request may still be on its way at the first one.
PASSES = 3


class Forgetting:
    """Collects what a visit has left; asked about once a second.

    Args:
        collect: Frees what nothing needs; Python's own.
    """

    def __init__(self, collect: Callable[[], object] = gc.collect) -> None:
        self._collect = collect
        self._visit = ""
        self._left = 0

    def seen(self, visit: str) -> None:
        """Note whose visit it is: after a change, collect now and the next times."""
        if visit != self._visit:
            self._visit, self._left = visit, PASSES
        if self._left:
            self._left -= 1
            self._collect()


def settle() -> None:
    """Take what a start has made out of the collector's way: a pass then takes a few ms."""
    gc.collect()
    gc.freeze()
