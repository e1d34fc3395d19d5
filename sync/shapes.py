"""Let msgspec learn the types of what is read before more than one thread reads.

msgspec (0.22.0 and before) learns a struct when it is first decoded, and shows other threads what
it has learnt so far (`StructInfo_Convert` in its `_core.c`: the fields' types are still null). A
second thread that decodes the same struct at that moment ends the process by SIGSEGV: one start in
two hundred of a kiosk that read its catalogue in two threads.
"""

import contextlib
import threading
from collections.abc import Iterator

import msgspec

#: Whoever asks second must wait for the first, and not go on with what is half learnt.
_LEARNING = threading.Lock()


def learn() -> None:
    """Let msgspec learn every struct that is defined by now; called before a thread is started.

    About 25 µs for each struct at first, and less than 1 ms for all of them again.
    """
    with _LEARNING:
        for kind in _kinds(msgspec.Struct):
            # One that msgspec cannot decode at all is never decoded.
            with contextlib.suppress(TypeError, NameError, ValueError):
                msgspec.msgpack.Decoder(kind)


def _kinds(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    # A metaclass may ask for an argument; `type` itself never does.
    for kind in type.__subclasses__(base):
        yield kind
        yield from _kinds(kind)
