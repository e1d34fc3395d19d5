"""Fetching what the centre has published, and putting it in force.

Each step is kept before the next one, so that nothing is carried twice: the manifest, the pieces
of one blob after the other, and at the end all of it together comes into force.
"""

import contextlib
import hashlib

from sqlite_utils import Database as Tables

from sync import catalogues, parts
from sync.clock import Clock
from sync.database import Database, DiskFull
from sync.deltas import apply_delta
from sync.limits import (
    FETCH_S,
    MANIFEST_BYTES_MAX,
    PIECE_BYTES_FIRST,
    RIDER_BYTES_MAX,
    RIDERS_MAX,
)
from sync.manifest import (
    MANIFEST_MAGIC,
    Manifest,
    ManifestRefused,
    checked_blob,
    decode_manifest,
    stored_manifest,
    unpack_blob,
)
from sync.octets import Reader, WireError
from sync.pieces import HELD_DIGITS_MIN, Piece, decode_piece, next_piece_bytes
from sync.signing import Trust
from sync.transports import BLOB_PATH, MANIFEST_PATH, CentreRefused, Link, LinkDown


class Fetching:
    """Fetches catalogues for one kiosk; all that touches the outside is an argument.

    Args:
        link: Way to the centre.
        database: The open store.
        clock: Measures how quick the link is.
    """

    def __init__(self, link: Link, database: Database, clock: Clock) -> None:
        self._link = link
        self._database = database
        self._clock = clock
        self._piece_bytes = PIECE_BYTES_FIRST

    async def fetch(self, trust: Trust, manifest_hash: bytes) -> int | None:
        """Fetch the catalogue in force at the centre and use it.

        Args:
            trust: Who signs manifests.
            manifest_hash: SHA-256 of the manifest in force, from a verified reply; b"" when the
                reply named none.

        Returns:
            The version in force now; None when its time was up or the link broke on the way: the
            rest comes with the next call.

        Raises:
            LinkDown: The link broke, and nothing came.
            ManifestRefused: It is not the centre's, or older than ours; the present one stays.
            StorageFailed: The disk does not take it, or has only the room that envelopes need.
        """
        end_ms = self._clock.monotonic_ms() + int(FETCH_S * 1000)
        if not self._database.has_room():
            raise DiskFull("the disk is nearly full; the catalogue waits for room")
        raw = await self._manifest(trust, manifest_hash)
        manifest = stored_manifest(raw)
        is_first = True
        for name in await self._database.run(catalogues.missing_blobs, manifest):
            while not await self._is_there(manifest, name):
                if not is_first and self._clock.monotonic_ms() >= end_ms:
                    return None
                if not await self._has_advanced(manifest, name):
                    return None
                is_first = False
        return await self._database.write(catalogues.put_in_force, raw, {})

    async def _is_there(self, manifest: Manifest, name: str) -> bool:
        if await self._database.run(catalogues.blob, name) is not None:
            return True
        if name != manifest.dictionary_sha256:
            return False
        return await self._database.write(catalogues.has_built_dictionary, manifest)

    async def _manifest(self, trust: Trust, manifest_hash: bytes) -> bytes:
        wanted = await self._database.run(parts.target)
        if wanted and hashlib.sha256(wanted).digest() == manifest_hash:
            return wanted
        raw, riders = await self._new_manifest(trust, manifest_hash)
        await self._database.write(_aimed_at, raw, riders)
        return raw

    async def _new_manifest(
        self, trust: Trust, manifest_hash: bytes
    ) -> tuple[bytes, tuple[Piece, ...]]:
        held = await self._database.run(catalogues.held_manifest)
        if held and manifest_hash:
            digits = hashlib.sha256(held).hexdigest()[:HELD_DIGITS_MIN]
            try:
                raw, riders = _patched(held, await self._link.get(f"{MANIFEST_PATH}?from={digits}"))
            except (CentreRefused, WireError):
                raw, riders = b"", ()
            if hashlib.sha256(raw).digest() == manifest_hash:
                decode_manifest(raw, trust)
                return raw, riders
        raw = await self._link.get(MANIFEST_PATH)
        decode_manifest(raw, trust)
        if manifest_hash and hashlib.sha256(raw).digest() != manifest_hash:
            # Genuine, but not what the reply spoke of: an old one that somebody kept, or one
            # that was published meanwhile. The next reply says which.
            raise ManifestRefused("this is not the catalogue in force; it is fetched again")
        return raw, ()

    async def _has_advanced(self, manifest: Manifest, name: str) -> bool:
        """Fetch one piece; answer False when the link broke behind bytes that are kept."""
        part, source = await self._database.run(_plan, manifest, name)
        at = part.received if part is not None else 0
        path = f"{BLOB_PATH}{name[:HELD_DIGITS_MIN]}?size={self._piece_bytes}"
        path += f"&at={at}" if at else ""
        path += f"&from={source[:HELD_DIGITS_MIN]}" if source else ""
        started_ms = self._clock.monotonic_ms()
        try:
            raw = await self._link.get(path)
        except CentreRefused as error:
            if error.status != 404:
                raise
            # A centre that knows no pieces, or no longer this blob.
            blob = unpack_blob(await self._link.get(BLOB_PATH + name), name)
            await self._database.write(catalogues.store_blob, name, blob)
            return True
        except LinkDown as error:
            self._piece_bytes = next_piece_bytes(self._piece_bytes, None)
            if not await self._has_kept(name, source, part, error.came):
                raise
            return False
        took_s = (self._clock.monotonic_ms() - started_ms) / 1000
        if not await self._has_kept(name, source, part, raw):
            raise ManifestRefused("what came is no part of the catalogue; it is fetched again")
        self._piece_bytes = next_piece_bytes(self._piece_bytes, took_s)
        return True

    async def _has_kept(self, name: str, source: str, part: parts.Part | None, raw: bytes) -> bool:
        """Keep what came of a piece; answer whether that was anything."""
        try:
            piece = decode_piece(raw)
        except WireError:
            return False
        expected = (part.tag, part.received) if part is not None else (piece.tag, 0)
        if (piece.tag, piece.at) != expected:
            # Packed anew by the centre meanwhile: the bytes do not belong together.
            await self._database.write(parts.drop)
            raise ManifestRefused("the centre packed a part anew; it is fetched from the start")
        if not piece.data:
            return False
        source = source if piece.is_delta else ""
        await self._database.write(parts.keep, name, source, piece)
        if piece.at + len(piece.data) == piece.total:
            await self._finish(name, source)
        return True

    async def _finish(self, name: str, source: str) -> None:
        try:
            await self._database.write(_finished, name, source)
        except ManifestRefused:
            await self._database.write(parts.drop, whole=name)
            if not source:
                raise


