"""The vault as a process: its socket, and nothing else that listens."""

import asyncio
import contextlib
import fcntl
import logging
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from server.errors import VaultUnavailable
from server.settings import Settings
from server.store.sqlite import connect
from server.vault import keys, protocol
from server.vault.ledger import Ledger
from server.vault.service import Vault
from sync import limits
from sync.clock import Clock, SystemClock
from sync.commands import stop_event
from sync.errors import MALFORMED
from sync.settings import SettingRefused

LOG = logging.getLogger(__name__)
_DECODER: msgspec.msgpack.Decoder[protocol.Request] = msgspec.msgpack.Decoder(protocol.Request)
_SOCKET_PATH_BYTES_MAX = 107
#: Held for as long as a vault lives, in its own folder.
LOCK_NAME = "vault.lock"


class VaultProcess:
    """Serves a `Vault` on a unix socket that only its own user may use."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Load keys, check the ledger, open the database for reading.

        Raises:
            VaultUnavailable: A key is missing or readable by others.
            LedgerBroken: The ledger was changed; the vault stays shut.
            SettingRefused: The socket's path is too long for the system.
        """
        self._path = settings.vault_socket
        if len(os.fsencode(self._path)) > _SOCKET_PATH_BYTES_MAX:
            raise SettingRefused(f"the data folder's path is too long for a socket: {self._path}")
        held = keys.load(settings.vault_dir)
        self._ledger = Ledger(settings.vault_dir / "audit.db")
        self._conn = connect(settings.database, readonly=True)
        self._vault = Vault(
            held,
            self._ledger,
            self._conn,
            clock,
            reload=lambda: keys.load(settings.vault_dir),
        )

    async def serve(self, stop: asyncio.Event) -> None:
        """Answer until `stop` is set."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        # The mask makes the socket 600 from its first moment on.
        mask = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._talk, self._path)
        finally:
            os.umask(mask)
        LOG.info("vault is open", extra={"entries": self._ledger.state().size})
        async with server:
            await stop.wait()
        self.close()

    def close(self) -> None:
        """Close ledger and database, remove the socket."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self._ledger.close()
        self._conn.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _user_of(writer) != os.getuid():
                return
            while True:
                answer = self._answer(await protocol.read_frame(reader))
                writer.write(protocol.encode(answer))
                await writer.drain()
        except (VaultUnavailable, OSError):
            # The other side ended.
            return
        finally:
            writer.close()

    def _answer(self, raw: bytes) -> protocol.Answer:
        try:
            request = _DECODER.decode(raw)
        except MALFORMED:
            return protocol.Refusal(code="400.20", message="not a request of the vault")
        return self._vault.answer(request)


def _user_of(writer: asyncio.StreamWriter) -> int:
    peer: socket.socket = writer.get_extra_info("socket")
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[1])


async def run(settings: Settings, *, with_parent: bool) -> None:
    """Serve until a signal, or until the parent's pipe on stdin ends.

    Args:
        settings: Where everything lies.
        with_parent: Stop when stdin ends: a vault never outlives the centre that started it.
    """
    stop, loop = stop_event(), asyncio.get_running_loop()
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _on_stdin, loop, stop)
    clock = SystemClock()
    async with _alone(settings.vault_dir / LOCK_NAME, stop, clock):
        if not stop.is_set():
            await VaultProcess(settings, clock).serve(stop)


@contextlib.asynccontextmanager
async def _alone(path: Path, stop: asyncio.Event, clock: Clock) -> AsyncIterator[None]:
    """Be the only vault of this folder; wait for the one before, which may be at work still.

    Two would write one ledger, and the first to end would take the other's socket away.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        is_told = False
        while not stop.is_set():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not is_told:
                    LOG.warning("another vault is at work here; this one waits for its end")
                is_told = True
                await clock.sleep(limits.VAULT_WAIT_S)
        yield
    finally:
        os.close(descriptor)


def _on_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if os.read(sys.stdin.fileno(), 4096) == b"":
        loop.remove_reader(sys.stdin.fileno())
        stop.set()
