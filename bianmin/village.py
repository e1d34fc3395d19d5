"""One centre, one kiosk and the link between them on this machine, in one directory.

The demo shows it to people; the integration and browser tests break it on purpose.
"""

import contextlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from bianmin import processes
from bianmin.link import Link

HOST: Final = "127.0.0.1"
KIOSK_NAME: Final = "石桥村便民服务点"
KIOSK_VILLAGE: Final = "522326104205"  # 石桥村 in the made-up list that server/catalogue ships
IDENTITY_FILE: Final = "kiosk.toml"  # what an enrolment leaves, written whole or not at all
_WORD_PATIENCE: Final = aiohttp.ClientTimeout(total=2)


class Ports(msgspec.Struct, frozen=True):
    """Where each part listens; all on this machine."""

    kiosk: int = 8420  #: the kiosk's own page
    centre: int = 8421  #: the centre: kiosks, phones, clerks
    page: int = 8422  #: the demo's page
    link: int = 8423  #: the wire from the kiosk to the centre


class Village:
    """Starts, breaks and stops a centre, a link and a kiosk.

    Args:
        directory: Holds `centre/`, `kiosk/` and `log/`; made when missing.
        ports: Where the parts listen.
        voice_dir: The rendered sentences; may be shared by several villages.
        settings: Further settings by their environment names.
    """

    def __init__(
        self,
        directory: Path,
        ports: Ports,
        *,
        voice_dir: Path,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.ports = ports
        self.link = Link(ports.centre)
        self.centre: processes.Program | None = None
        self.kiosk: processes.Program | None = None
        self.environment: Final = {
            "BIANMIN_CENTRE_DATA_DIR": str(directory / "centre"),
            "BIANMIN_CENTRE_HOST": HOST,
            "BIANMIN_CENTRE_PORT": str(ports.centre),
            "BIANMIN_CENTRE_PUBLIC_URL": self.centre_url,
            "BIANMIN_KIOSK_DATA_DIR": str(directory / "kiosk"),
            "BIANMIN_KIOSK_HOST": HOST,
            "BIANMIN_KIOSK_PORT": str(ports.kiosk),
            "BIANMIN_KIOSK_CENTRE_URL": f"http://{HOST}:{ports.link}",
            "BIANMIN_CENTRE_RETRY_AFTER_S": "2",
            "BIANMIN_VOICE_CACHE": str(voice_dir),
            # The log of a program that was killed must hold its last words.
            "PYTHONUNBUFFERED": "1",
            **(settings or {}),
        }

    @property
    def kiosk_url(self) -> str:
        """Answer the address of the kiosk's page."""
        return f"http://{HOST}:{self.ports.kiosk}"

    @property
    def centre_url(self) -> str:
        """Answer the address of the centre, past the link."""
        return f"http://{HOST}:{self.ports.centre}"

    async def run(
        self,
        *arguments: str,
        words: str = "",
        is_shown: bool = False,
    ) -> str:
        """Run one `bianmin` command with this village's settings; see `processes.run`."""
        return await processes.run(
            arguments, environment=self.environment, words=words, is_shown=is_shown
        )

    async def start_centre(self) -> None:
        """Set the centre up when it is new, start it and publish the services that we ship."""
        # Both commands change nothing when there is nothing to do.
        await self.run("centre", "init")
        self.centre = await self._start("centre", ("centre", "run"))
        await processes.ready(self.centre, f"{self.centre_url}/healthz")
        await self.run("centre", "publish")

    async def start_kiosk(self) -> None:
        """Enrol the kiosk when it is new (over the link, which must be whole) and start it."""
        if not (self.directory / "kiosk" / IDENTITY_FILE).exists():
            said = await self.run(
                "centre", "code", "--name", KIOSK_NAME, "--village", KIOSK_VILLAGE
            )
            await self.run("kiosk", "enrol", said.split()[-1])
        self.kiosk = await self._start("kiosk", ("kiosk", "run"))
        await processes.ready(self.kiosk, f"{self.kiosk_url}/healthz")

    async def render_voice(self) -> None:
        """Make the clips that are missing, with progress on the terminal.

        Raises:
            ProgramFailed: The voice's programs are not installed, or a text cannot be spoken.
        """
        services = shipped_catalogue()
        # The clerks' reasons are spoken too.
        spoken = (
            "--catalogue",
            str(services),
            "--catalogue",
            str(services.with_name("reasons.json")),
        )
        await self.run("voice", "render", *spoken, is_shown=True)

    async def set_link(self, *, is_whole: bool) -> None:
        """Cut or restore the link; restored, the kiosk is told to try again at once.

        Without that word it would wait out its backoff, up to minutes after a long cut.
        """
        if not is_whole:
            self.link.cut()
            return
        self.link.restore()
        async with aiohttp.ClientSession(timeout=_WORD_PATIENCE) as session:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                await session.post(f"{self.kiosk_url}/send")

    async def start(self) -> None:
        """Start all three."""
        await self.link.open(self.ports.link)
        await self.start_centre()
        await self.start_kiosk()

    async def stop(self) -> None:
        """Stop all three, the kiosk first, and every process that they started."""
        for program in (self.kiosk, self.centre):
            if program is not None:
                await program.stop()
        await self.link.close()

    async def _start(self, name: str, arguments: Sequence[str]) -> processes.Program:
        return await processes.start(
            name,
            arguments,
            environment=self.environment,
            log=self.directory / "log" / f"{name}.log",
        )


def shipped_catalogue() -> Path:
    """Answer where the services are that the centre ships.

    Found, not imported: the demo loads neither the kiosk nor the centre.

    Raises:
        ProgramFailed: The centre is not part of this installation.
    """
    spec = importlib.util.find_spec("server")
    if spec is None or not spec.submodule_search_locations:
        raise processes.ProgramFailed("the centre is not installed here; run deploy/setup")
    return Path(spec.submodule_search_locations[0]) / "catalogue" / "catalogue.json"


def departments() -> tuple[str, ...]:
    """Answer every department that decides one of the shipped services."""
    services = msgspec.json.decode(shipped_catalogue().read_bytes(), type=_Services).services
    return tuple(sorted({name for each in services for name in each.department.split("、")}))


class _Decided(msgspec.Struct):
    department: str


class _Services(msgspec.Struct):
    services: list[_Decided]
