"""`python -m tests.bench.senders PORT FILE`: send signed requests over as many connections.

A process of its own, so that the centre's is measured alone. Each connection sends its list in
turn, the next request when the answer to the one before is there, with the header bytes that
`sync.transports.http` sends. Prints "ready", waits for a line, and prints what it took as JSON.
"""

import socket
import sys
import threading
import time
from pathlib import Path

import msgspec

from sync.transports import EXCHANGE_PATH


class Sent(msgspec.Struct, frozen=True):
    """What one run of a sending process took."""

    seconds: float
    answers: int
    #: Whatever was not 200.
    errors: int
    #: Seconds from the first byte out to the last byte in, rising.
    waits: tuple[float, ...]


def main() -> None:
    """Send, and tell."""
    port, path = int(sys.argv[1]), Path(sys.argv[2])
    queues = msgspec.msgpack.decode(path.read_bytes(), type=list[list[bytes]])
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in queues]
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = f"POST {EXCHANGE_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: "
    waits: list[float] = []
    errors: list[int] = []

    def one(connection: socket.socket, queue: list[bytes]) -> None:
        for raw in queue:
            begun_s = time.perf_counter()
            connection.sendall(f"{head}{len(raw)}\r\n\r\n".encode() + raw)
            status = _answer(connection)
            waits.append(time.perf_counter() - begun_s)
            if status != 200:
                errors.append(status)

    print("ready", flush=True)
    sys.stdin.readline()
    begun_s = time.perf_counter()
    threads = [
        threading.Thread(target=one, args=pair) for pair in zip(connections, queues, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - begun_s
    sent = Sent(took_s, len(waits) - len(errors), len(errors), tuple(sorted(waits)))
    print(msgspec.json.encode(sent).decode(), flush=True)


def _answer(connection: socket.socket) -> int:
    raw = b""
    while (end := raw.find(b"\r\n\r\n")) < 0:
        raw += _more(connection)
    lines = raw[:end].decode("ascii").split("\r\n")
    size = next(
        int(line.split(":", 1)[1]) for line in lines if line.lower().startswith("content-length:")
    )
    left = size - (len(raw) - end - 4)
    while left > 0:
        left -= len(_more(connection))
    return int(lines[0].split(" ", 2)[1])


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(65_536)
    if not piece:
        raise ConnectionError("the centre hung up")
    return piece


if __name__ == "__main__":
    main()
