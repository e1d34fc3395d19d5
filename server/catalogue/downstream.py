"""What kiosks fetch: the manifest and its blobs, as deltas against what they hold, in pieces."""

import asyncio
import hashlib
import re
import sqlite3
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from server.catalogue.shelf import Shelf
from server.errors import BlobUnknown, NotPublished
from server.store import catalogues
from server.store.sqlite import Store
from sync import limits
from sync.deltas import make_delta
from sync.manifest import stored_manifest
from sync.octets import counted
from sync.pieces import HELD_DIGITS_MIN, Packed, packed, piece_of
from sync.transports import BLOB_PATH, MANIFEST_PATH

_HELD = re.compile(rf"[0-9a-f]{{{HELD_DIGITS_MIN},64}}")


class Downstream:
    """Answers what kiosks ask for, whatever carries their questions.

    Packing takes tenths of a second, so what was packed is kept, and a fleet that asks for the
    same delta at once waits for one packing.

    Args:
        store: Where blobs are.
        shelf: The newest version.
        is_threaded: Pack on another thread; False packs in place (simulation).
    """

    def __init__(self, store: Store, shelf: Shelf, *, is_threaded: bool = True) -> None:
        self._store = store
        self._shelf = shelf
        self._is_threaded = is_threaded
        self._packed: OrderedDict[tuple[str, str], Packed] = OrderedDict()
        self._under_way: dict[tuple[str, str], asyncio.Task[Packed]] = {}

    @property
    def kept_bytes(self) -> int:
        """Size of what is kept packed."""
        return sum(len(each.raw) for each in self._packed.values())

    async def answer(self, path: str) -> bytes:
        """Answer a GET of a manifest or blob by its path with its query.

        Raises:
            NotPublished: Nothing was published yet.
            BlobUnknown: There is no such blob.
        """
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        if parts.path == MANIFEST_PATH:
            return await self.manifest(query)
        return await self.blob(parts.path.removeprefix(BLOB_PATH), query)

    async def manifest(self, query: Mapping[str, str]) -> bytes:
        """Answer the newest signed manifest, or what makes it of the one that `from` names.

        A small change comes along in the same answer: another question costs as much as it.

        Raises:
            NotPublished: Nothing was published yet.
        """
        published = await self._store.read(self._shelf.refresh)
        if published is None:
            raise NotPublished("nothing was published yet; run `bianmin centre publish`")
        held = query.get("from", "")
        if not _HELD.fullmatch(held):
            return published.manifest
        source = await self._store.read(_manifest_of, held)
        if source is None:
            return published.manifest
        patch = Packed(is_delta=True, raw=make_delta(source, published.manifest))
        pieces = [piece_of(patch), *await self._riders(source, published.manifest)]
        return b"".join(counted(piece) for piece in pieces)

    async def _riders(self, source: bytes, manifest: bytes) -> list[bytes]:
        old, new = stored_manifest(source), stored_manifest(manifest)
        riders: list[bytes] = []
        for before, name in zip(old.blobs, new.blobs, strict=True):
            # A kiosk builds the dictionary by itself.
            if name in (before, new.dictionary_sha256):
                continue
            whole = await self._whole(name, before[:HELD_DIGITS_MIN])
            if whole.is_delta and len(whole.raw) <= limits.RIDER_BYTES_MAX:
                riders.append(piece_of(whole))
        return riders

    async def blob(self, name: str, query: Mapping[str, str]) -> bytes:
        """Answer a piece of a blob.

        Args:
            name: SHA-256 of its content, hex, or its first digits.
            query: `at` and `size` of the piece, and `from`, the first digits of what is held.

        Raises:
            BlobUnknown: There is no such blob, or no such piece.
        """
        held = query.get("from", "")
        at, size = query.get("at", "0"), query.get("size", str(limits.BLOB_BYTES_MAX))
        if not (_HELD.fullmatch(name) and _is_number(at) and _is_number(size)):
            raise BlobUnknown("a blob has the SHA-256 of its content for a name")
        whole = await self._whole(name, held if _HELD.fullmatch(held) else "")
        return piece_of(whole, int(at), int(size))

    async def _whole(self, name: str, held: str) -> Packed:
        key = (name[:HELD_DIGITS_MIN], held[:HELD_DIGITS_MIN])
        if key in self._packed:
            self._packed.move_to_end(key)
            return self._packed[key]
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.ensure_future(self._pack(*key))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Shielded: a kiosk that goes away must not take the others' packing with it.
        return await asyncio.shield(task)

    async def _pack(self, name: str, held: str) -> Packed:
        raw, source = await self._store.read(_both, name, held)
        if raw is None:
            raise BlobUnknown("no blob has that hash")
        if self._is_threaded:
            whole = await asyncio.to_thread(packed, raw, source)
        else:
            whole = packed(raw, source)
        self._keep((name, held), whole)
        return whole

    def _keep(self, key: tuple[str, str], whole: Packed) -> None:
        self._packed[key] = whole
        while self.kept_bytes > limits.PACKED_KEPT_BYTES and len(self._packed) > 1:
            self._packed.popitem(last=False)
        while len(self._packed) > limits.PACKED_KEPT_MAX:
            self._packed.popitem(last=False)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 8


def _both(conn: sqlite3.Connection, name: str, held: str) -> tuple[bytes | None, bytes | None]:
    source = catalogues.blob_beginning(conn, held) if held else None
    return catalogues.blob_beginning(conn, name), source


def _manifest_of(conn: sqlite3.Connection, held: str) -> bytes | None:
    for raw in catalogues.newest_manifests(conn, limits.DELTA_SOURCES_MAX):
        if hashlib.sha256(raw).hexdigest().startswith(held):
            return raw
    return None
