"""A whole kiosk for tests: real store, real keys, a small centre in memory."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from functools import cache, partial
from pathlib import Path

import msgspec

from kiosk.devices.hung import Devices
from kiosk.events import Touch
from kiosk.lifecycle import Stage
from kiosk.main import put_together
from kiosk.opening import Opened
from kiosk.parts import Parts
from kiosk.settings import Settings
from sync import catalogues, manifest
from sync.clock import SeededEntropy
from sync.database import immediate, open_database
from sync.dictionary import build_dictionary
from sync.signing import DeviceKeys, sign
from sync.transports.memory import Fault, MemoryLink
from tests.unit.kiosk.parts import CATALOGUE_FILE, catalogue, villages
from tests.unit.sync.worlds import START_MS, JumpingClock, SmallCentre


@cache
def dictionary() -> bytes:
    return build_dictionary(catalogue())


def publish(centre: SmallCentre, version: int = 1) -> None:
    """Put the shipped services in force at the centre."""
    parts = (
        CATALOGUE_FILE.read_bytes(),
        dictionary(),
        msgspec.json.encode(villages()),
        msgspec.json.encode({"blurred": {"zh-CN": "照片看不清", "en": "The photo is not clear"}}),
    )
    names = [manifest.blob_name(raw) for raw in parts]
    centre.blobs |= dict(zip(names, parts, strict=True))
    published = manifest.Manifest(
        version=version,
        catalogue_sha256=names[0],
        dictionary_sha256=names[1],
        villages_sha256=names[2],
        reasons_sha256=names[3],
        hotline="0871-6500000",
        sealing_keys=(centre.sealing,),
        published_ms=START_MS,
    )
    signer = partial(sign, centre.signing_private, "manifest")
    centre.manifest_raw = manifest.encode_manifest(published, centre.certificate, signer)
    centre.catalogue_version = version


class Voice:
    """A speaker that needs no machine: the text's own octets are its sound."""

    def __init__(self) -> None:
        self.spoken: list[str] = []

    async def start(self) -> None:
        """Be ready."""

    async def speak(self, language: str, text: str, /) -> bytes:
        self.spoken.append(text)
        return f"{language}:{text}".encode()

    def forget(self) -> None:
        self.spoken.clear()


class Station:
    """What a test holds of one kiosk."""

    def __init__(
        self,
        stage: Stage,
        parts: Parts,
        centre: SmallCentre,
        keys: DeviceKeys,
        clock: JumpingClock,
        voice: Voice,
    ) -> None:
        self.stage, self.parts = stage, parts
        self.centre, self.keys, self.clock, self.voice = centre, keys, clock, voice

    async def touch(self, action: str, value: str = "", question: str = "") -> None:
        """Touch the present screen."""
        visit = self.stage.visit
        await self.stage.touch(visit.id, visit.rev, Touch(action, value, question))  # type: ignore[arg-type]

    async def exchange(self) -> None:
        """Let the agent reach the centre, as often as it wants to come again."""
        for _ in range(9):
            outcome = await self.parts.agent.exchange_once()
            if not outcome.is_more:
                return


@contextlib.asynccontextmanager
async def station(
    directory: Path,
    *,
    has_catalogue: bool = True,
    faults: Iterable[Fault] = (),
    centre: SmallCentre | None = None,
    clock: JumpingClock | None = None,
    has_voice: bool = True,
    devices: Devices | None = None,
) -> AsyncIterator[Station]:
    """Open a kiosk in a folder; again in the same folder = the same kiosk after a restart."""
    centre, clock, voice = centre or SmallCentre(), clock or JumpingClock(), Voice()
    keys = DeviceKeys.generate(SeededEntropy(7))
    settings = Settings(
        data_dir=directory, voice_dir=directory / "no-voice", packs_dir=directory / "voices"
    )
    database = open_database(settings.database, ballast_bytes=64 * 1024)
    if not centre.manifest_raw:
        publish(centre)
    if has_catalogue:
        with immediate(database.conn):
            catalogues.put_in_force(database.conn, centre.manifest_raw, centre.blobs)
    try:
        stage, parts = put_together(
            settings,
            Opened(centre.enrolled(keys), keys, database),
            link=MemoryLink(centre, faults),
            clock=clock,
            entropy=SeededEntropy(11),
            speaker=voice if has_voice else None,
            devices=devices,
        )
        await stage.start()
        yield Station(stage, parts, centre, keys, clock, voice)
    finally:
        database.close()
