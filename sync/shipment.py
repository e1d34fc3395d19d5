"""A catalogue that comes along with the replies on a stick: the way of those without any link."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sync import catalogues, standing
from sync.bundles import BLOB, MANIFEST, Item, read_blob_item
from sync.database import Database
from sync.manifest import Manifest, ManifestRefused, decode_manifest, unpack_blob
from sync.octets import WireError
from sync.packing import Packing


class Aside(Protocol):
    """Runs what waits for the stick, so that the kiosk does not."""

    def __call__(self, fn: Callable[..., Any], /, *args: Any) -> Awaitable[Any]:
        """Run `fn(*args)` and answer what it returns."""


class Shipment:
    """Takes one file's manifest and blobs in, and puts them in force when all are there.

    Args:
        database: The open store.
        packing: Says what the centre's word must be signed by.
        aside: Runs what takes long.
    """

    def __init__(self, database: Database, packing: Packing, aside: Aside) -> None:
        self._database = database
        self._packing = packing
        self._aside = aside
        self._raw = b""
        self._manifest: Manifest | None = None
        self._missing: set[str] = set()
        self.is_refused = False

    async def take_in(self, item: Item) -> None:
        """Keep a manifest that the centre signed, and those of its parts that are missing here."""
        try:
            if item.kind == MANIFEST and self._manifest is None:
                await self._begin(item.raw)
            elif item.kind == BLOB:
                name, packed = read_blob_item(item.raw)
                if name in self._missing:
                    blob = await self._aside(unpack_blob, packed, name)
                    await self._database.write(catalogues.store_blob, name, blob)
                    self._missing.discard(name)
        except (ManifestRefused, WireError):
            self.is_refused = True

    async def _begin(self, raw: bytes) -> None:
        held = await self._database.run(standing.standing_of)
        manifest = decode_manifest(raw, self._packing.trust(held))
        if manifest.version > held.catalogue:
            self._raw, self._manifest = raw, manifest
            self._missing = set(await self._database.run(catalogues.missing_blobs, manifest))

    async def put_in_force(self) -> int:
        """Use the catalogue when all of it is here; answer its version, 0 when none came."""
        if self._manifest is None or self._missing:
            self.is_refused = self.is_refused or self._manifest is not None
            return 0
        try:
            return await self._database.write(catalogues.put_in_force, self._raw, {})
        except ManifestRefused:
            self.is_refused = True
            return 0