def _patched(held: bytes, raw: bytes) -> tuple[bytes, tuple[Piece, ...]]:
    """Answer the manifest that an answer holds or makes of ours, and the deltas that came along."""
    if raw.startswith(MANIFEST_MAGIC):
        return raw, ()
    reader = Reader(raw)
    patch = decode_piece(reader.counted(MANIFEST_BYTES_MAX))
    riders: list[Piece] = []
    while reader.left:
        if len(riders) == RIDERS_MAX:
            raise WireError("more came along than belongs to a catalogue")
        riders.append(decode_piece(reader.counted(2 * RIDER_BYTES_MAX)))
    return apply_delta(held, patch.data), tuple(riders)


def _aimed_at(db: Tables, manifest_raw: bytes, riders: tuple[Piece, ...]) -> None:
    """Fetch for a manifest from now on, with what came along as the first of it."""
    held = catalogues.held_manifest(db)
    parts.aim_at(db, manifest_raw)
    new = stored_manifest(manifest_raw)
    if not riders or not held:
        return
    for before, name in zip(stored_manifest(held).blobs, new.blobs, strict=True):
        source = catalogues.blob(db, before) if name != before else None
        for piece in riders if source is not None else ():
            # A rider does not say what it is a delta of: its hash will.
            with contextlib.suppress(ManifestRefused):
                catalogues.store_blob(db, name, checked_blob(piece.data, source, name))


def _plan(db: Tables, manifest: Manifest, name: str) -> tuple[parts.Part | None, str]:
    """Answer what is there of a blob, and the name of what to ask for a delta against."""
    part = parts.part_of(db, name)
    if part is not None:
        return part, part.source
    held = catalogues.held_manifest(db)
    if not held or parts.must_come_whole(db, name):
        return None, ""
    source = stored_manifest(held).blobs[manifest.blobs.index(name)]
    return None, source if catalogues.blob(db, source) is not None else ""


def _finished(db: Tables, name: str, source: str) -> None:
    against = catalogues.blob(db, source) if source else None
    if source and against is None:
        raise ManifestRefused("what a delta is against is damaged")
    catalogues.store_blob(db, name, parts.finished(db, name, against))
    parts.drop(db)
