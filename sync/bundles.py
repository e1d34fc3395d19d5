"""What a stick carries: signed frames one behind the other in a flat file, and the stick's mark.

No archive, no names, no paths: a head, items with their kind and length, an end with a sum over
all. Nothing in a file is believed for being there; each item proves itself by its own signature.
Byte by byte in docs/protocol.md.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Literal

import msgspec

from sync import limits, signing
from sync.errors import BianminError
from sync.octets import Reader, WireError, u48
from sync.wire import KIOSK_ID_BYTES

BUNDLE_MAGIC = b"BMB\x01"
ANSWER_MAGIC = b"BMR\x01"
MARKER_MAGIC = b"BMS\x01"
BUNDLE_SUFFIX, ANSWER_SUFFIX = ".bmb", ".bmr"
MARKER_NAME = "STICK.BMS"
MARKER_BYTES = len(MARKER_MAGIC) + signing.CERTIFICATE_BYTES + 6 + signing.SIGNATURE_BYTES

CENTRE_ID_BYTES = 8
HEAD_BYTES = len(BUNDLE_MAGIC) + CENTRE_ID_BYTES + KIOSK_ID_BYTES
ITEM_HEAD_BYTES = 5
_DIGEST_BYTES = 32
END_BYTES = 4 + _DIGEST_BYTES

END, REQUEST, ANSWER, MANIFEST, BLOB = range(5)
_BYTES_MAX = {
    REQUEST: limits.FRAME_BYTES_MAX,
    ANSWER: limits.FRAME_BYTES_MAX,
    MANIFEST: limits.MANIFEST_BYTES_MAX,
    BLOB: _DIGEST_BYTES + limits.BUNDLE_BLOB_BYTES_MAX,
}
_NAME = re.compile(r"([0-9a-f]{16})-(\d{1,15})\.(bmb|bmr)")

Ending = Literal["whole", "cut", "damaged", "too_long", "newer", "not_ours"]
"""How a file ended. cut: it stops before its end. damaged: it is not what was written.
too_long: more than such a file may hold. newer: of a version that we do not know.
not_ours: something else altogether."""


class MarkerRefused(BianminError):
    """A stick bears no mark of this centre; nothing is written on it."""

    code = "403.3"


class Head(msgspec.Struct, frozen=True):
    """Whose file it is, as it claims."""

    #: First 8 bytes of SHA-256 of the centre's root key.
    centre_id: bytes
    kiosk_id: bytes


class Item(msgspec.Struct, frozen=True):
    """One thing that a file carries."""

    #: REQUEST, ANSWER, MANIFEST or BLOB; kinds of a later program come along unread.
    kind: int
    raw: bytes
    #: Where `raw` begins in the file.
    offset: int


def centre_id(root_public: bytes) -> bytes:
    """Answer by which 8 bytes files name a centre."""
    return hashlib.sha256(root_public).digest()[:CENTRE_ID_BYTES]


def bundle_name(kiosk_id: bytes, counter: int) -> str:
    """Answer the name of a bundle, which every FAT file system takes.

    >>> bundle_name(bytes.fromhex("8489be0a8aa685ea"), 300)
    '8489be0a8aa685ea-300.bmb'
    """
    return f"{kiosk_id.hex()}-{counter}{BUNDLE_SUFFIX}"


def name_parts(name: str) -> tuple[bytes, int, str] | None:
    """Answer kiosk, counter and suffix of a file's name; None for any other name.

    >>> name_parts("8489be0a8aa685ea-300.bmr")[1:], name_parts("AUTORUN.INF")
    ((300, '.bmr'), None)
    """
    found = _NAME.fullmatch(name)
    if found is None or not name.isascii():
        return None
    return bytes.fromhex(found[1]), int(found[2]), f".{found[3]}"


def answer_name(name: str) -> str:
    """Answer the name of the replies to a bundle.

    >>> answer_name("8489be0a8aa685ea-300.bmb")
    '8489be0a8aa685ea-300.bmr'
    """
    return name.removesuffix(BUNDLE_SUFFIX) + ANSWER_SUFFIX


class BundleWriter:
    """Writes one file, item by item.

    Args:
        write: Takes the bytes, in order.
        magic: `BUNDLE_MAGIC` or `ANSWER_MAGIC`.
        head: Whose file it is.
    """

    def __init__(self, write: Callable[[bytes], object], magic: bytes, head: Head) -> None:
        self._write = write
        self._sum = hashlib.sha256()
        self.count = 0
        self.size_bytes = 0
        self._put(magic + head.centre_id + head.kiosk_id)

    def _put(self, raw: bytes) -> None:
        self._write(raw)
        self._sum.update(raw)
        self.size_bytes += len(raw)

    def add(self, kind: int, raw: bytes) -> None:
        """Write one item.

        Raises:
            ValueError: It is longer than its kind may be.
        """
        if len(raw) > _BYTES_MAX[kind]:
            raise ValueError("an item is longer than its kind may be")
        self._put(bytes([kind]) + len(raw).to_bytes(4, "big"))
        self._put(raw)
        self.count += 1

    def end(self) -> None:
        """Write the end: without it a file counts as cut."""
        raw = self.count.to_bytes(4, "big") + self._sum.digest()
        self._write(bytes([END]) + len(raw).to_bytes(4, "big") + raw)


class BundleReader:
    """Reads a file piece by piece, however the pieces are cut; holds one item at most.

    Whatever stands in the file, only `ending` tells of it; nothing is raised. What comes after
    a fault is not read: it costs the rest of the file and nothing before it.

    Args:
        magic: What the file must begin with.
        bytes_max: Longest file.
    """

    def __init__(self, magic: bytes, bytes_max: int = limits.BUNDLE_BYTES_MAX) -> None:
        self._magic = magic
        self._bytes_max = bytes_max
        self._held = bytearray()
        self._sum = hashlib.sha256()
        self._at = 0
        self.head: Head | None = None
        self.count = 0
        self._ending: Ending | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is read, because of the end or a fault."""
        return self._ending is not None

    @property
    def ending(self) -> Ending:
        """How the file ended, once all of it was fed."""
        if self._ending is not None:
            return self._ending
        is_begun = self.head is not None or self._held.startswith(self._magic)
        return "cut" if is_begun else "not_ours"

    def feed(self, piece: bytes) -> list[Item]:
        """Take the next bytes in; answer the items that are complete with them."""
        if self.is_over:
            if self._ending == "whole" and piece:
                self._ending = "damaged"
            return []
        self._held += piece
        if self.head is None:
            self._read_head()
        found: list[Item] = []
        if self.head is None:
            return found
        while (item := self._next_item()) is not None:
            found.append(item)
        return found

    def _read_head(self) -> None:
        known = min(len(self._held), len(self._magic))
        if self._held[:known] != self._magic[:known]:
            is_kin = known == len(self._magic) and self._held.startswith(self._magic[:3])
            self._stop("newer" if is_kin else "not_ours")
        elif len(self._held) >= HEAD_BYTES:
            reader = Reader(self._taken(HEAD_BYTES))
            reader.take(len(self._magic))
            self.head = Head(reader.take(CENTRE_ID_BYTES), reader.take(KIOSK_ID_BYTES))

    def _next_item(self) -> Item | None:
        if len(self._held) < ITEM_HEAD_BYTES:
            return None
        kind, size = self._held[0], int.from_bytes(self._held[1:ITEM_HEAD_BYTES], "big")
        whole = ITEM_HEAD_BYTES + size
        # The length is judged before anything of it is waited for.
        fault = self._fault_of(kind, size)
        if fault is not None:
            self._stop(fault)
        if fault is not None or len(self._held) < whole:
            return None
        if kind == END:
            self._end(bytes(self._held[ITEM_HEAD_BYTES:whole]), has_more=len(self._held) > whole)
            return None
        offset = self._at + ITEM_HEAD_BYTES
        self.count += 1
        return Item(kind, self._taken(whole)[ITEM_HEAD_BYTES:], offset)

    def _fault_of(self, kind: int, size: int) -> Ending | None:
        if kind == END:
            return None if size == END_BYTES else "damaged"
        if size > _BYTES_MAX.get(kind, limits.FRAME_BYTES_MAX):
            return "damaged"
        is_long = self._at + ITEM_HEAD_BYTES + size > self._bytes_max
        return "too_long" if is_long or self.count >= limits.BUNDLE_ITEMS_MAX else None

    def _end(self, raw: bytes, *, has_more: bool) -> None:
        is_whole = raw == self.count.to_bytes(4, "big") + self._sum.digest() and not has_more
        self._stop("whole" if is_whole else "damaged")

    def _taken(self, size: int) -> bytes:
        raw = bytes(self._held[:size])
        del self._held[:size]
        self._sum.update(raw)
        self._at += size
        return raw

    def _stop(self, ending: Ending) -> None:
        self._ending = ending
        self._held.clear()


