"""Stand-ins for devices that nobody has at hand: a receipt printer, a card reader, a scanner.

They speak the same bytes as the real ones, on loopback, so that everything up to the wire is
tried: `bianmin kiosk simulate printer --port 9100`, then `printer = "tcp:127.0.0.1:9100"`.
What goes wrong with real ones can be told to them: paper low and out, the cover, silence.
"""

import socketserver
import threading
from types import TracebackType
from typing import Self

from kiosk.devices.card_reader import (
    DONE,
    FIND,
    FOUND,
    HEADER,
    READ,
    SELECT,
    STATUS,
    framed,
    unframed,
)

_DLE = 0x10


class Paper:
    """A printer's inside: reads ESC/POS, keeps the rows it printed, and answers for itself.

    Attributes:
        state: "ok", "low", "out", "open" or "fault"; may be changed from any thread.
        rows_left: Rows until the paper is out; None = a whole roll.
        slips: Rows of dots of each slip that was cut off, 1 bit a dot.
        codes: Texts of squares that the printer drew itself.
    """

    def __init__(self) -> None:
        self.state = "ok"
        self.rows_left: int | None = None
        self.slips: list[list[bytes]] = []
        self.codes: list[bytes] = []
        self.rows: list[bytes] = []
        self._waiting = b""
        self._code = b""

    def take(self, raw: bytes) -> bytes:
        """Take what came and answer what the printer says to it."""
        answers = bytearray()
        self._waiting += raw
        while (used := self._asked(answers) or self._done(answers)) > 0:
            self._waiting = self._waiting[used:]
        return bytes(answers)

    def _asked(self, answers: bytearray) -> int:
        """Answer questions of the present, which overtake what waits for paper; bytes used."""
        for n in (1, 2, 3, 4):
            place = self._waiting.find(bytes((_DLE, 4, n)))
            # Dots may look like one, so that a well printer takes them in their turn.
            if place == 0 or (place > 0 and self._is_stopped):
                answers.append(self._status(n))
                self._waiting = self._waiting[:place] + self._waiting[place + 3 :]
                return self._asked(answers)
        return 0

    @property
    def _is_stopped(self) -> bool:
        return self.state in ("out", "open", "fault")

    def _done(self, answers: bytearray) -> int:  # noqa: PLR0911 -- one return a command
        """Answer how many bytes the next command was; 0 = it is not whole, or has to wait."""
        raw = self._waiting
        if self._is_stopped or len(raw) < 2:
            return 0
        match raw[0], raw[1]:
            case 0x1D, 0x76:  # GS v 0: a picture
                return self._raster(raw) if len(raw) >= 8 else 0
            case 0x1D, 0x28:  # GS ( k: a square
                return self._square(raw) if len(raw) >= 5 else 0
            case 0x1D, 0x72 if len(raw) >= 3:  # GS r: answered in its turn
                answers.append(0x03 if self.state == "low" else 0)
                return 3
            case 0x1D, 0x56 if len(raw) >= 3:  # GS V: the cutter
                self.slips.append(self.rows)
                self.rows = []
                return 3
            case 0x1B, 0x40:  # ESC @
                return 2
            case 0x1B, _:
                return 3 if len(raw) >= 3 else 0
            case ((0x1D | 0x10), _):
                return 0
            case _:
                return 1

    def _status(self, n: int) -> int:
        bits = {
            ("open", 1): 0x08,
            ("open", 2): 0x04,
            ("out", 1): 0x08,
            ("out", 2): 0x20,
            ("out", 4): 0x6C,
            ("low", 4): 0x0C,
            ("fault", 1): 0x08,
            ("fault", 2): 0x40,
            ("fault", 3): 0x20,
        }
        return 0x12 | bits.get((self.state, n), 0)

    def _raster(self, raw: bytes) -> int:
        width = raw[4] | raw[5] << 8
        height = raw[6] | raw[7] << 8
        if len(raw) < 8 + width * height:
            return 0
        for row in range(height):
            if self.rows_left is not None:
                if self.rows_left == 0:
                    self.state = "out"
                    # What stands before the sensor is lost with the paper.
                    return 8 + width * height
                self.rows_left -= 1
            self.rows.append(raw[8 + row * width : 8 + (row + 1) * width])
        return 8 + width * height

    def _square(self, raw: bytes) -> int:
        size = 5 + (raw[3] | raw[4] << 8)
        if len(raw) < size:
            return 0
        if raw[5:7] == b"1P":
            self._code = raw[8:size]
        elif raw[5:7] == b"1Q":
            self.codes.append(self._code)
        return size


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class _Simulated:
    """A device on loopback; a context manager."""

    def __init__(self, port: int, talk: type[socketserver.BaseRequestHandler]) -> None:
        self._server = _Server(("127.0.0.1", port), talk)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def address(self) -> str:
        """Answer how a setting names it."""
        return f"tcp:127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Be gone, like a device whose plug was pulled."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class SimulatedPrinter(_Simulated):
    """A network printer on loopback; a context manager.

    Args:
        port: 0 takes a free one.
        is_silent: It never answers, like a printer on a one-way line.
    """

    def __init__(self, port: int = 0, *, is_silent: bool = False) -> None:
        self.paper = Paper()
        paper = self.paper

        class Talk(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                while raw := self.request.recv(65536):
                    answer = paper.take(raw)
                    if answer and not is_silent:
                        self.request.sendall(answer)

        super().__init__(port, Talk)


class SimulatedCardReader(_Simulated):
    """A reader of ID cards on loopback; a context manager.

    Attributes:
        record: The 256 bytes of the card that lies on it; None = none lies there.
        taken_away_at: "select" or "read": the card goes away just before that; "" = it stays.
    """

    def __init__(self, port: int = 0) -> None:
        self.record: bytes | None = None
        self.taken_away_at = ""
        reader = self

        class Talk(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                waiting = b""
                while raw := self.request.recv(4096):
                    waiting += raw
                    while (body := unframed(waiting)) is not None:
                        waiting = waiting[waiting.index(HEADER) + 7 + len(body) + 1 :]
                        self.request.sendall(framed(reader.answer(body)))

        super().__init__(port, Talk)

    def answer(self, command: bytes) -> bytes:
        """Answer what the module says to a command."""
        named = {SELECT: "select", READ: "read"}.get(command, "")
        if named and named == self.taken_away_at:
            self.record = None
        if command == STATUS:
            return DONE
        if self.record is None:
            return b"\x00\x00\x80" if command == FIND else b"\x00\x00\x41"
        if command == FIND:
            return FOUND
        # A picture of 1,024 bytes, which nobody looks at, comes behind the text.
        sizes = b"\x01\x00\x04\x00"
        return DONE + sizes + self.record + bytes(1024) if command == READ else DONE
