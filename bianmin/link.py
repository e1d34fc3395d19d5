"""The wire between the demo's kiosk and its centre, with a switch in it."""

import asyncio
import contextlib
import socket
import struct
from typing import Final

CHUNK_BYTES: Final = 16 * 1024  # one read of the relay; small enough to stop quickly on a cut


class Link:
    """A TCP relay on this machine that can be cut and restored.

    While it is cut, connections that were open are broken at once (reset, so that neither side
    mistakes it for a proper end) and new ones are broken as soon as they are made. The port
    stays ours all the time, so restoring cannot fail.
    """

    def __init__(self, target_port: int, *, host: str = "127.0.0.1") -> None:
        self._host = host
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._is_whole = True
        #: Bytes that passed so far, everything above TCP counted.
        self.bytes_up = 0
        self.bytes_down = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_whole(self) -> bool:
        """Answer whether bytes pass."""
        return self._is_whole

    async def open(self, port: int) -> None:
        """Listen on that port of this machine.

        Raises:
            OSError: The port is taken.
        """
        self._server = await asyncio.start_server(self._relay, self._host, port)

    def cut(self) -> None:
        """Break every connection and let none through until `restore`."""
        self._is_whole = False
        for writer in tuple(self._writers):
            _reset(writer)

    def restore(self) -> None:
        """Let new connections through."""
        self._is_whole = True

    async def close(self) -> None:
        """Stop listening and break what is open."""
        if self._server is not None:
            self._server.close()
        self.cut()
        # Broken connections end their relays by themselves.
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if not self._is_whole:
            _reset(writer)
            return
        self._writers.add(writer)
        try:
            await self._join(reader, writer)
        except OSError:
            # The centre is down or was cut off: the kiosk sees a broken connection.
            _reset(writer)
        finally:
            self._writers.discard(writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, self._target_port)
        self._writers.add(far_writer)
        try:
            pumps = [
                asyncio.ensure_future(self._pump_up(reader, far_writer)),
                asyncio.ensure_future(self._pump_down(far_reader, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._writers.discard(far_writer)
            for end in (far_writer, writer):
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    async def _pump_up(self, kiosk: asyncio.StreamReader, centre: asyncio.StreamWriter) -> None:
        while data := await kiosk.read(CHUNK_BYTES):
            self.bytes_up += len(data)
            centre.write(data)
            await centre.drain()

    async def _pump_down(self, centre: asyncio.StreamReader, kiosk: asyncio.StreamWriter) -> None:
        while data := await centre.read(CHUNK_BYTES):
            self.bytes_down += len(data)
            kiosk.write(data)
            await kiosk.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    # Linger of zero makes the system send RST: a FIN would look like the end of an answer.
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
