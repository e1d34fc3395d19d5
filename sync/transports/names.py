"""Names to addresses, with the last good answer for when the name service is gone."""

import asyncio
import socket

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from sync.limits import CONNECT_FIRST_S


class RememberingResolver(AbstractResolver):
    """Ask the system; when it fails or is slow, answer what it said last.

    An address that has become somebody else's does no harm: only the centre's signature counts.
    """

    def __init__(self, asked: AbstractResolver | None = None) -> None:
        self._asked = asked or ThreadedResolver()
        self._remembered: dict[tuple[str, int], list[ResolveResult]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Answer addresses of a name.

        Raises:
            OSError: It is unknown now, and was never known.
        """
        try:
            async with asyncio.timeout(CONNECT_FIRST_S):
                found = await self._asked.resolve(host, port, family)
        except (OSError, TimeoutError) as error:
            if (host, port) in self._remembered:
                return self._remembered[host, port]
            raise OSError(f"no address is known ({type(error).__name__})") from error
        self._remembered[host, port] = found
        return found

    async def close(self) -> None:
        """Let go of the system's resolver."""
        await self._asked.close()
