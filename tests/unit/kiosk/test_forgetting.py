"""What a visit left in rings of objects is freed within seconds, not at some later time."""

import gc
import weakref

from kiosk.forgetting import PASSES, Forgetting


class Answer:
    """Something of a visit that holds itself, as an exception and its frame do."""

    def __init__(self) -> None:
        self.me = self


def test_ring_of_an_ended_visit_is_freed_at_the_next_look() -> None:
    gc.disable()
    try:
        forgetting = Forgetting()
        forgetting.seen("first")
        left = weakref.ref(Answer())
        assert left() is not None

        forgetting.seen("second")
    finally:
        gc.enable()

    assert left() is None


def test_some_passes_a_visit_and_then_rest() -> None:
    passes: list[int] = []
    forgetting = Forgetting(lambda: passes.append(1))
    for _ in range(10):
        forgetting.seen("first")
    assert len(passes) == PASSES

    for _ in range(10):
        forgetting.seen("second")

    assert len(passes) == 2 * PASSES
