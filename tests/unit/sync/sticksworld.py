"""A kiosk with a stick, and a small centre that takes sticks in. Made-up data only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sync.bundles import (
    ANSWER,
    ANSWER_MAGIC,
    BLOB,
    BUNDLE_MAGIC,
    MANIFEST,
    REQUEST,
    BundleReader,
    BundleWriter,
    Head,
    Item,
    answer_name,
    blob_item,
    centre_id,
)
from sync.carrying import Brought, Carrier, Laid, Progress
from sync.clock import SeededEntropy
from sync.database import Database
from sync.limits import BUNDLE_BYTES_MAX
from sync.manifest import pack_blob
from sync.packing import Packing
from sync.signing import DeviceKeys
from sync.sticks import FOLDER_NAME, StickFolder
from tests.unit.sync.worlds import HEALTH, JumpingClock, SmallCentre, opened


async def inline(fn: Callable[..., Any], /, *args: Any) -> Any:
    """Run at once what a kiosk runs aside."""
    return fn(*args)


class Stick:
    """A folder that stands for a stick."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / FOLDER_NAME).mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        return self.root / FOLDER_NAME

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def bundles(self) -> list[Path]:
        return sorted(self.folder.glob("*.bmb"), key=lambda path: int(path.stem.split("-")[1]))

    def items(self, path: Path) -> list[Item]:
        return read(path.read_bytes(), BUNDLE_MAGIC)[0]


def read(raw: bytes, magic: bytes) -> tuple[list[Item], BundleReader]:
    reader = BundleReader(magic)
    return reader.feed(raw), reader


class Carrying:
    """A kiosk's store and what it does with sticks."""

    def __init__(
        self,
        directory: Path,
        centre: SmallCentre,
        *,
        keys: DeviceKeys | None = None,
        bytes_max: int = BUNDLE_BYTES_MAX,
    ) -> None:
        self.centre = centre
        self.keys = keys or DeviceKeys.generate(SeededEntropy(3))
        self.clock = JumpingClock()
        self.identity = centre.enrolled(self.keys)
        self.database: Database = opened(directory, self.keys)
        self.catalogues: list[int] = []
        self.told: list[Progress] = []
        packing = Packing(self.keys, self.identity, self.clock, b"boot", lambda: HEALTH)
        self.carrier = Carrier(
            self.database,
            self.keys,
            self.identity,
            packing,
            on_catalogue=self.catalogues.append,
            aside=inline,
            bytes_max=bytes_max,
        )

    async def lay(self, stick: Stick) -> Laid:
        with StickFolder.opened(stick.root) as folder:
            return await self.carrier.lay(folder, self.told.append)

    async def bring(self, stick: Stick) -> Brought:
        with StickFolder.opened(stick.root) as folder:
            return await self.carrier.bring(folder, self.told.append)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.database.conn.execute(query).fetchall()]

    def states(self) -> dict[int, str]:
        return dict(self.rows("SELECT seq, state FROM outbox ORDER BY seq"))


def deliver(
    centre: SmallCentre,
    stick: Stick,
    *,
    with_catalogue: bool = False,
    drop: Callable[[int], bool] = lambda _: False,
) -> None:
    """Take all bundles of a stick in at the small centre and write the replies."""
    for path in stick.bundles():
        head = Head(centre_id(centre.root_public), bytes.fromhex(path.stem.split("-")[0]))
        raw = bytearray()
        writer = BundleWriter(raw.extend, ANSWER_MAGIC, head)
        for number, item in enumerate(stick.items(path)):
            assert item.kind == REQUEST
            if not drop(number):
                writer.add(ANSWER, centre.exchange(item.raw))
        if with_catalogue:
            writer.add(MANIFEST, centre.manifest_raw)
            for name, blob in centre.blobs.items():
                writer.add(BLOB, blob_item(name, pack_blob(blob)))
        writer.end()
        (stick.folder / answer_name(path.name)).write_bytes(raw)
