"""Many alike said once: runs of consecutive envelopes, runs of equal verdicts."""

from collections.abc import Iterator, Sequence
from typing import Literal

from sync import limits
from sync.octets import Reader, WireError, counted, uvarint
from sync.records import Envelope, Header
from sync.sealing import SEALED_BYTES_MIN
from sync.wire import HASH_BYTES, NUMBER_MAX, SUITE, around_seq, bytes_hash, read_seq

Verdict = Literal["stored", "duplicate", "refused", "quarantined"]
VERDICTS: tuple[Verdict, ...] = ("stored", "duplicate", "refused", "quarantined")
OWN_RUN = 0  # other kinds of run are reserved


class ReadEnvelopes(tuple[Envelope, ...]):  # noqa: SLOT001 -- a tuple takes no slots
    """Envelopes of a frame that remember the bytes and hashes which reading the chain made."""

    letters: list[tuple[bytes, bytes]]


def written(envelopes: Sequence[Envelope]) -> list[tuple[bytes, bytes]]:
    """Answer the bytes and the hash of each envelope, `wire.envelope_bytes` of many at once.

    Raises:
        ValueError: A field of a header is out of its range.
    """
    if isinstance(envelopes, ReadEnvelopes):
        return envelopes.letters
    found: list[tuple[bytes, bytes]] = []
    shared: tuple[bytes, int, int, int] | None = None
    before = after = b""
    for envelope in envelopes:
        header = envelope.header
        if shared != (shared := (header.kiosk_id, header.suite, header.key_id, header.catalogue)):
            before, after = around_seq(header)
        if not 0 < header.seq <= limits.SEQ_MAX or len(header.prev) != HASH_BYTES:
            raise ValueError("envelopes are numbered from 1, and prev has 8 bytes")
        raw = b"".join((before, uvarint(header.seq), header.prev, after, envelope.sealed))
        found.append((raw, bytes_hash(raw)))
    return found


def _runs(envelopes: Sequence[Envelope]) -> list[list[Envelope]]:
    runs: list[list[Envelope]] = []
    previous: Header | None = None
    previous_hash = b""
    for envelope, (_, hashed) in zip(envelopes, written(envelopes), strict=True):
        header = envelope.header
        follows = previous is not None and header == Header(
            kiosk_id=previous.kiosk_id,
            seq=previous.seq + 1,
            prev=previous_hash,
            key_id=previous.key_id,
            catalogue=previous.catalogue,
            suite=previous.suite,
        )
        if follows:
            runs[-1].append(envelope)
        else:
            runs.append([envelope])
        previous, previous_hash = header, hashed
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


def _read_run(
    reader: Reader, kiosk_id: bytes, room: int
) -> Iterator[tuple[Envelope, tuple[bytes, bytes]]]:
    reader.expect(bytes([OWN_RUN, SUITE]), "a run of this format")
    seq, prev = read_seq(reader), reader.take(HASH_BYTES)
    key_id, catalogue = reader.uvarint(NUMBER_MAX), reader.uvarint(NUMBER_MAX)
    count = reader.uvarint(room)
    if not count or seq + count - 1 > limits.SEQ_MAX:
        raise WireError("a run has envelopes, numbered within their bound")
    before, after = around_seq(Header(kiosk_id, seq, prev, key_id, catalogue))
    for number, sealed in enumerate(reader.counted_each(count, limits.ENVELOPE_BYTES_MAX), seq):
        if len(sealed) < SEALED_BYTES_MIN:
            raise WireError("the sealed part is too short")
        raw = b"".join((before, uvarint(number), prev, after, sealed))
        if len(raw) > limits.ENVELOPE_BYTES_MAX:
            raise WireError("an envelope is too long")
        hashed = bytes_hash(raw)
        yield Envelope(Header(kiosk_id, number, prev, key_id, catalogue), sealed), (raw, hashed)
        prev = hashed


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


def read_envelopes(reader: Reader, kiosk_id: bytes) -> ReadEnvelopes:
    """Read what `encode_envelopes` wrote.

    Raises:
        WireError: These are not runs of envelopes.
    """
    pairs: list[tuple[Envelope, tuple[bytes, bytes]]] = []
    for _ in range(reader.uvarint(limits.FRAME_ENVELOPES_MAX)):
        pairs += _read_run(reader, kiosk_id, limits.FRAME_ENVELOPES_MAX - len(pairs))
    envelopes = ReadEnvelopes(envelope for envelope, _ in pairs)
    envelopes.letters = [letter for _, letter in pairs]
    return envelopes


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
