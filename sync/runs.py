"""Many alike said once: runs of consecutive envelopes, runs of equal verdicts."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from sync import limits
from sync.octets import Reader, WireError, counted, uvarint
from sync.records import Envelope, Header
from sync.sealing import SEALED_BYTES_MIN
from sync.wire import HASH_BYTES, NUMBER_MAX, SUITE, bytes_hash, envelope_bytes, read_seq

Verdict = Literal["stored", "duplicate", "refused", "quarantined"]
VERDICTS: tuple[Verdict, ...] = ("stored", "duplicate", "refused", "quarantined")
OWN_RUN = 0  # other kinds of run are reserved


def _runs(envelopes: Sequence[Envelope]) -> list[list[Envelope]]:
    runs: list[list[Envelope]] = []
    previous: Header | None = None
    previous_hash = b""
    for envelope in envelopes:
        header = envelope.header
        follows = previous is not None and header == msgspec.structs.replace(
            previous, seq=previous.seq + 1, prev=previous_hash
        )
        if follows:
            runs[-1].append(envelope)
        else:
            runs.append([envelope])
        previous, previous_hash = header, bytes_hash(envelope_bytes(envelope))
    return runs


def _encode_run(run: Sequence[Envelope]) -> bytes:
    first = run[0].header
    common = (
        bytes([OWN_RUN, first.suite]),
        uvarint(first.seq),
        first.prev,
        uvarint(first.key_id),
        uvarint(first.catalogue),
        uvarint(len(run)),
    )
    return b"".join((*common, *(counted(envelope.sealed) for envelope in run)))


def _read_run(reader: Reader, kiosk_id: bytes, room: int) -> list[Envelope]:
    reader.expect(bytes([OWN_RUN, SUITE]), "a run of this format")
    seq, prev = read_seq(reader), reader.take(HASH_BYTES)
    key_id, catalogue = reader.uvarint(NUMBER_MAX), reader.uvarint(NUMBER_MAX)
    count = reader.uvarint(room)
    if not count or seq + count - 1 > limits.SEQ_MAX:
        raise WireError("a run has envelopes, numbered within their bound")
    run: list[Envelope] = []
    for number in range(seq, seq + count):
        sealed = reader.counted(limits.ENVELOPE_BYTES_MAX)
        if len(sealed) < SEALED_BYTES_MIN:
            raise WireError("the sealed part is too short")
        header = Header(
            kiosk_id=kiosk_id, seq=number, prev=prev, key_id=key_id, catalogue=catalogue
        )
        run.append(Envelope(header=header, sealed=sealed))
        raw = envelope_bytes(run[-1])
        if len(raw) > limits.ENVELOPE_BYTES_MAX:
            raise WireError("an envelope is too long")
        prev = bytes_hash(raw)
    return run


def encode_envelopes(envelopes: Sequence[Envelope], kiosk_id: bytes) -> bytes:
    """Write envelopes as runs; `prev` and `seq` inside a run are left to the reader.

    Raises:
        ValueError: There are too many, or one is another kiosk's.
    """
    if len(envelopes) > limits.FRAME_ENVELOPES_MAX:
        raise ValueError("too many envelopes for one frame")
    if any(envelope.header.kiosk_id != kiosk_id for envelope in envelopes):
        raise ValueError("a request carries its own kiosk's envelopes only")
    runs = _runs(envelopes)
    return uvarint(len(runs)) + b"".join(_encode_run(run) for run in runs)


def read_envelopes(reader: Reader, kiosk_id: bytes) -> tuple[Envelope, ...]:
    """Read what `encode_envelopes` wrote.

    Raises:
        WireError: These are not runs of envelopes.
    """
    envelopes: list[Envelope] = []
    for _ in range(reader.uvarint(limits.FRAME_ENVELOPES_MAX)):
        room = limits.FRAME_ENVELOPES_MAX - len(envelopes)
        envelopes += _read_run(reader, kiosk_id, room)
    return tuple(envelopes)


def encode_verdicts(verdicts: Sequence[Verdict]) -> bytes:
    """Write verdicts as runs: count of runs, then each run's length and kind in one number."""
    runs: list[list[int]] = []
    for verdict in verdicts:
        code = VERDICTS.index(verdict)
        if runs and runs[-1][0] == code:
            runs[-1][1] += 1
        else:
            runs.append([code, 1])
    return uvarint(len(runs)) + b"".join(uvarint(count << 3 | code) for code, count in runs)


def read_verdicts(reader: Reader) -> tuple[Verdict, ...]:
    """Read what `encode_verdicts` wrote.

    Raises:
        WireError: A kind is unknown, runs are not joined, or there are too many.
    """
    verdicts: list[Verdict] = []
    last_code = -1
    for _ in range(reader.uvarint(limits.FRAME_ENVELOPES_MAX)):
        count, code = divmod(reader.uvarint(limits.FRAME_ENVELOPES_MAX << 3 | 7), 8)
        if code >= len(VERDICTS) or code == last_code or not count:
            raise WireError("verdicts are not written as runs of known kinds")
        if len(verdicts) + count > limits.FRAME_ENVELOPES_MAX:
            raise WireError("too many verdicts")
        verdicts += [VERDICTS[code]] * count
        last_code = code
    return tuple(verdicts)
