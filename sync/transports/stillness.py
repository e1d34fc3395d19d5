"""Whether a connection still moves, and how much it holds, as the kernel's TCP sees it."""

import socket
import struct

import msgspec

from sync.limits import ANSWER_OVERDUE_S, OVERDUE_S, UPLOAD_QUEUE_S

_INFO_BYTES = 192  # of struct tcp_info in linux/tcp.h; later fields are not asked for
_ESTABLISHED = 1


class Stillness(msgspec.Struct, frozen=True):
    """How long nothing came from the far end, and what is outstanding."""

    #: Since the last acknowledgement or byte, seconds.
    silent_s: float
    #: Smoothed by TCP, queues on the way included; seconds.
    round_trip_s: float
    #: The shortest that TCP saw lately: queues are empty then; seconds.
    round_trip_min_s: float
    #: Whether bytes wait to be sent or to be acknowledged.
    has_unacknowledged: bool
    #: Since the connection began.
    acknowledged_bytes: int = 0
    #: As measured lately; 0 before the first acknowledgement.
    bytes_s: int = 0
    #: The largest packet's content.
    packet_bytes: int = 0


def stillness_of(connection: socket.socket) -> Stillness | None:
    """Answer how still a TCP connection is; None when it is not open or the system cannot tell."""
    if not hasattr(socket, "TCP_INFO") or connection.fileno() < 0:
        return None
    try:
        raw = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return None
    if len(raw) < 168 or raw[0] != _ESTABLISHED:
        return None
    (unacked,) = struct.unpack_from("=I", raw, 24)
    received_ms, acknowledged_ms = struct.unpack_from("=2I", raw, 52)
    (round_trip_us,) = struct.unpack_from("=I", raw, 68)
    unsent, round_trip_min_us = struct.unpack_from("=2I", raw, 144)
    return Stillness(
        silent_s=min(received_ms, acknowledged_ms) / 1000,
        round_trip_s=round_trip_us / 1e6,
        round_trip_min_s=min(round_trip_us, round_trip_min_us) / 1e6,
        has_unacknowledged=bool(unacked or unsent),
        acknowledged_bytes=struct.unpack_from("=Q", raw, 120)[0],
        bytes_s=struct.unpack_from("=Q", raw, 160)[0],
        packet_bytes=struct.unpack_from("=I", raw, 16)[0],
    )


def patience_s(stillness: Stillness, *, is_sent: bool, misses: int) -> float:
    """Answer how long a connection may be still before it is opened anew.

    TCP itself would wait ever longer: after a cut of 20 s its next try may come 11 s after the
    link is back. Bytes that nobody acknowledges show a dead link soon; an answer that does not
    come may be a busy centre, so that takes longer, and twice as long after each miss.

    Args:
        stillness: Of the connection.
        is_sent: All of the request was handed over: an answer is due.
        misses: How often the link was given up since an answer came in time.

    Returns:
        Seconds; infinite when nothing is due.

    >>> quiet = Stillness(5.0, round_trip_s=0.6, round_trip_min_s=0.6, has_unacknowledged=True)
    >>> patience_s(quiet, is_sent=True, misses=0)
    4.0
    >>> patience_s(quiet, is_sent=True, misses=2)
    16.0
    """
    if stillness.has_unacknowledged:
        return max(OVERDUE_S, 4 * stillness.round_trip_s) * 2.0**misses
    if is_sent:
        return (ANSWER_OVERDUE_S + 3 * stillness.round_trip_s) * 2.0**misses
    return float("inf")


def window_bytes(stillness: Stillness) -> int:
    """Answer how much of an attachment may be on its way at once.

    No more than fills the link: what waits in its queues would keep an application back, and is
    lost when the link breaks. Two packets at least, so that the window grows where there is room.

    >>> window_bytes(Stillness(0, 0.7, 0.6, True, bytes_s=4000, packet_bytes=1360))
    2800
    """
    filling = stillness.bytes_s * (stillness.round_trip_min_s + UPLOAD_QUEUE_S)
    return max(2 * stillness.packet_bytes, int(filling))