def encode_marker(
    certificate: signing.Certificate, made_ms: int, sign: Callable[[bytes], bytes]
) -> bytes:
    """Write the file that makes a stick one of the centre's.

    Args:
        certificate: Of the key that signs.
        made_ms: Centre's clock, Unix ms.
        sign: Signs for the purpose "stick".
    """
    part = MARKER_MAGIC + certificate.to_bytes() + u48(made_ms)
    return part + sign(part)


def verify_marker(raw: bytes, roots: tuple[bytes, ...]) -> int:
    """Answer when a stick was marked, Unix ms of the centre.

    A mark that was good once stays good: it grants nothing but that the kiosk lays sealed and
    signed bytes there, and a stick must not fail in a village because the centre's key was
    renewed in the county.

    Args:
        raw: The file, anything at all.
        roots: Pinned at enrolment.

    Raises:
        MarkerRefused: It is not a mark of this centre.
    """
    try:
        reader = Reader(raw)
        reader.expect(MARKER_MAGIC, "a stick's mark of version 1")
        certificate = signing.Certificate.from_bytes(reader.take(signing.CERTIFICATE_BYTES))
        made_ms, signature = reader.number(6), reader.take(signing.SIGNATURE_BYTES)
        reader.end()
        trusted = signing.trusted_certificate(signing.Trust(roots), certificate, made_ms)
        signing.verify(trusted.public, "stick", raw[: -signing.SIGNATURE_BYTES], signature)
    except (WireError, signing.SignatureRefused, signing.CertificateRefused) as error:
        raise MarkerRefused("this stick is not one of the centre's; mark it there") from error
    return made_ms


def blob_item(name: str, packed: bytes) -> bytes:
    """Write a blob under its name (SHA-256, hex), as `ANSWER` files carry it."""
    return bytes.fromhex(name) + packed


def read_blob_item(raw: bytes) -> tuple[str, bytes]:
    """Read what `blob_item` wrote, not verified.

    Raises:
        WireError: It is too short.
    """
    reader = Reader(raw)
    return reader.take(_DIGEST_BYTES).hex(), reader.rest()
